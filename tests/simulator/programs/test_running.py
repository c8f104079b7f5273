"""Finding programs, and what the runtime says when there is none."""

from __future__ import annotations

import pytest

from op_readiness.simulator.programs import UnknownProgram, run
from op_readiness.simulator.programs.running import STATUS_CONTROL_C_EXIT

from .containers import Container, Net, play


@pytest.mark.parametrize(
    ("os", "program", "words"),
    [
        ("linux", "nosuch", 'exec: "nosuch": executable file not found in $PATH'),
        ("linux", "/no/such", 'exec: "/no/such": stat /no/such: no such file or directory'),
        ("linux", "/etc/passwd", 'exec: "/etc/passwd": permission denied'),
        ("windows", "nosuch.exe", "The system cannot find the file specified."),
    ],
)
def test_unknown_programs_are_refused_in_the_runtimes_words(os, program, words):
    """A command that the image lacks never starts."""

    async def scene(net: Net) -> None:
        with pytest.raises(UnknownProgram) as caught:
            await run(Container(net, os=os).process(program))
        assert str(caught.value) == words

    play(scene)


@pytest.mark.parametrize("program", ["/agnhost", "C:\\agnhost", "agnhost", "/agnhost-2"])
def test_agnhost_is_found_on_windows_without_an_extension(program):
    """The image's file has no .exe and starts all the same."""

    async def scene(net: Net) -> None:
        ran = await Container(net, os="windows").run(program, "entrypoint-tester", "x y")
        assert ran.out == f"[{program} entrypoint-tester x y]\n"

    play(scene)


def test_host_process_needs_an_extension():
    """In a HostProcess container agnhost has to be copied to agnhost.exe first."""

    async def scene(net: Net) -> None:
        container = Container(net, os="windows")
        container.pod = {"spec": {"securityContext": {"windowsOptions": {"hostProcess": True}}}}
        container.user = "NT AUTHORITY\\SYSTEM"
        with pytest.raises(UnknownProgram):
            await run(container.process("/agnhost", "pause"))
        ran = await container.run("cmd", "/C", "copy c:\\agnhost c:\\a.exe && c:\\a.exe entrypoint-tester")
        assert ran.out == "        1 file(s) copied.\r\n[c:\\a.exe entrypoint-tester]\n"

    play(scene)


@pytest.mark.parametrize(
    ("os", "command", "code"),
    [
        ("linux", ("/agnhost", "pause"), 2),
        ("linux", ("/agnhost", "test-webserver"), 2),
        ("linux", ("/agnhost", "netexec"), 0),
        ("windows", ("/agnhost", "porter"), STATUS_CONTROL_C_EXIT),
        ("windows", ("cmd", "/c", "ping -t 127.0.0.1"), STATUS_CONTROL_C_EXIT),
        ("linux", ("sh", "-c", "/agnhost liveness"), 2),
    ],
)
def test_sigterm_ends_a_first_process_as_its_kind_does(os, command, code):
    """Exit codes after SIGTERM are those of the program's own handler, of Go, or of Windows."""

    async def scene(net: Net) -> None:
        process, task = await Container(net, os=os).start(*command)
        process.stop.set()
        assert (await Container(net).finish(process, task)).code == code
        assert not process.network.servers

    play(scene)


def test_a_linux_shell_as_first_process_ignores_sigterm():
    """Without a trap it goes on until it is killed; with one it runs it."""

    async def scene(net: Net) -> None:
        container = Container(net)
        process, task = await container.start("sh", "-c", "sleep 5; echo over")
        process.stop.set()
        await net.clock.turn(1)
        assert not task.done()
        assert (await container.finish(process, task)).out == "over\n"
        process, task = await container.start("sh", "-c", "trap 'echo bye; exit 3' TERM; while :; do sleep 1; done")
        process.stop.set()
        ran = await container.finish(process, task)
        assert (ran.code, ran.out) == (3, "bye\n")

    play(scene)


def test_scripts_run_by_their_first_line():
    """An executable text file is run by the interpreter that it names, another text file is not run."""

    async def scene(net: Net) -> None:
        container = Container(net)
        container.files.write("/run.sh", b"#!/bin/sh\necho $0 $1\n", mode=0o755)
        assert (await container.run("/run.sh", "a")).out == "/run.sh a\n"

    play(scene)


def test_nginx_greets_and_logs():
    """The e2e nginx image serves its page and 404s, and ends with 0."""

    async def scene(net: Net) -> None:
        process, task = await Container(net, "10.244.1.8", image="nginx:1.28.0-2").start("nginx", "-g", "daemon off;")
        ran = await Container(net).run("curl", "-s", "-w", "%{http_code}", "10.244.1.8/", "10.244.1.8/x")
        assert "Welcome to nginx!" in ran.out and ran.out.endswith("404")
        assert b'"GET /x HTTP/1.1" 404' in bytes(process.stdout.data)
        process.stop.set()
        await net.clock.turn(0)
        assert task.result() == 0

    play(scene)
