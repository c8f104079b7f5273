"""postStart and preStop of containers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from op_readiness.simulator.api import Object
from op_readiness.simulator.network.interface import HttpRequest, NetworkFailure
from op_readiness.simulator.nodes.containers import Container
from op_readiness.simulator.nodes.probes import port_number
from op_readiness.simulator.nodes.waiting import ended_within
from op_readiness.simulator.programs.process import UnknownProgram

if TYPE_CHECKING:
    from op_readiness.simulator.nodes.pod import PodWorker

LEAST_GRACE = 2.0
"""What a kubelet leaves a container after its preStop hook used up all."""


async def after_start(pod: PodWorker, container: Container) -> None:
    """Run the postStart hook, if there is one; a container whose hook failed is killed."""
    hook = (container.spec.get("lifecycle") or {}).get("postStart")
    if not hook:
        return
    failure = await _ran(pod, container, hook)
    if failure:
        pod.event(container, "Warning", "FailedPostStartHook", f"PostStartHook failed: {failure}")
        pod.world.spawn(container.kill(pod.grace, "FailedPostStartHook"), "kill after postStart")


async def before_stop(pod: PodWorker, container: Container, grace: float) -> float:
    """Run the preStop hook within the grace period; gives what is left of it."""
    hook = (container.spec.get("lifecycle") or {}).get("preStop")
    if not hook or grace <= 0:
        return grace
    begun = pod.clock.now()
    running = asyncio.ensure_future(_ran(pod, container, hook))
    if await ended_within(pod.clock, running, grace):
        failure = running.result()
        if failure:
            pod.event(container, "Warning", "FailedPreStopHook", f"PreStopHook failed: {failure}")
    else:
        running.cancel()
    return max(LEAST_GRACE, grace - (pod.clock.now() - begun))


async def _ran(pod: PodWorker, container: Container, hook: Object) -> str:
    """Run one hook; gives the words of its failure, empty when it went well."""
    if "sleep" in hook:
        await pod.clock.sleep(float(hook["sleep"]["seconds"]))
        return ""
    if "exec" in hook:
        return await _command(pod, container, list(hook["exec"]["command"]))
    if "httpGet" in hook:
        return await _http(pod, container, hook["httpGet"])
    return f"this hook is not simulated: {', '.join(hook)}"


async def _command(pod: PodWorker, container: Container, command: list[str]) -> str:
    try:
        code = await container.execute(pod.exec_process(container, command))
    except UnknownProgram as error:
        return str(error)
    return "" if code == 0 else f"command '{' '.join(command)}' exited with {code}"


async def _http(pod: PodWorker, container: Container, get: Object) -> str:
    ip = get.get("host") or pod.ips[0]
    request = HttpRequest("GET", get.get("path") or "/", tls=get.get("scheme") == "HTTPS")
    try:
        host = pod.world.network.host(pod.node.name)
        connection = await host.connect(ip, port_number(get["port"], container.spec), 30.0)
        await connection.request(request, 30.0)
        connection.close()
    except NetworkFailure as failure:
        return str(failure)
    return ""
