"""The kubelet's HTTP face: what the API server, and through it everybody, asks of a Node on port 10250."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiohttp import web

from op_readiness.simulator.nodes.channels import Channel, ChannelError, ChannelKey, passed
from op_readiness.simulator.nodes.containers import Container
from op_readiness.simulator.nodes.exec import execute
from op_readiness.simulator.nodes.kubelet import Kubelet, NotHere
from op_readiness.simulator.nodes.logs import Log, LogQuery, first_line, shown
from op_readiness.simulator.nodes.metrics import metrics
from op_readiness.simulator.nodes.node import EVICTION_HARD, Node
from op_readiness.simulator.nodes.nodelogs import NO_EVENTS, LogAnswer, answer, listing
from op_readiness.simulator.nodes.resourcemetrics import resource_metrics
from op_readiness.simulator.nodes.stats import summary

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Face:
    """Answers for one kubelet."""

    def __init__(self, kubelet: Kubelet) -> None:
        self._kubelet = kubelet
        self._plain: dict[str, Handler] = {
            "/healthz": self._healthz, "/healthz/ping": self._healthz, "/configz": self._configz,
            "/metrics": self._metrics, "/metrics/resource": self._resources, "/stats/summary": self._summary,
            "/pods": self._pods,
        }  # fmt: skip
        self._by_first: dict[str, Handler] = {
            "exec": self._exec, "containerLogs": self._logs, "logs": self._node_logs,
        }  # fmt: skip
        self._told: dict[bool, dict[str, Any]] = {}

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """The answer to one request; what is not simulated is refused by name."""
        path = urlsplit(request.rel_url.path).path
        handler = self._plain.get(path.rstrip("/") or "/") or self._by_first.get(path.split("/")[1])
        if handler is None:
            known = path.split("/")[1] in ("attach", "portForward", "run", "debug", "checkpoint")
            text = f"{path} is not simulated" if known else "404 page not found"
            return web.Response(status=501 if known else 404, text=text + "\n")
        try:
            await passed(self._kubelet.node.channels, ChannelKey("http"), self._kubelet.world.clock)
            return await handler(request)
        except NotHere as error:
            return web.Response(status=404, text=f"{error}\n")
        except ChannelError as error:
            return web.Response(status=500, text=f"{error}\n")

    async def _healthz(self, _: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text="ok")

    async def _configz(self, _: web.BaseRequest) -> web.StreamResponse:
        return web.json_response({"kubeletconfig": configuration(self._kubelet.node)})

    async def _metrics(self, _: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text=metrics(self._kubelet), content_type="text/plain", charset="utf-8")

    async def _pods(self, _: web.BaseRequest) -> web.StreamResponse:
        pods = [worker.pod for worker in self._kubelet.workers.values()]
        return web.json_response({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": pods})

    async def _summary(self, request: web.BaseRequest) -> web.StreamResponse:
        channel = await passed(self._kubelet.node.channels, ChannelKey("stats"), self._kubelet.world.clock)
        only = request.query.get("only_cpu_and_memory") == "true"
        if channel.state != "stale" or only not in self._told:
            self._told[only] = summary(self._kubelet, only, channel)
        return web.json_response(self._told[only], dumps=lambda value: json.dumps(value, indent=1))

    async def _resources(self, _: web.BaseRequest) -> web.StreamResponse:
        channel = await passed(self._kubelet.node.channels, ChannelKey("stats"), self._kubelet.world.clock)
        text = resource_metrics(self._kubelet, channel)
        return web.Response(text=text, content_type="text/plain", charset="utf-8")

    async def _node_logs(self, request: web.BaseRequest) -> web.StreamResponse:
        node, clock = self._kubelet.node, self._kubelet.world.clock
        if node.os != "windows":
            return web.Response(status=501, text="logs of this kind are not simulated\n")
        channel = await passed(node.channels, ChannelKey("nodelog"), clock)
        query = {name: request.query.getall(name) for name in request.query if name not in channel.lacks}
        path = request.rel_url.path.strip("/").partition("/")[2]
        said = answer(node, query, clock.time(), channel.most) if query and not path else listing(node, path)
        if said.status == 200 and not path and any(name in query for name in channel.barren):
            said = LogAnswer(200, NO_EVENTS)
        return web.Response(status=said.status, text=said.text, content_type=said.content_type, charset="utf-8")

    async def _exec(self, request: web.BaseRequest) -> web.StreamResponse:
        # /exec/NAMESPACE/POD[/UID]/CONTAINER
        _, _, namespace, pod, *_, container = request.rel_url.path.split("/")
        worker, one = self._kubelet.container_of(namespace, pod, container)
        return await execute(request, worker, one)

    async def _logs(self, request: web.BaseRequest) -> web.StreamResponse:
        _, _, namespace, pod, container = request.rel_url.path.split("/")
        worker, one = self._kubelet.container_of(namespace, pod, container)
        query = log_query(request.rel_url.query_string)
        channel = await passed(worker.node.channels, ChannelKey("log", namespace, pod, container), worker.clock)
        previous = request.query.get("previous") == "true"
        log = one.previous_log if previous else one.log
        if log is None:
            return web.Response(status=400, text=_no_log(pod, one, previous))
        return await _sent(request, log, query, worker.clock.now(), channel)


def _no_log(pod: str, one: Container, previous: bool) -> str:
    if previous:
        return f'previous terminated container "{one.name}" in pod "{pod}" not found'
    reason = one.state.get("waiting", {}).get("reason", "ContainerCreating")
    why = {
        "ErrImagePull": "image can't be pulled", "ImagePullBackOff": "trying and failing to pull image",
        "InvalidImageName": "invalid image name",
    }.get(reason, reason)  # fmt: skip
    return f'container "{one.name}" in pod "{pod}" is waiting to start: {why}'


def log_query(text: str) -> LogQuery:
    """A kubelet's log query from its URL."""
    given = {name: values[-1] for name, values in parse_qs(text).items()}
    number = {name: int(given[name]) for name in ("tailLines", "sinceSeconds", "limitBytes") if name in given}
    return LogQuery(
        follow=given.get("follow") == "true", tail=number.get("tailLines"), since=number.get("sinceSeconds"),
        since_stamp=given.get("sinceTime", ""), timestamps=given.get("timestamps") == "true",
        limit_bytes=number.get("limitBytes"), stream=given.get("stream", "").lower().replace("all", ""),
    )  # fmt: skip


async def _sent(
    request: web.BaseRequest, log: Log, query: LogQuery, now: float, channel: Channel
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    left = query.limit_bytes
    await response.prepare(request)
    log.flushed()
    async for line in log.read(first_line(log, query, now), follow=query.follow):
        if channel.frozen_at is not None and line.at > channel.frozen_at:
            break
        if query.stream and line.stream != query.stream:
            continue
        data = shown(line, query)[:left]
        await response.write(data)
        left = None if left is None else left - len(data)
        if left == 0:
            break
    await response.write_eof()
    return response


def configuration(node: Node) -> dict[str, object]:
    """What /configz says, as far as readiness tests look."""
    return {
        "enableServer": True,
        "port": 10250,
        "clusterDomain": "cluster.local",
        "clusterDNS": ["10.96.0.10"],
        "maxPods": 110,
        "evictionHard": {
            "memory.available": EVICTION_HARD[node.os], "nodefs.available": "10%", "imagefs.available": "15%",
        },
        "systemReserved": {"memory": "2Gi"},
        "cpuManagerPolicy": "none",
        "memoryManagerPolicy": "None",
        "shutdownGracePeriod": f"{node.spec.shutdown_grace:g}s",
        "shutdownGracePeriodCriticalPods": f"{node.spec.shutdown_grace_critical:g}s",
        "enableSystemLogHandler": True,
        "enableSystemLogQuery": True,
        "syncFrequency": "1m0s",
        "nodeStatusUpdateFrequency": "10s",
        "nodeStatusReportFrequency": "5m0s",
        "nodeLeaseDurationSeconds": 40,
    }
