"""cmd.exe and Windows' console programs."""

from __future__ import annotations

import pytest

from op_readiness.simulator.programs import powershell
from op_readiness.simulator.programs.files import File, Folder
from op_readiness.simulator.programs.process import Process

from .containers import Container, Net, play

NOT_RECOGNIZED = "'{}' is not recognized as an internal or external command,\r\noperable program or batch file.\r\n"


@pytest.mark.parametrize(
    ("line", "out"),
    [
        ("echo hi there ", "hi there \r\n"),
        ("echo x > f & type f", "x \r\n"),
        ("echo x>f&type f", "x\r\n"),
        ("echo a && echo b || echo c", "a \r\nb \r\n"),
        ("nosuch 2>nul || echo no", "no\r\n"),
        ("type nofile 2>nul && echo yes", ""),
        ("echo %OS% %NOPE% %username% %HOME:~1,3% %HOME:root=x%",
         "Windows_NT %NOPE% ContainerAdministrator roo /x\r\n"),
        ("set X=5&echo %X%", "%X%\r\n"),
        ("set X=5&call echo %X%", "5\r\n"),
        ("set /a N=3*(4+1) & call echo %N%", "15\r\n"),
        ("for /L %i in (2,-1,0) do @echo n%i", "n2\r\nn1\r\nn0\r\n"),
        ("for %i in (a b,c) do @(echo [%i] & echo %i)", "[a] \r\na\r\n[b] \r\nb\r\n[c] \r\nc\r\n"),
        ("for /F %i in ('echo out') do @echo got %i", "got out\r\n"),
        ("if exist C:\\agnhost (echo yes) else (echo no)", "yes\r\n"),
        ("if not exist C:\\nope echo none", "none\r\n"),
        ("if /i abc==ABC echo same", "same\r\n"),
        ("if 5 GTR 12 (echo text) else echo number", "number\r\n"),
        ("findstr zzz C:\\License.txt & if errorlevel 1 echo bad", "bad\r\n"),
        ("echo a^&b ^> c", "a&b > c\r\n"),
        ("echo.", "\r\n"),
        ("echo", "ECHO is off.\r\n"),
        ("md d\\e & dir /b d & rd /s /q d & if not exist d echo gone", "e\r\ngone\r\n"),
        ("echo two> t & echo three>> t & type t | findstr /v two", "three\r\n"),
        ("(echo p& echo q)> o & type o", "p\r\nq\r\n"),
        ("echo q | more", "q \r\n"),
        ("cd C:\\uploads & cd", "C:\\uploads\r\n"),
        ("ver", "\r\nMicrosoft Windows [Version 10.0.20348.2966]\r\n"),
        ("hostname", "pod-a"),
        ("C:\\Windows\\System32\\hostname", "pod-a\r\n"),
        ("C:\\Windows\\System32\\whoami.exe", "user manager\\containeradministrator\r\n"),
        ("where curl", "C:\\curl\\curl.EXE\r\n"),
        ("copy C:\\License.txt C:\\l2 & type C:\\l2", "        1 file(s) copied.\r\nLicense\r\n"),
        ("seq 3 | wc -l", "3\n"),
    ],
)  # fmt: skip
def test_cmd_lines_write_what_cmd_writes(line, out):
    """Output, trailing blanks and CRLF included."""

    async def scene(net: Net) -> None:
        assert (await Container(net, os="windows").run("cmd", "/c", line)).out == out

    play(scene)


@pytest.mark.parametrize(
    ("line", "code", "err"),
    [
        ("nosuch.exe -x", 1, NOT_RECOGNIZED.format("nosuch.exe")),
        ("/agnhost pause", 1, NOT_RECOGNIZED.format("/agnhost")),
        ("exit 7", 7, ""),
        ("exit /b -1", 0xFFFFFFFF, ""),
        ("curl.exe -s http://10.244.9.9/", 7, ""),
        ("type C:\\nofile", 1, "The system cannot find the file specified.\r\n"),
        ("type C:\\no\\file", 1, "The system cannot find the path specified.\r\n"),
        ("echo x > C:\\ro\\f", 1, "Access is denied.\r\n"),
        ("cd C:\\nowhere", 1, "The system cannot find the path specified.\r\n"),
        ("& echo", 255, "& was unexpected at this time.\r\n"),
        ("goto x", 1, "'goto' is not simulated.\r\n"),
        ("xcopy a b", 1, "'xcopy' is not simulated.\r\n"),
        ("md C:\\Windows", 1, "A subdirectory or file C:\\Windows already exists.\r\n"),
        ("set NOPE", 1, "Environment variable NOPE not defined\r\n"),
        ("net localgroup g1 /add & net localgroup g1 /add", 2,
         "System error 1379 has occurred.\r\n\r\nThe specified local group already exists.\r\n\r\n"),
    ],
)  # fmt: skip
def test_cmd_failures_carry_windows_words(line, code, err):
    """Exit codes and texts of what goes wrong."""

    async def scene(net: Net) -> None:
        container = Container(net, os="windows")
        container.files.mount("C:\\ro", Folder({"f": File(b"")}), read_only=True)
        ran = await container.run("cmd.exe", "/C", line)
        assert (ran.code, ran.err) == (code, err)

    play(scene)


@pytest.mark.parametrize(
    ("argv", "out"),
    [
        (("cmd", "/S", "/C", "echo %username%"), "ContainerAdministrator\r\n"),
        (("cmd.exe", "/s", "/c", "echo", "a  b"), '"a  b"\r\n'),
        (("cmd", "/c", 'echo "q"'), '\\"q\\"\r\n'),
        (("C:\\Windows\\System32\\cmd.exe", "/c", "type", "C:\\License.txt"), "License\r\n"),
    ],
)  # fmt: skip
def test_cmd_takes_its_line_from_the_whole_command_line(argv, out):
    """The runtime joins and quotes arguments, cmd takes outer quotes off by its own rules."""

    async def scene(net: Net) -> None:
        assert (await Container(net, os="windows").run(*argv)).out == out

    play(scene)


def test_percent_names_are_those_of_the_container():
    """%COMPUTERNAME% is cut to 15 characters, set lists what is there."""

    async def scene(net: Net) -> None:
        container = Container(net, os="windows")
        container.hostname = "a-rather-long-pod-name-0"
        container.env["Pod_Ip"] = "10.244.2.7"
        assert (await container.run("cmd", "/c",
         "echo %COMPUTERNAME% %POD_IP%")).out == "A-RATHER-LONG-P 10.244.2.7\r\n"
        assert (await container.run("cmd", "/c", "set pod_")).out == "Pod_Ip=10.244.2.7\r\n"

    play(scene)


def test_ipconfig_shows_the_adapters_that_are_there():
    """Address, suffix and servers; without an endpoint no adapter at all."""

    async def scene(net: Net) -> None:
        container = Container(net, "10.244.2.9", "windows")
        container.network.dns.servers, container.network.dns.search = ("10.96.0.10", "1.1.1.1"), ("t.svc", "svc")
        ran = await container.run("ipconfig", "/all")
        assert "   IPv4 Address. . . . . . . . . . . : 10.244.2.9(Preferred)\r\n" in ran.out
        assert f"   DNS Servers . . . . . . . . . . . : 10.96.0.10\r\n{' ' * 39}1.1.1.1\r\n" in ran.out
        assert f"   DNS Suffix Search List. . . . . . : t.svc\r\n{' ' * 39}svc\r\n" in ran.out
        container.network.addresses = []
        assert "adapter" not in (await container.run("ipconfig")).out

    play(scene)


def test_ping_waits_a_second_between_echoes():
    """`ping -n 4 127.0.0.1` takes three seconds; a silent host gives 1."""

    async def scene(net: Net) -> None:
        net.silent.add("192.0.2.1")
        container = Container(net, os="windows")
        began = net.clock.now()
        ran = await container.run("ping", "-n", "4", "127.0.0.1")
        assert ran.code == 0 and ran.out.count("Reply from 127.0.0.1") == 4 and 3 <= net.clock.now() - began < 4
        ran = await container.run("ping", "/n", "1", "/w", "500", "192.0.2.1")
        assert ran.code == 1 and "(100% loss)" in ran.out

    play(scene)


def test_powershell_runs_stand_ins_alone(monkeypatch):
    """A script with a known text runs its stand-in, with its arguments; any other is refused with its digest."""

    async def scene(net: Net) -> None:
        async def stand_in(process: Process) -> int:
            process.stdout.write(",".join(process.argv[1:]))
            return 4

        monkeypatch.setattr(powershell, "STAND_INS", {})
        powershell.register("Get-Thing\n", stand_in)
        container = Container(net, os="windows")
        container.files.write("C:\\s.ps1", b"\xef\xbb\xbfGet-Thing\r\n")
        ran = await container.run("powershell.exe", "-NoProfile", "-ExecutionPolicy", "Bypass", "-File", "C:\\s.ps1",
         "-A", "1")
        assert (ran.code, ran.out) == (4, "-A,1")
        ran = await container.run("pwsh", "-c", "Get-Other")
        assert ran.code == 127 and powershell.digest_of("Get-Other") in ran.err

    play(scene)
