"""Liveness, readiness and startup probes: what a kubelet asks of a container, from the Node's own network."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from op_readiness.simulator.api import Object
from op_readiness.simulator.clock import Clock
from op_readiness.simulator.network.interface import (
    HttpRequest,
    NetworkFailure,
    NetworkNamespace,
    Refused,
    TimedOut,
)
from op_readiness.simulator.nodes.containers import Container
from op_readiness.simulator.nodes.waiting import ended_within

Execute = Callable[[list[str]], Awaitable[tuple[int, bytes]]]
"""Runs a command in the container: exit code and output."""
AGENT = "kube-probe/1.37"
LATE = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"


@dataclass(frozen=True)
class Answer:
    """What one probe showed. `met` is None when the probe itself could not be made."""

    met: bool | None
    message: str = ""


@dataclass
class Target:
    """What probes of one container need. `pause` waits that many cluster seconds, or until a try is due at once."""

    container: Container
    clock: Clock
    ip: str
    host: NetworkNamespace
    execute: Execute
    pause: Callable[[float], Awaitable[None]]


class Probe:
    """One probe of a container, run by its periods until cancelled."""

    def __init__(self, kind: str, spec: Object, target: Target, passed: Callable[[], Awaitable[None]]) -> None:
        self.kind, self._spec, self._target, self._passed = kind, spec, target, passed
        self._failures = self._successes = 0

    @property
    def period(self) -> float:
        """Cluster seconds between two tries."""
        return float(self._spec.get("periodSeconds") or 10)

    async def run(self, heard: Callable[[bool, Answer], bool]) -> None:
        """Try by the clock; `heard(threshold reached, answer)` says whether to go on."""
        await self._target.clock.sleep(float(self._spec.get("initialDelaySeconds") or 0))
        while heard(*self._counted(await self.once())):
            await self._target.pause(self.period)

    async def once(self) -> Answer:
        """One try."""
        timeout = float(self._spec.get("timeoutSeconds") or 1)
        asked = asyncio.ensure_future(self._ask(timeout))
        try:
            if await ended_within(self._target.clock, asked, timeout):
                return asked.result()
            return Answer(*self._too_late(timeout))
        finally:
            asked.cancel()

    def _too_late(self, timeout: float) -> tuple[bool, str]:
        if "exec" in self._spec:
            return False, f'command timed out: "{" ".join(self._spec["exec"]["command"])}" timed out after {timeout:g}s'
        if "httpGet" in self._spec:
            return False, f'Get "{self._url()}": {LATE}'
        return False, f"dial tcp {self._address()}: i/o timeout"

    def _counted(self, answer: Answer) -> tuple[bool, Answer]:
        if answer.met is None:
            return False, answer
        if answer.met:
            self._failures, self._successes = 0, self._successes + 1
            return self._successes >= int(self._spec.get("successThreshold") or 1), answer
        self._failures, self._successes = self._failures + 1, 0
        return self._failures >= int(self._spec.get("failureThreshold") or 3), answer

    async def _ask(self, timeout: float) -> Answer:
        await self._passed()
        if "httpGet" in self._spec:
            return await self._http(timeout)
        if "tcpSocket" in self._spec:
            return await self._tcp(timeout)
        if "exec" in self._spec:
            code, output = await self._target.execute(list(self._spec["exec"]["command"]))
            return Answer(code == 0, output.decode(errors="replace"))
        return Answer(None, "grpc probes are not simulated")

    async def _http(self, timeout: float) -> Answer:
        get = self._spec["httpGet"]
        headers = {"User-Agent": AGENT, "Accept": "*/*", "Host": self._address()}
        headers |= {one["name"]: one["value"] for one in get.get("httpHeaders") or []}
        request = HttpRequest("GET", get.get("path") or "/", headers, tls=get.get("scheme") == "HTTPS")
        try:
            connection = await self._target.host.connect(*self._place(), timeout)
            try:
                response = await connection.request(request, timeout)
            finally:
                connection.close()
        except NetworkFailure as failure:
            return Answer(False, f'Get "{self._url()}": {self._words(failure)}')
        if 200 <= response.status < 400:
            return Answer(True)
        return Answer(False, f"HTTP probe failed with statuscode: {response.status}")

    async def _tcp(self, timeout: float) -> Answer:
        try:
            (await self._target.host.connect(*self._place(), timeout)).close()
        except NetworkFailure as failure:
            return Answer(False, self._words(failure))
        return Answer(True)

    def _words(self, failure: NetworkFailure) -> str:
        dial = f"dial tcp {self._address()}: "
        if isinstance(failure, Refused):
            if self._target.host.os == "windows":
                return dial + (
                    "connectex: No connection could be made because the target machine actively refused it."
                )
            return dial + "connect: connection refused"
        if isinstance(failure, TimedOut):
            return LATE if "httpGet" in self._spec else dial + "i/o timeout"
        return str(failure) or "EOF"

    def _place(self) -> tuple[str, int]:
        described: Object = self._spec.get("httpGet") or self._spec["tcpSocket"]
        return described.get("host") or self._target.ip, port_number(described["port"], self._target.container.spec)

    def _address(self) -> str:
        ip, port = self._place()
        return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"

    def _url(self) -> str:
        get = self._spec["httpGet"]
        scheme = str(get.get("scheme") or "HTTP").lower()
        path = get.get("path") or "/"
        return urlsplit(f"{scheme}://{self._address()}{path if path.startswith('/') else '/' + path}").geturl()


def port_number(port: Any, spec: Object) -> int:
    """The number of a probe's port, which may be the name of one of the container's ports; 0 for an unknown name."""
    if isinstance(port, int) or str(port).isdigit():
        return int(port)
    return next((int(one["containerPort"]) for one in spec.get("ports") or [] if one.get("name") == port), 0)
