"""agnhost netexec /dial: asks another server by HTTP or UDP and tells what came, with its odd rules kept."""

from __future__ import annotations

import random

from op_readiness.simulator.network.interface import HttpRequest, HttpResponse, NetworkFailure, Peer, Refused, TimedOut
from op_readiness.simulator.programs import golang
from op_readiness.simulator.programs.addresses import family_of, own_address
from op_readiness.simulator.programs.agnhost.connect import NO_SCTP
from op_readiness.simulator.programs.goclient import HostPort, addresses, get, split
from op_readiness.simulator.programs.golang import GoError, json_text
from op_readiness.simulator.programs.goserver import answer, error, log, query
from op_readiness.simulator.programs.process import Process

TRY_SECONDS = 5.0
_NETS = {"": "tcp", "http": "tcp", "udp": "udp", "sctp": "sctp"}


async def dial(process: Process, request: HttpRequest) -> HttpResponse:
    """The answer to one /dial request."""
    values = query(request.target)
    host, port, wanted, protocol, tries = (
        values.get(name, "") for name in ("host", "port", "request", "protocol", "tries")
    )
    log(process, f"GET /dial?host={host}&protocol={protocol}&port={port}&request={wanted}&tries={tries}")
    try:
        count = golang.atoi(tries) if tries else 1
    except GoError as problem:
        return error(f"tries parameter is invalid. {problem}", 400)
    if not wanted:
        return error("request parameter not specified. <nil>", 400)
    net = _NETS.get(protocol.lower())
    if net is None:
        return error(f"unsupported protocol. {protocol}", 400)
    try:
        target = await _target(process, host, port, net)
    except GoError as problem:
        return error(f"host and/or port param are invalid. {problem}", 400)
    return answer(json_text(await _all(process, net, target, wanted, count)))


async def _target(process: Process, host: str, port: str, net: str) -> Peer:
    joined = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    where = split(joined)
    found = await addresses(process, HostPort(where.host, where.port), net)
    return found[0]


async def _all(process: Process, net: str, target: Peer, wanted: str, count: int) -> dict[str, list[str]]:
    """Every try; the responses are shown only if the last one brought something."""
    asks = {"tcp": _http, "udp": _udp, "sctp": _sctp}
    errors: list[str] = []
    responses: list[str] = []
    last = ""
    for _ in range(count):
        try:
            last = await asks[net](process, target, wanted)
            responses.append(last)
        except GoError as problem:
            last = ""
            errors.append(str(problem))
    return {**({"responses": responses} if last else {}), **({"errors": errors} if errors else {})}


async def _http(process: Process, target: Peer, wanted: str) -> str:
    response = await get(process, f"http://{target}/{wanted}", TRY_SECONDS)
    return response.body.decode(errors="replace")


async def _udp(process: Process, target: Peer, wanted: str) -> str:
    local = Peer(own_address(process, family_of(target.ip)), random.randint(32768, 60999))
    failed = "reading from udp connection failed. err:'{}'"
    waited = failed.format(f"read udp {local}->{target}: i/o timeout")
    try:
        data = await process.network.datagram(target.ip, target.port, wanted.encode(), TRY_SECONDS)
    except TimedOut:
        raise GoError(waited) from None
    except Refused:
        if process.windows:
            await process.clock.sleep(TRY_SECONDS)
            raise GoError(waited) from None
        raise GoError(failed.format(f"read udp {local}->{target}: read: connection refused")) from None
    except NetworkFailure as problem:
        raise GoError(f"udp dial failed. err:{golang.dial_error(process.os, problem, target, net='udp')}") from None
    if not data:
        raise GoError(failed.format("<nil>"))
    return data.decode(errors="replace")


async def _sctp(process: Process, target: Peer, wanted: str) -> str:
    raise GoError(f"sctp dial failed. err:{NO_SCTP[process.os]}")
