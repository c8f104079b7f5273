"""PowerShell cannot be simulated, only recognised: a script whose text has a stand-in runs that, any other is refused.

Stand-ins are registered by the SHA-256 of the script's text with LF line ends and no blank around it.
"""

from __future__ import annotations

import base64
import hashlib

from op_readiness.simulator.programs.process import Process, Program

STAND_INS: dict[str, Program] = {}
REFUSED = 127
_WITH_VALUE = ("-executionpolicy", "-ep", "-ex", "-version", "-inputformat", "-outputformat", "-windowstyle")


def digest_of(script: str) -> str:
    """The key of a script's stand-in."""
    return hashlib.sha256(script.replace("\r\n", "\n").strip().encode()).hexdigest()


def register(script: str, program: Program) -> None:
    """Give a script its stand-in."""
    STAND_INS[digest_of(script)] = program


async def powershell(process: Process) -> int:
    """The stand-in's exit code, or 127 with the digest of what has none."""
    script, rest = _script(process)
    program = STAND_INS.get(digest_of(script))
    if program is None:
        process.stderr.write(f"powershell: no stand-in for the script with digest {digest_of(script)}\r\n")
        return REFUSED
    return await program(process.child([process.argv[0], *rest], stdout=process.stdout, stderr=process.stderr,
                                       stdin=process.stdin))  # fmt: skip


def _script(process: Process) -> tuple[str, list[str]]:
    """The text to run and the arguments that it gets."""
    words = list(process.argv[1:])
    while words:
        word = words.pop(0)
        option = word.lower().replace("/", "-", 1)
        if option in ("-file", "-f") and words:
            return _file(process, words[0]), words[1:]
        if option in ("-command", "-c"):
            return _command(process, words), []
        if option in ("-encodedcommand", "-e", "-ec", "-enc") and words:
            return base64.b64decode(words[0]).decode("utf-16-le", errors="replace"), words[1:]
        if option in _WITH_VALUE:
            words = words[1:]
        elif not option.startswith("-"):
            if option.endswith(".ps1"):
                return _file(process, word), words
            return _command(process, [word, *words]), []
    return process.stdin.decode(errors="replace"), []


def _command(process: Process, words: list[str]) -> str:
    return process.stdin.decode(errors="replace") if words == ["-"] else " ".join(words)


def _file(process: Process, name: str) -> str:
    try:
        return process.files.read(process.path(name)).decode("utf-8-sig", errors="replace")
    except OSError:
        return ""
