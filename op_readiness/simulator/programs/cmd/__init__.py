"""cmd.exe: `cmd /c LINE`, `/s /c`, batch files without labels, or lines on standard input."""

from __future__ import annotations

from dataclasses import replace

from op_readiness.simulator.programs.cmd.commandline import after_switch
from op_readiness.simulator.programs.cmd.interpreter import Cmd
from op_readiness.simulator.programs.process import Process
from op_readiness.simulator.programs.shell.streams import Input, Streams
from op_readiness.simulator.programs.windowsbuild import build_of


async def cmd(process: Process) -> int:
    """The exit code of one cmd.exe."""
    process = replace(process, env=dict(process.env))
    text, _ = after_switch(process.argv[1:])
    interpreter = Cmd(process)
    streams = Streams(Input(process.stdin), process.stdout, process.stderr)
    if text is None:
        return await _interactive(process, interpreter, streams)
    path = text.strip().strip('"')
    if path.lower().endswith((".cmd", ".bat")) and process.files.exists(process.path(path)):
        data = process.files.read(process.path(path)).decode(errors="replace")
        return await interpreter.run_text(data.replace("%%", "%"), streams)
    return await interpreter.run_text(text, streams)


async def _interactive(process: Process, interpreter: Cmd, streams: Streams) -> int:
    """Greet and run what comes on standard input, as cmd does without a terminal."""
    streams.out.write(f"Microsoft Windows [Version {build_of(process)}]\r\n(c) Microsoft Corporation.\r\n\r\n")
    text = process.stdin.decode(errors="replace")
    return await interpreter.run_text(text, replace(streams, input=Input()))
