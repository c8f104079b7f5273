"""`python -m op_readiness.simulator SPEC.json`: one simulated cluster in the foreground.

When it is ready it prints one JSON line (kubeconfig, server, control, control_token, and what its operator
would tell a tester: inputs) and lives until its standard input
ends or it gets SIGTERM or SIGINT. What cannot be started is one line on stderr and exit code 3.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import signal
import sys
from pathlib import Path

from op_readiness.simulator.api import ApiError
from op_readiness.simulator.cluster import SimulatedCluster
from op_readiness.simulator.control import ControlApi
from op_readiness.simulator.faults.words import FaultError
from op_readiness.simulator.processes import StartFailed
from op_readiness.simulator.spec import Spec, parse_spec

USAGE, START_FAILED = 2, 3


def main(argv: list[str]) -> int:
    """The exit code."""
    if len(argv) != 1:
        return _complain("usage: python -m op_readiness.simulator SPEC.json", USAGE)
    try:
        spec = parse_spec(json.loads(Path(argv[0]).read_text()))
    except (OSError, ValueError) as error:
        return _complain(f"{argv[0]}: {error}", START_FAILED)
    except StartFailed as error:
        return _complain(str(error), START_FAILED)
    try:
        if asyncio.run(_serve(spec)) and spec.temporary:
            shutil.rmtree(spec.folder, ignore_errors=True)
    except (StartFailed, FaultError) as error:
        return _complain(str(error), START_FAILED)
    except ApiError as error:
        return _complain(f"the API server does not take what a new cluster needs: {error}", START_FAILED)
    return 0


async def _serve(spec: Spec) -> bool:
    """Whether it was the end of standard input that ended it."""
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, end.set)
    async with contextlib.AsyncExitStack() as opened:
        cluster = SimulatedCluster(spec)
        starting = asyncio.ensure_future(cluster.start())
        ending = asyncio.ensure_future(end.wait())
        await asyncio.wait([starting, ending], return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
            return False
        access = starting.result()
        opened.push_async_callback(cluster.stop)
        control = ControlApi(cluster)
        url = await control.start()
        opened.push_async_callback(control.stop)
        ready = {
            "kubeconfig": access.kubeconfig, "server": access.server, "control": url, "control_token": control.token,
            "inputs": {"gmsa": cluster.world.directory.inputs()} if cluster.world.directory else {},
        }  # fmt: skip
        print(json.dumps(ready), flush=True)  # noqa: T201 (the one line that callers read)
        closing = asyncio.ensure_future(_input_ended())
        await asyncio.wait([ending, closing], return_when=asyncio.FIRST_COMPLETED)
        closing.cancel()
        return not ending.done()


async def _input_ended() -> None:
    """Wait for the end of standard input, whatever comes before it."""
    reader = asyncio.StreamReader()
    try:
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    except (ValueError, OSError, NotImplementedError):
        await asyncio.Event().wait()
    while await reader.read(4096):
        pass


def _complain(line: str, code: int) -> int:
    print(line.splitlines()[0] if line else "", file=sys.stderr)  # noqa: T201
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
