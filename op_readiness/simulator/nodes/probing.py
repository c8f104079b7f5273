"""What a container's probes do to it: ready or not, restarted, started; with a kubelet's Events."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from op_readiness.simulator.nodes.channels import ChannelError, ChannelKey, passed
from op_readiness.simulator.nodes.containers import Container
from op_readiness.simulator.nodes.probes import Answer, Probe, Target
from op_readiness.simulator.programs.process import UnknownProgram

if TYPE_CHECKING:
    from op_readiness.simulator.nodes.pod import PodWorker


async def run_probes(pod: PodWorker, container: Container) -> None:
    """Startup probe first, then readiness and liveness side by side, until cancelled."""
    target = Target(
        container, pod.clock, pod.ips[0], pod.world.network.host(pod.node.name),
        lambda command: _executed(pod, container, command), pod.kubelet.nudged_within,
    )  # fmt: skip
    probing = _Probing(pod, container, target)
    if "startupProbe" in container.spec:
        await probing.startup()
    tasks = [
        asyncio.ensure_future(work())
        for kind, work in (("readinessProbe", probing.readiness), ("livenessProbe", probing.liveness))
        if kind in container.spec
    ]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


async def _executed(pod: PodWorker, container: Container, command: list[str]) -> tuple[int, bytes]:
    process = pod.exec_process(container, command)
    try:
        code = await container.execute(process)
    except UnknownProgram as error:
        return 1, str(error).encode()
    return code, bytes(process.stdout.data + process.stderr.data)


class _Probing:
    def __init__(self, pod: PodWorker, container: Container, target: Target) -> None:
        self._pod, self._container, self._target = pod, container, target

    async def startup(self) -> None:
        """Until it succeeds (the container has started) or fails for good (it is killed)."""
        await self._probe("startup").run(self._on_startup)
        if self._container.started and "readinessProbe" not in self._container.spec:
            self._ready(True)

    async def readiness(self) -> None:
        """Ready as long as it says so."""
        await self._probe("readiness").run(self._on_readiness)

    async def liveness(self) -> None:
        """Until it fails for good."""
        await self._probe("liveness").run(self._on_liveness)

    def _probe(self, kind: str) -> Probe:
        meta = self._pod.pod["metadata"]
        key = ChannelKey("probe", meta["namespace"], meta["name"], self._container.name)

        async def pass_channel() -> None:
            await passed(self._pod.node.channels, key, self._pod.clock)

        return _Guarded(kind, self._container.spec[f"{kind}Probe"], self._target, pass_channel)

    def _on_startup(self, reached: bool, answer: Answer) -> bool:
        self._tell("Startup", answer)
        if reached and answer.met:
            self._container.is_started()
        elif reached:
            self._kill("startup")
        return not reached

    def _on_readiness(self, reached: bool, answer: Answer) -> bool:
        self._tell("Readiness", answer)
        if reached and answer.met is not None:
            self._ready(answer.met)
        return True

    def _on_liveness(self, reached: bool, answer: Answer) -> bool:
        self._tell("Liveness", answer)
        if reached and answer.met is False:
            self._kill("liveness")
            return False
        return True

    def _tell(self, kind: str, answer: Answer) -> None:
        if answer.met is None:
            words = f"{kind} probe errored and resulted in unknown state: {answer.message}"
            self._pod.event(self._container, "Warning", "ProbeWarning", words)
        elif not answer.met:
            self._pod.event(self._container, "Warning", "Unhealthy", f"{kind} probe failed: {answer.message}")

    def _ready(self, ready: bool) -> None:
        if self._container.ready != ready:
            self._container.ready, self._container.was_ready = ready, self._container.was_ready or ready
            self._pod.changed()

    def _kill(self, kind: str) -> None:
        if self._container.stopping:
            return
        spec = self._container.spec[f"{kind}Probe"]
        grace = float(spec.get("terminationGracePeriodSeconds") or self._pod.grace)
        why = f"Container {self._container.name} failed {kind} probe, will be restarted"
        self._pod.world.spawn(self._container.kill(grace, why), f"kill after {kind} probe")


class _Guarded(Probe):
    """A probe whose channel may be broken: then it could not be made, and nothing changes."""

    async def once(self) -> Answer:
        """One try."""
        try:
            return await super().once()
        except ChannelError as error:
            return Answer(None, str(error))
