"""curl over the simulated network: several URLs, globbing, outputs, retries, exit codes and texts as the real one's.

HTTP and HTTPS only. Options that are known and not simulated are refused by name, with exit code 2.
"""

from __future__ import annotations

from op_readiness.simulator.network.interface import HttpResponse
from op_readiness.simulator.programs.curl.options import Options, Refused, parse
from op_readiness.simulator.programs.curl.transfer import CurlError, Outcome, Transfer
from op_readiness.simulator.programs.curl.urls import BadUrl, globbed
from op_readiness.simulator.programs.curl.urls import parse as parse_url
from op_readiness.simulator.programs.curl.writeout import render
from op_readiness.simulator.programs.goserver import status_text
from op_readiness.simulator.programs.process import Process

HEADING = (
    "  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current\n"
    "                                 Dload  Upload   Total   Spent    Left  Speed\n"
)
TRANSIENT = (408, 429, 500, 502, 503, 504)


async def curl(process: Process) -> int:
    """The exit code: that of the last transfer."""
    try:
        options = parse(process.argv[1:])
        if options.has("version") or options.has("help"):
            process.stdout.write(_about(process, options))
            return 0
        if not options.urls:
            raise Refused("curl: (2) no URL specified")
        return await _all(process, options)
    except Refused as error:
        text = str(error)
        process.stderr.write(text + "\n")
        if not text.startswith("curl: ("):
            process.stderr.write("curl: try 'curl --help' for more information\n")
        return int(text[7:].split(")", maxsplit=1)[0]) if text.startswith("curl: (") else 2


async def _all(process: Process, options: Options) -> int:
    code, heading = 0, True
    outputs = list(options.outputs)
    for pattern in options.urls:
        output = outputs.pop(0) if outputs else ""
        try:
            urls = [(pattern, ())] if options.has("globoff") else globbed(pattern)
        except BadUrl as error:
            code = _tell(process, options, CurlError(error.code, f"{error.message}\n{pattern}"))
            continue
        for text, parts in urls:
            target = output
            for number, part in enumerate(parts, 1):
                target = target.replace(f"#{number}", part)
            if heading and _shows_progress(options):
                process.stderr.write(HEADING)
                heading = False
            code = await _one(process, options, text, target)
            if code and options.has("fail-early"):
                return code
    return code


async def _one(process: Process, options: Options, text: str, output: str) -> int:
    try:
        url = parse_url(text)
    except BadUrl as error:
        return _tell(process, options, CurlError(error.code, error.message))
    tries, waited, pause = int(options.number("retry")), 0.0, 1.0
    limit = options.seconds("retry-max-time")
    while True:
        outcome = await Transfer(process, options).run(url)
        if tries <= 0 or not _again(options, outcome) or (limit is not None and waited >= limit):
            break
        tries -= 1
        wait = options.seconds("retry-delay") or pause
        why = outcome.error.message if outcome.error else f"HTTP error {outcome.response and outcome.response.status}"
        if not options.has("silent"):
            process.stderr.write(f"Warning: Problem: {why}. Will retry in {wait:g} second.\n")
        await process.clock.sleep(wait)
        waited, pause = waited + wait, min(pause * 2, 600.0)
    return _finish(process, options, outcome, output)


def _again(options: Options, outcome: Outcome) -> bool:
    """Whether --retry counts this as transient."""
    if outcome.error is None:
        return outcome.response is not None and outcome.response.status in TRANSIENT
    if options.has("retry-all-errors") or outcome.error.code in (28, 6):
        return True
    if outcome.error.code == 22 and outcome.response is not None:
        return outcome.response.status in TRANSIENT
    return outcome.refused and options.has("retry-connrefused")


def _finish(process: Process, options: Options, outcome: Outcome, output: str) -> int:
    """Write what came where it belongs; the exit code."""
    response, error = outcome.response, outcome.error
    if options.has("verbose"):
        _verbose(process, outcome)
    if response is not None and (error is None or (error.code == 22 and options.has("fail-with-body"))):
        error = _write(process, options, outcome, output) or error
    if _shows_progress(options):
        process.stderr.write(_meter(outcome))
    if error is not None:
        _tell(process, options, error)
    if "write-out" in options.values:
        _write_out(process, options, outcome, error)
    return error.code if error is not None else 0


def _write(process: Process, options: Options, outcome: Outcome, output: str) -> CurlError | None:
    response = outcome.response
    if response is None:
        return None
    head = b"".join(_head(r) for r in (*outcome.passed, response) if r.status)
    if "dump-header" in options.values:
        failed = _put(process, options.values["dump-header"], head)
        if failed:
            return failed
    shows_head = options.has("include") or options.has("head") or options.has("show-headers")
    return _put(process, _target(outcome, output), (head if shows_head else b"") + response.body)


def _target(outcome: Outcome, output: str) -> str:
    if output == "-O":
        return outcome.url.target.partition("?")[0].rsplit("/", 1)[-1] or "curl_response"
    return output


def _put(process: Process, name: str, data: bytes) -> CurlError | None:
    if name in ("", "-"):
        process.stdout.write(data)
        return None
    try:
        process.files.write(process.path(name), data)
    except OSError as error:
        process.stderr.write(f"Warning: Failed to open the file {name}: {error.strerror}\n")
        return CurlError(23, "client returned ERROR on write, 0 bytes of which were written")
    return None


def _head(response: HttpResponse) -> bytes:
    lines = [f"HTTP/1.1 {response.status} {status_text(response.status)}"]
    lines += [f"{name}: {value}" for name, value in response.headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def _tell(process: Process, options: Options, error: CurlError) -> int:
    if not options.has("silent") or options.has("show-error"):
        process.stderr.write(f"curl: ({error.code}) {error.message}\n")
    return error.code


def _shows_progress(options: Options) -> bool:
    """The meter shows unless it is turned off, or the body goes to a terminal (it never does here)."""
    return not (options.has("silent") or options.has("no-progress-meter"))


def _meter(outcome: Outcome) -> str:
    size = len(outcome.response.body) if outcome.response is not None else 0
    empty = "  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0"
    if not size:
        return f"\r{empty}\n"
    speed = round(size / max(outcome.total, 0.001))
    times = "--:--:-- --:--:-- --:--:--"
    return f"\r{empty}\r100 {size:5d}  100 {size:5d}    0     0 {speed:6d}      0 {times} {speed:5d}\n"


def _verbose(process: Process, outcome: Outcome) -> None:
    process.stderr.write("".join(f"{line}\n" for line in outcome.trace))
    if outcome.response is not None and outcome.response.status:
        head = _head(outcome.response).decode(errors="replace").split("\r\n")[:-1]
        process.stderr.write("".join(f"< {line}\r\n" for line in head))


def _write_out(process: Process, options: Options, outcome: Outcome, error: CurlError | None) -> None:
    response = outcome.response
    headers = response.headers if response is not None else {}
    content = next((v for k, v in headers.items() if k.lower() == "content-type"), "")
    location = next((v for k, v in headers.items() if k.lower() == "location"), "")
    status = response.status if response is not None else 0
    values: dict[str, str | int | float] = {
        "http_code": status, "response_code": status, "content_type": content,
        "errormsg": error.message if error else "",
        "exitcode": error.code if error else 0, "http_connect": 0, "http_version": "1.1" if status else "0",
        "local_ip": outcome.local.ip, "local_port": outcome.local.port, "method": options.values.get("request", "GET"),
        "num_connects": outcome.connects, "num_headers": len(headers), "num_redirects": len(outcome.passed),
        "redirect_url": location, "remote_ip": outcome.peer.ip, "remote_port": outcome.peer.port,
        "scheme": outcome.url.scheme, "size_download": len(response.body) if response is not None else 0,
        "ssl_verify_result": 0, "time_appconnect": outcome.connected if outcome.url.tls else 0.0,
        "time_connect": outcome.connected, "time_namelookup": outcome.looked_up, "time_pretransfer": outcome.connected,
        "time_redirect": 0.0, "time_starttransfer": outcome.total if response else 0.0, "time_total": outcome.total,
        "url": str(outcome.url), "url_effective": str(outcome.url), "urlnum": 0,
    }  # fmt: skip
    text, unknown = render(options.values["write-out"], values, headers)
    process.stdout.write(text)
    for name in unknown:
        process.stderr.write(f"curl: unknown --write-out variable: '{name}'\n")


def _about(process: Process, options: Options) -> str:
    if options.has("version"):
        return f"curl 8.14.1 ({process.os})\nProtocols: http https\nFeatures: IPv6 SSL\n"
    return "Usage: curl [options...] <url>\n"
