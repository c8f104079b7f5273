"""The simulator as a process that writes every request to its API server to a file, one JSON line each.

python -m tests.recording.logged_simulator SPEC.json LOG
"""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path

from aiohttp import web

from op_readiness.simulator import __main__ as simulator
from op_readiness.simulator.controlplane.serving.handlers import Handlers


def main(spec: str, log: str) -> None:
    handle = Handlers.handle

    async def logged(self: Handlers, http: web.BaseRequest) -> web.StreamResponse:
        headers = {name: http.headers.get(name, "") for name in ("Accept", "Content-Type", "User-Agent")}
        body = b"" if http.headers.get("Upgrade") else await http.read()
        request = {"method": http.method, "path": http.path, "query": list(http.query.items())}
        _append(Path(log), {**request, "body": base64.b64encode(body).decode(), **headers})
        return await handle(self, http)

    Handlers.handle = logged  # type: ignore[method-assign]
    sys.exit(simulator.main([spec]))


def _append(log: Path, request: dict[str, object]) -> None:
    with log.open("a") as lines:
        lines.write(json.dumps(request) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:3])
