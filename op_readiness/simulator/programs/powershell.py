"""PowerShell: a script whose text has a stand-in runs that, one of the small part that `pwsh` knows runs as written.

Any other is refused whole, before anything of it has run. Stand-ins are registered by the SHA-256 of the script's text
with LF line ends and no blank around it.
"""

from __future__ import annotations

import base64
import hashlib

from op_readiness.simulator.programs.process import Process, Program
from op_readiness.simulator.programs.pwsh.interpreter import Script
from op_readiness.simulator.programs.pwsh.syntax import Unsupported

STAND_INS: dict[str, Program] = {}
REFUSED = 127
NO_FILE = 0xFFFD0000
"""PowerShell's exit code for a script file that is not there (-196608)."""
_WITH_VALUE = ("-executionpolicy", "-ep", "-ex", "-version", "-inputformat", "-outputformat", "-windowstyle")


def digest_of(script: str) -> str:
    """The key of a script's stand-in."""
    return hashlib.sha256(script.replace("\r\n", "\n").strip().encode()).hexdigest()


def register(script: str, program: Program) -> None:
    """Give a script its stand-in."""
    STAND_INS[digest_of(script)] = program


async def powershell(process: Process) -> int:
    """The script's exit code, or 127 with what is not simulated and the digest that a stand-in would have."""
    try:
        script, rest, is_file = _script(process)
    except OSError as error:
        process.stderr.write(f"The argument '{error.filename}' to the -File parameter does not exist.\r\n")
        return NO_FILE
    child = process.child([process.argv[0], *rest], stdout=process.stdout, stderr=process.stderr, stdin=process.stdin)
    program = STAND_INS.get(digest_of(script))
    if program is not None:
        return await program(child)
    try:
        return await Script(child, script, file=is_file).run()
    except Unsupported as error:
        digest = digest_of(script)
        process.stderr.write(f"powershell: {error} is not simulated, and no stand-in has digest {digest}\r\n")
        return REFUSED


def _script(process: Process) -> tuple[str, list[str], bool]:
    """The text to run, the arguments that it gets, and whether it is a file's."""
    words = list(process.argv[1:])
    while words:
        word = words.pop(0)
        option = word.lower().replace("/", "-", 1)
        if option in ("-file", "-f") and words:
            return _file(process, words[0]), words[1:], True
        if option in ("-command", "-c"):
            return _command(process, words), [], False
        if option in ("-encodedcommand", "-e", "-ec", "-enc") and words:
            return base64.b64decode(words[0]).decode("utf-16-le", errors="replace"), words[1:], False
        if option in _WITH_VALUE:
            words = words[1:]
        elif not option.startswith("-"):
            if option.endswith(".ps1"):
                return _file(process, word), words, True
            return _command(process, [word, *words]), [], False
    return process.stdin.decode(errors="replace"), [], False


def _command(process: Process, words: list[str]) -> str:
    return process.stdin.decode(errors="replace") if words == ["-"] else " ".join(words)


def _file(process: Process, name: str) -> str:
    return process.files.read(process.path(name)).decode("utf-8-sig", errors="replace")
