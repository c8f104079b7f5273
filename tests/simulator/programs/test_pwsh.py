"""The small part of PowerShell that runs; everything else is refused before it begins."""

from __future__ import annotations

import pytest

from tests.simulator.programs.containers import Container, Net, Ran, play


def ran(*words: str, env: dict[str, str] | None = None, files: dict[str, str] | None = None) -> Ran:
    """A command in a Windows container of the e2e BusyBox image."""
    seen: list[Ran] = []

    async def scene(net: Net) -> None:
        container = Container(net, os="windows", image="busybox:1.37")
        container.env |= env or {}
        for path, text in (files or {}).items():
            container.files.write(path, text.encode())
        seen.append(await container.run(*words))

    play(scene)
    return seen[0]


@pytest.mark.parametrize(
    ("script", "code", "out"),
    [
        ("Write-Host 'Hello'; sleep -Seconds 600", 0, "Hello\r\n"),
        ("Write-Output \"a $(hostname) b\"", 0, "a pod-a b\r\n"),
        ("& {if ('POD-A' -ine \"$(hostname)\") { exit -1 }}", 0, ""),
        ("& {if ('other' -ine \"$(hostname)\") { exit -1 }}", 0xFFFFFFFF, ""),
        ("if (1 -eq 2) { 'one' } elseif ('a' -ceq 'A') { 'two' } else { \"three $true\" }", 0, "three True\r\n"),
        ("$a = 'x'; if (-not($a -ne 'x') -and (Test-Path C:\\bin)) { \"$a`t$env:WORD\" }", 0, "x\tw\r\n"),
        ("# nothing\n'it''s'", 0, "it's\r\n"),
        ("Get-ChildItem C:\\none", 1, ""),
        ("exit 7", 7, ""),
    ],
)  # fmt: skip
def test_scripts(script: str, code: int, out: str) -> None:
    """What a script of the small part says, and its exit code."""
    result = ran("powershell.exe", "-Command", script, env={"WORD": "w"})
    assert (result.code, result.out) == (code, out), result


def test_files() -> None:
    """Content goes in and comes out; parameters may be shortened; a thrown text goes to standard error."""
    assert ran("powershell", "-c", "Set-content", "-Path", "/f.txt", "-V", "test").code == 0
    script = "$c = gc -Path $env:ROOT\\f.txt\nif ($c -ne 'one') {\n  throw \"not $c\"\n}\nWrite-Output 'SUCCESS'"
    good = ran("powershell.exe", "./s.ps1", files={"C:\\s.ps1": script, "C:\\f.txt": "one\r\n"}, env={"ROOT": "C:"})
    assert (good.code, good.out) == (0, "SUCCESS\r\n")
    bad = ran("powershell.exe", "./s.ps1", files={"C:\\s.ps1": script, "C:\\f.txt": "two\r\n"}, env={"ROOT": "C:"})
    assert (bad.code, bad.err) == (1, "Exception: not two\r\n")
    assert ran("powershell.exe", "-File", "none.ps1").code == 0xFFFD0000


@pytest.mark.parametrize(
    "script",
    ["Write-Host 'a'; Get-HnsEndpoint", "echo a | more", "$a.Length", "foreach ($a in 1..3) { $a }", "ls -Recurse"],
)
def test_the_rest_is_refused(script: str) -> None:
    """Nothing of such a script runs."""
    result = ran("powershell.exe", "-Command", script)
    assert result.code == 127 and not result.out and "is not simulated" in result.err
