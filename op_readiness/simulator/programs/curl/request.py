"""The request that curl makes of its options: method, headers, body."""

from __future__ import annotations

import base64
from urllib.parse import quote

from op_readiness.simulator.network.interface import HttpRequest
from op_readiness.simulator.programs.curl.options import Options, Refused
from op_readiness.simulator.programs.curl.urls import Url
from op_readiness.simulator.programs.process import Process

AGENTS = {"linux": "curl/8.14.1", "windows": "curl/8.16.0"}
BOUNDARY = "------------------------d74496d66958873e"


def build(process: Process, options: Options, url: Url) -> HttpRequest:
    """The request for one URL; raises Refused when a named file cannot be read."""
    body, kind = _body(process, options)
    target = url.target
    if options.has("get") and body:
        target += ("&" if "?" in target else "?") + body.decode(errors="replace")
        body = b""
    posts = bool(options.bodies or options.lists.get("form")) and not options.has("get")
    method = options.values.get("request") or ("HEAD" if options.has("head") else "POST" if posts else "GET")
    headers = {"Host": url.netloc, "User-Agent": options.values.get("user-agent", AGENTS[process.os]), "Accept": "*/*"}
    _optional(headers, options, url)
    if posts:
        headers |= {"Content-Length": str(len(body)), "Content-Type": kind}
    if options.bodies and options.bodies[-1][0] == "json":
        headers["Accept"] = "application/json"
    _own(headers, options)
    return HttpRequest(method, target, headers, body, url.tls)


def _optional(headers: dict[str, str], options: Options, url: Url) -> None:
    user = options.values.get("user") or url.user
    if user:
        headers["Authorization"] = "Basic " + base64.b64encode(user.encode()).decode()
    if "oauth2-bearer" in options.values:
        headers["Authorization"] = f"Bearer {options.values['oauth2-bearer']}"
    for option, name in (("referer", "Referer"), ("cookie", "Cookie")):
        if option in options.values:
            headers[name] = options.values[option]
    if "range" in options.values:
        headers["Range"] = f"bytes={options.values['range']}"
    if options.has("compressed"):
        headers["Accept-Encoding"] = "deflate, gzip"


def _own(headers: dict[str, str], options: Options) -> None:
    """-H sets, replaces and (`Name:`) removes a header; `Name;` sends an empty one."""
    for line in options.lists.get("header", []):
        name, colon, value = line.partition(":")
        if not colon:
            name, semicolon, _ = line.partition(";")
            if semicolon:
                headers[name] = ""
            continue
        for known in [known for known in headers if known.lower() == name.strip().lower()]:
            del headers[known]
        if value.strip():
            headers[name.strip()] = value.strip()


def _body(process: Process, options: Options) -> tuple[bytes, str]:
    """The body and its content type."""
    if options.lists.get("form"):
        parts = b"".join(_part(process, text) for text in options.lists["form"])
        return parts + f"--{BOUNDARY}--\r\n".encode(), f"multipart/form-data; boundary={BOUNDARY}"
    pieces = [_data(process, kind, text) for kind, text in options.bodies]
    as_json = bool(options.bodies) and options.bodies[-1][0] == "json"
    joint = b"" if as_json else b"&"
    return joint.join(pieces), "application/json" if as_json else "application/x-www-form-urlencoded"


def _data(process: Process, kind: str, text: str) -> bytes:
    if kind == "data-urlencode":
        name, equals, value = text.partition("=")
        if not equals:
            return quote(text, safe="").encode()
        return (f"{name}=" if name else "").encode() + quote(value, safe="").encode()
    if kind == "data-raw" or not text.startswith("@"):
        return text.encode()
    data = _file(process, text[1:])
    return data if kind in ("data-binary", "json") else data.replace(b"\r", b"").replace(b"\n", b"")


def _part(process: Process, text: str) -> bytes:
    name, equals, value = text.partition("=")
    if not equals:
        raise Refused("curl: Illegally formatted input field")
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"'
    if value.startswith(("@", "<")):
        path = value[1:].partition(";")[0]
        data = _file(process, path, 26)
        if value.startswith("@"):
            file_name = path.replace("\\", "/").rsplit("/", 1)[-1]
            head += f'; filename="{file_name}"\r\nContent-Type: application/octet-stream'
    else:
        data = value.encode()
    return f"{head}\r\n\r\n".encode() + data + b"\r\n"


def _file(process: Process, name: str, code: int = 26) -> bytes:
    if name == "-":
        return process.stdin
    try:
        return process.files.read(process.path(name))
    except OSError:
        raise Refused(f"curl: ({code}) Failed to open/read local data from file/application") from None
