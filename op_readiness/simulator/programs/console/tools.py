"""Small Windows console programs: hostname, whoami, findstr, find, sort, more, where, timeout, chcp, net localgroup."""

from __future__ import annotations

import re

from op_readiness.simulator.programs.cmd.interpreter import error_text
from op_readiness.simulator.programs.cmd.names import matching
from op_readiness.simulator.programs.console.netuse import use
from op_readiness.simulator.programs.process import Process
from op_readiness.simulator.programs.running import NotRunnable, find
from op_readiness.simulator.programs.windowsusers import GROUPS, SIDS, SYSTEM_USERS


async def hostname(process: Process) -> int:
    """The host name, whole."""
    process.stdout.write(process.hostname + "\r\n")
    return 0


async def whoami(process: Process) -> int:
    """domain\\user in lower case; a local group's user has the host for its domain. `/user` adds the SID."""
    user = process.user or "ContainerAdministrator"
    known = SYSTEM_USERS.get(user.lower())
    if known is None and process.host_process:
        known = f"{process.hostname}\\{user.rpartition(chr(92))[2]}".lower()
    if any(word.lower() == "/user" for word in process.argv[1:]):
        return _user_with_sid(process, known or f"user manager\\{user.rpartition(chr(92))[2]}".lower())
    process.stdout.write((known or f"user manager\\{user.rpartition(chr(92))[2]}".lower()) + "\r\n")
    return 0


def _user_with_sid(process: Process, name: str) -> int:
    sid = SIDS.get(name)
    if sid is None:
        process.stderr.write(f"whoami /user: the SID of {name} is not simulated\r\n")
        return 1
    width = max(len(name), len("User Name"))
    head = f"{'User Name':<{width}} SID\r\n{'=' * width} {'=' * len(sid)}\r\n"
    process.stdout.write(f"\r\nUSER INFORMATION\r\n----------------\r\n\r\n{head}{name:<{width}} {sid}\r\n")
    return 0


async def findstr(process: Process) -> int:
    """Lines with any of some words: /i /v /c:"text" /r /n /m /x; 1 when there is none."""
    switches, patterns, names = _findstr_words(process.argv[1:])
    if not patterns:
        process.stderr.write("FINDSTR: Bad command line\r\n")
        return 2
    literal = "l" in switches or not ("r" in switches or any(re.search(r"[.*\[\]^$\\]", p) for p in patterns))
    expression = re.compile(
        "|".join(re.escape(p) if literal else p.replace(r"\<", r"\b").replace(r"\>", r"\b") for p in patterns),
        re.I if "i" in switches else 0,
    )
    return _lines_with(process, names, expression, switches)


def _findstr_words(words: list[str]) -> tuple[set[str], list[str], list[str]]:
    switches: set[str] = set()
    patterns: list[str] = []
    rest: list[str] = []
    for word in words:
        match = re.fullmatch(r"/([a-zA-Z]+)(?::(.*))?", word, re.S)
        if match is None:
            rest.append(word)
        elif match[1].lower() == "c" and match[2] is not None:
            patterns.append(match[2])
        else:
            switches |= set(match[1].lower())
    if not patterns and rest:
        patterns = rest.pop(0).split()
    return switches, patterns, rest


async def find_text(process: Process) -> int:
    """find "text" [file]: /i /v /c /n; 1 when there is none."""
    switches = {word[1:].lower() for word in process.argv[1:] if word.startswith("/")}
    words = [word for word in process.argv[1:] if not word.startswith("/")]
    if not words:
        process.stderr.write("FIND: Parameter format not correct\r\n")
        return 2
    expression = re.compile(re.escape(words[0]), re.I if "i" in switches else 0)
    return _lines_with(process, words[1:], expression, switches)


def _lines_with(process: Process, names: list[str], expression: re.Pattern[str], switches: set[str]) -> int:
    found = 0
    paths = [path for name in names for path in matching(process, name) or [process.path(name)]]
    for path in paths or [""]:
        try:
            data = process.files.read(path) if path else process.stdin
        except OSError:
            process.stderr.write(f"FINDSTR: Cannot open {path}\r\n")
            continue
        prefix = f"{process.files.parts(path)[-1]}:" if len(paths) > 1 else ""
        for number, line in enumerate(data.decode(errors="replace").splitlines(), 1):
            hit = expression.fullmatch(line) if "x" in switches else expression.search(line)
            if (hit is None) == ("v" in switches):
                found += 1
                if "c" not in switches:
                    process.stdout.write(f"{prefix}{f'{number}:' if 'n' in switches else ''}{line}\r\n")
    if "c" in switches:
        process.stdout.write(f"{found}\r\n")
    return 0 if found else 1


async def sort(process: Process) -> int:
    """Sorted lines; /r backwards."""
    words = [word for word in process.argv[1:] if not word.startswith("/")]
    try:
        data = process.files.read(process.path(words[0])) if words else process.stdin
    except OSError as error:
        process.stderr.write(error_text(error) + "\r\n")
        return 1
    rows = sorted(data.decode(errors="replace").splitlines(), key=str.lower, reverse="/r" in process.argv[1:])
    process.stdout.write("".join(row + "\r\n" for row in rows))
    return 0


async def more(process: Process) -> int:
    """Text through, lines with CRLF."""
    names = process.argv[1:]
    try:
        data = process.files.read(process.path(names[0])) if names else process.stdin
    except OSError:
        process.stderr.write(f"Cannot access file {names[0]}\r\n")
        return 1
    process.stdout.write("".join(row + "\r\n" for row in data.decode(errors="replace").splitlines()))
    return 0


async def where(process: Process) -> int:
    """Where programs are; 1 if one is nowhere."""
    code = 0
    for name in process.argv[1:]:
        try:
            process.stdout.write(find(process, name, extensions_only=True).path + "\r\n")
        except NotRunnable:
            process.stderr.write("INFO: Could not find files for the given pattern(s).\r\n")
            code = 1
    return code


async def timeout(process: Process) -> int:
    """Wait for seconds: /t N /nobreak. Without a console it refuses, as the real one does."""
    process.stderr.write("ERROR: Input redirection is not supported, exiting the process immediately.\r\n")
    return 1


async def chcp(process: Process) -> int:
    """The code page."""
    words = process.argv[1:]
    process.stdout.write(f"Active code page: {words[0] if words else '437'}\r\n")
    return 0


async def net(process: Process) -> int:
    """net localgroup [NAME [/add|/delete]] and net use; anything else is refused."""
    words = process.argv[1:]
    if words and words[0].lower() == "use":
        return await use(process)
    if not words or words[0].lower() != "localgroup":
        process.stderr.write(f"net {' '.join(words[:1])}: is not simulated\r\n")
        return 1
    names = [word for word in words[1:] if not word.startswith("/")]
    switches = {word.lower() for word in words[1:] if word.startswith("/")}
    if not names:
        groups = process.files.listdir(GROUPS) if process.files.exists(GROUPS) else []
        text = "".join(f"*{name}\r\n" for name in ["Administrators", *groups])
        process.stdout.write(f"\r\nAliases for \\\\{process.hostname}\r\n\r\n{text}")
        return _completed(process)
    return _group(process, names[0], switches)


def _group(process: Process, name: str, switches: set[str]) -> int:
    path = f"{GROUPS}\\{name}"
    known = process.files.exists(path)
    if "/add" in switches:
        if known:
            return _system_error(process, 1379, "The specified local group already exists.")
        process.files.makedirs(GROUPS)
        process.files.write(path, b"")
        return _completed(process)
    if not known:
        return _system_error(process, 1376, "The specified local group does not exist.")
    if "/delete" in switches:
        process.files.remove(path)
    else:
        process.stdout.write(f"Alias name     {name}\r\nComment        \r\n\r\nMembers\r\n\r\n{'-' * 79}\r\n")
    return _completed(process)


def _completed(process: Process) -> int:
    process.stdout.write("The command completed successfully.\r\n\r\n")
    return 0


def _system_error(process: Process, number: int, text: str) -> int:
    process.stderr.write(f"System error {number} has occurred.\r\n\r\n{text}\r\n\r\n")
    return 2


async def hostname_of_image(process: Process) -> int:
    """The small hostname.exe that the e2e images put before Windows' own: no newline is added; -i the address."""
    address = next(iter(process.network.addresses), "")
    process.stdout.write(address if "-i" in process.argv[1:] else process.hostname)
    return 0

