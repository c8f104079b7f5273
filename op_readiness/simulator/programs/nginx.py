"""nginx of the e2e image on Linux: its default page on port 80, files below its document root, 404 for the rest."""

from __future__ import annotations

from op_readiness.simulator.network.interface import HttpRequest, HttpResponse, Peer
from op_readiness.simulator.programs.goserver import ListenFailed, answer, ports
from op_readiness.simulator.programs.process import Process

ROOT = "/usr/share/nginx/html"
SERVER = "nginx/1.28.0"
_NOT_FOUND = f"""<html>\r
<head><title>404 Not Found</title></head>\r
<body>\r
<center><h1>404 Not Found</h1></center>\r
<hr><center>{SERVER}</center>\r
</body>\r
</html>\r
"""


async def nginx(process: Process) -> int:
    """0 after SIGTERM, 1 if the port is taken."""

    async def http(request: HttpRequest, peer: Peer) -> HttpResponse:
        path = request.target.partition("?")[0]
        name = ROOT + (path + "index.html" if path.endswith("/") else path)
        headers = {"Server": SERVER, "Content-Type": "text/html"}
        found = process.files.exists(name) and not process.files.is_folder(name)
        response = answer(process.files.read(name), 200, headers) if found else answer(_NOT_FOUND, 404, headers)
        agent = request.headers.get("User-Agent", "-")
        line = f'"{request.method} {request.target} HTTP/1.1" {response.status} {len(response.body)} "-" "{agent}"'
        process.stdout.write(f"{peer.ip} - - {line}\n")
        return response

    with ports(process) as held:
        try:
            held.http(80, http)
        except ListenFailed:
            process.stderr.write("nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address in use)\n")
            return 1
        await process.stop.wait()
    return 0
