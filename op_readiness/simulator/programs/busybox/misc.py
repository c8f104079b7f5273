"""The other applets: sleep, seq, expr, env, date, id, which, xargs, timeout and the like."""

from __future__ import annotations

import re
import time
from dataclasses import replace

from op_readiness.simulator.network.interface import TimedOut
from op_readiness.simulator.programs.busybox.applet import complain, options
from op_readiness.simulator.programs.process import Process
from op_readiness.simulator.programs.running import NotRunnable, execute, find
from op_readiness.simulator.programs.shell.arithmetic import ArithmeticFault, evaluate
from op_readiness.simulator.programs.shell.printing import echo_text, printf_text
from op_readiness.simulator.programs.shell.testing import TestFault, holds
from op_readiness.simulator.programs.waiting import within

_SUFFIXES = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
YES_LINES = 65536
"""`yes` ends here: pipes are buffers, and nobody reads more."""


async def sleep(process: Process) -> int:
    """Wait for the sum of its arguments; `infinity` never ends."""
    total = 0.0
    for word in process.argv[1:]:
        seconds = _seconds(word)
        if seconds is None:
            complain(process, f"invalid number '{word}'")
            return 1
        total += seconds
    if len(process.argv) < 2:
        complain(process, "missing operand")
        return 1
    await process.clock.sleep(total)
    return 0


def _seconds(word: str) -> float | None:
    if word in ("inf", "infinity"):
        return 1e9
    match = re.fullmatch(r"(\d+\.?\d*|\.\d+)([smhd]?)", word)
    return float(match[1]) * _SUFFIXES[match[2]] if match else None


async def usleep(process: Process) -> int:
    """Wait for microseconds."""
    await process.clock.sleep(int(process.argv[1]) / 1e6 if len(process.argv) > 1 else 0)
    return 0


async def seq(process: Process) -> int:
    """Numbers: [FIRST [STEP]] LAST, -w of equal width, -s SEPARATOR."""
    words, given = list(process.argv[1:]), {}
    while words and words[0] in ("-w", "-s"):
        option = words.pop(0)
        given[option] = words.pop(0) if option == "-s" and words else ""
    if not 1 <= len(words) <= 3 or not all(re.fullmatch(r"-?\d+(\.\d+)?", word) for word in words):
        complain(process, f"invalid number '{words[0]}'" if words else "missing operand")
        return 1
    numbers = [float(word) for word in words]
    first, step = (numbers[0] if len(numbers) > 1 else 1.0), (numbers[1] if len(numbers) == 3 else 1.0)
    digits = max(len(word.partition(".")[2]) for word in words)
    made, value = [], first
    while step and (value <= numbers[-1] + 1e-9 if step > 0 else value >= numbers[-1] - 1e-9):
        made.append(f"{value:.{digits}f}")
        value = first + step * len(made)
    width = max(map(len, made), default=0) if "-w" in given else 0
    if made:
        process.stdout.write(given.get("-s", "\n").join(text.zfill(width) for text in made) + "\n")
    return 0


async def true(process: Process) -> int:
    """0."""
    return 0


async def false(process: Process) -> int:
    """1."""
    return 1


async def echo(process: Process) -> int:
    """Its arguments."""
    process.stdout.write(echo_text(process.argv[1:]))
    return 0


async def printf(process: Process) -> int:
    """Its arguments, formatted."""
    text, problems = printf_text(process.argv[1] if len(process.argv) > 1 else "", process.argv[2:])
    process.stdout.write(text)
    for problem in problems:
        complain(process, problem)
    return 1 if problems else 0


async def test(process: Process) -> int:
    """A condition."""
    words = process.argv[1:]
    if re.split(r"[/\\]", process.argv[0])[-1].startswith("["):
        if words[-1:] != ["]"]:
            complain(process, "missing ]")
            return 2
        words = words[:-1]
    try:
        return 0 if holds(process, words) else 1
    except TestFault as fault:
        complain(process, str(fault))
        return 2


async def hostname(process: Process) -> int:
    """The container's host name; -i its address."""
    given, _ = options(process.argv[1:], "isfd")
    if "i" in given:
        process.stdout.write(" ".join(process.network.addresses) + "\n")
    else:
        process.stdout.write(process.hostname + "\n")
    return 0


async def whoami(process: Process) -> int:
    """The user's name."""
    process.stdout.write(user_name(process) + "\n")
    return 0


async def identity(process: Process) -> int:
    """`id`: -u and -g give numbers, with -n names."""
    given, _ = options(process.argv[1:], "ugnG")
    uid = user_id(process)
    name = user_name(process)
    if "u" in given or "g" in given or "G" in given:
        process.stdout.write(f"{name if 'n' in given else uid}\n")
    else:
        process.stdout.write(f"uid={uid}({name}) gid={uid}({name})\n" if name else f"uid={uid} gid={uid}\n")
    return 0


def user_id(process: Process) -> int:
    """The numeric user of a Linux process."""
    text = process.user.partition(":")[0]
    return int(text) if text.isdigit() else 0


def user_name(process: Process) -> str:
    """The user's name as the container knows it."""
    if process.windows:
        return process.user.rpartition("\\")[2] or "ContainerAdministrator"
    uid = user_id(process)
    return {0: "root", 1000: "user-defined-in-image", 65534: "nobody"}.get(uid, f"{uid}")


async def env(process: Process) -> int:
    """The environment, or a program in a changed one (NAME=VALUE, -i, -u NAME)."""
    words, values = list(process.argv[1:]), dict(process.env)
    while words and (words[0] in ("-i", "-", "-u") or ("=" in words[0] and not words[0].startswith("-"))):
        word = words.pop(0)
        if word == "-u":
            values.pop(words.pop(0) if words else "", None)
        elif word in ("-i", "-"):
            values = {}
        else:
            name, _, value = word.partition("=")
            values[name] = value
    if not words:
        process.stdout.write("".join(f"{name}={value}\n" for name, value in values.items()))
        return 0
    return await _run(process, words, replace(process, argv=words, env=values))


async def _run(process: Process, words: list[str], child: Process) -> int:
    try:
        found = find(child, words[0])
    except NotRunnable:
        complain(process, f"can't execute '{words[0]}': No such file or directory")
        return 127
    return await execute(child, found)


async def printenv(process: Process) -> int:
    """Values of variables; 1 if one is not set."""
    names = process.argv[1:]
    if not names:
        return await env(replace(process, argv=["env"]))
    process.stdout.write("".join(process.env[name] + "\n" for name in names if name in process.env))
    return 0 if all(name in process.env for name in names) else 1


async def date(process: Process) -> int:
    """The time: +FORMAT, -u, -Iseconds."""
    words = [word for word in process.argv[1:] if word not in ("-u", "-R")]
    now = process.clock.time()
    moment = time.gmtime(now)
    if not words:
        process.stdout.write(time.strftime("%a %b %e %H:%M:%S UTC %Y\n", moment))
    elif words[0].startswith("+"):
        nanoseconds = f"{int(now % 1 * 10**9):09d}"
        template = words[0][1:].replace("%N", nanoseconds).replace("%s", str(int(now)))
        process.stdout.write(time.strftime(template, moment) + "\n")
    elif words[0].startswith("-I"):
        process.stdout.write(time.strftime("%Y-%m-%dT%H:%M:%S+00:00\n", moment))
    else:
        complain(process, f"invalid date '{words[0]}'")
        return 1
    return 0


async def expr(process: Process) -> int:
    """Arithmetic and comparison of its arguments; 1 when the result is empty or 0."""
    words = process.argv[1:]
    try:
        value = _expr(words)
    except ArithmeticFault as fault:
        complain(process, "division by zero" if "zero" in str(fault) else "syntax error")
        return 2
    process.stdout.write(value + "\n")
    return 1 if value in ("", "0") else 0


def _expr(words: list[str]) -> str:
    if len(words) == 2 and words[0] == "length":
        return str(len(words[1]))
    if len(words) == 3 and words[1] in ("=", "!=", ":"):
        if words[1] == ":":
            match = re.match(re.sub(r"\\([()])", r"\1", words[2]), words[0])
            return (match[1] if match and match.groups() else str(len(match[0]))) if match else ""
        return str(int((words[0] == words[2]) == (words[1] == "=")))
    if len(words) == 1:
        return words[0]
    changed = ["==" if word == "=" else "||" if word == "|" else "&&" if word == "&" else word for word in words]
    return str(evaluate(" ".join(changed), {}))


async def basename(process: Process) -> int:
    """A path's last part, without a suffix if one is given."""
    name = process.argv[1].rstrip("/").rsplit("/", 1)[-1] if len(process.argv) > 1 else ""
    process.stdout.write((name.removesuffix(process.argv[2]) if len(process.argv) > 2 else name) + "\n")
    return 0


async def dirname(process: Process) -> int:
    """A path's folder."""
    folder, slash, _ = (process.argv[1].rstrip("/") if len(process.argv) > 1 else "").rpartition("/")
    process.stdout.write((folder or ("/" if slash else ".")) + "\n")
    return 0


async def which(process: Process) -> int:
    """Where programs are; 1 if one is nowhere."""
    status = 0
    for name in process.argv[1:]:
        try:
            process.stdout.write(find(process, name).path + "\n")
        except NotRunnable:
            status = 1
    return status


async def pwd(process: Process) -> int:
    """The working directory."""
    process.stdout.write(process.cwd + "\n")
    return 0


async def uname(process: Process) -> int:
    """The system's name: -a all, -r release, -n host, -m machine."""
    given, _ = options(process.argv[1:], "asnrvmo")
    system = "Windows_NT" if process.windows else "Linux"
    values = {"s": system, "n": process.hostname, "r": "10.0" if process.windows else "6.8.0", "m": "x86_64"}
    wanted = [kind for kind in "snrm" if kind in given or "a" in given] or ["s"]
    process.stdout.write(" ".join(values[kind] for kind in wanted) + "\n")
    return 0


async def ps(process: Process) -> int:
    """The processes that can be seen: its own."""
    process.stdout.write("PID   USER     TIME  COMMAND\n")
    process.stdout.write(f"    1 {user_name(process):<8}  0:00 {' '.join(process.argv)}\n")
    return 0


async def xargs(process: Process) -> int:
    """A command with the words of its input: -n N at a time, -I NAME one line at a time."""
    given, words = {}, list(process.argv[1:])
    while words and words[0].startswith("-"):
        option = words.pop(0)
        if option[:2] in ("-n", "-I"):
            given[option[:2]] = option[2:] or (words.pop(0) if words else "")
    text = process.stdin.decode(errors="surrogateescape")
    command = words or ["echo"]
    if "-I" in given:
        calls = [[word.replace(given["-I"], line.strip()) for word in command] for line in text.splitlines() if line]
    else:
        items = text.split()
        size = int(given.get("-n", "0")) or max(1, len(items))
        calls = [[*command, *items[i : i + size]] for i in range(0, len(items), size)]
    status = 0
    for call in calls:
        child = process.child(call, stdout=process.stdout, stderr=process.stderr, stdin=b"")
        code = await _run(process, call, child)
        status = 123 if code and code != 127 else code or status
    return status


async def timeout(process: Process) -> int:
    """A command that is ended (143) when it takes longer: `timeout [-s SIG] [-k N] SECONDS COMMAND`."""
    words = list(process.argv[1:])
    while words and words[0].startswith("-"):
        words = words[2:] if words[0] in ("-s", "-k") else words[1:]
    seconds = _seconds(words[0]) if words else None
    if seconds is None or len(words) < 2:
        complain(process, "missing operand")
        return 1
    child = process.child(words[1:], stdout=process.stdout, stderr=process.stderr, stdin=process.stdin)
    try:
        return await within(process.clock, seconds, _run(process, words[1:], child))
    except TimedOut:
        return 143


async def yes(process: Process) -> int:
    """The same line again and again."""
    process.stdout.write((" ".join(process.argv[1:] or ["y"]) + "\n") * YES_LINES)
    return 0


async def kill(process: Process) -> int:
    """Signals to other processes: none can be seen from here."""
    for word in process.argv[1:]:
        if not word.startswith("-"):
            complain(process, f"can't kill pid {word}: No such process")
    return 1
