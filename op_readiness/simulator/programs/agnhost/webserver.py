"""agnhost test-webserver: the container's file system over HTTP, as Go's http.FileServer gives it."""

from __future__ import annotations

import mimetypes
import re
from email.utils import formatdate
from urllib.parse import quote, unquote

from op_readiness.simulator.network.interface import HttpRequest, HttpResponse, Peer
from op_readiness.simulator.programs.agnhost.flags import Flag, Given, Subcommand
from op_readiness.simulator.programs.agnhost.serving import not_found, serve_for_ever
from op_readiness.simulator.programs.files import Folder
from op_readiness.simulator.programs.golang import html_escaped
from op_readiness.simulator.programs.goserver import answer, error, guess_type, header
from op_readiness.simulator.programs.process import Process

COMMAND = Subcommand(
    "test-webserver", "Starts a simple HTTP fileserver", (Flag("port", "int", 80, "Port number."),)
)
HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Credentials": "true",
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "DNT,X-Mx-ReqToken,Keep-Alive,User-Agent,X-Requested-With,Cache-Control,"
    "Content-Type",
}
PATH_SIGNS = "/$&+,:;=@"
"""What net/url leaves as it is in a path, beside letters and digits."""
_TEXT = {".html": "text/html; charset=utf-8", ".htm": "text/html; charset=utf-8", ".txt": "text/plain; charset=utf-8",
         ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".xml": "text/xml; charset=utf-8",
         ".json": "application/json"}  # fmt: skip


async def main(process: Process, given: Given) -> int:
    """Serve the root of the file system."""

    async def http(request: HttpRequest, peer: Peer) -> HttpResponse:
        response = _answer(process, request)
        private = {} if response.status in (404, 416) else {"Cache-Control": "private"}
        response.headers = {**HEADERS, **private, **response.headers}
        return response

    return await serve_for_ever(process, given["port"], http)


def _answer(process: Process, request: HttpRequest) -> HttpResponse:
    path = unquote(request.target.partition("?")[0])
    if path.endswith("/index.html"):
        return answer(b"", 301, {"Location": "./"})
    entry = process.files.entry(path)
    if entry is None:
        return not_found()
    if isinstance(entry, Folder):
        return _folder(process, path, request)
    if path.endswith("/"):
        return answer(b"", 301, {"Location": "../" + quote(path.rstrip("/").rsplit("/", 1)[-1])})
    return _file(process, path, request)


def _folder(process: Process, path: str, request: HttpRequest) -> HttpResponse:
    if not path.endswith("/"):
        return answer(b"", 301, {"Location": quote(path.rsplit("/", 1)[-1]) + "/"})
    if process.files.exists(path + "index.html"):
        return _file(process, path + "index.html", request)
    return _listing(process, path)


def _listing(process: Process, path: str) -> HttpResponse:
    lines = []
    for name in process.files.listdir(path):
        shown = name + ("/" if process.files.is_folder(process.files.join(path, name)) else "")
        lines.append(f'<a href="{quote(shown, safe=PATH_SIGNS)}">{html_escaped(shown)}</a>\n')
    text = '<!doctype html>\n<meta name="viewport" content="width=device-width">\n<pre>\n' + "".join(lines) + "</pre>\n"
    return answer(text, headers={"Content-Type": "text/html; charset=utf-8"})


def _file(process: Process, path: str, request: HttpRequest) -> HttpResponse:
    try:
        data = process.files.read(path)
    except OSError:
        return answer("500 Internal Server Error\n", 500, {"Content-Type": "text/plain; charset=utf-8"})
    suffix = "." + path.rsplit(".", 1)[-1] if "." in path.rsplit("/", 1)[-1] else ""
    kind = _TEXT.get(suffix) or mimetypes.types_map.get(suffix) or guess_type(data)
    entry = process.files.stat(path)
    headers = {"Content-Type": kind, "Accept-Ranges": "bytes", "Last-Modified": formatdate(entry.modified, usegmt=True)}
    wanted = re.fullmatch(r"bytes=(\d*)-(\d*)", header(request, "Range"))
    if wanted is None or not any(wanted.groups()):
        return answer(data, 200, headers)
    first, last = wanted.groups()
    start = int(first) if first else max(0, len(data) - int(last))
    end = min(int(last), len(data) - 1) if first and last else len(data) - 1
    if start >= len(data):
        refused = error("invalid range: failed to overlap", 416)
        refused.headers["Content-Range"] = f"bytes */{len(data)}"
        return refused
    return answer(data[start : end + 1], 206, {**headers, "Content-Range": f"bytes {start}-{end}/{len(data)}"})
