"""A kubelet's eviction manager for memory: pressure as a condition, one Pod evicted at a time, the worst first.

Order, texts and times are the kubelet's (pkg/kubelet/eviction): a hard threshold, a look every 10 s, one second of
grace, and the condition kept for 5 min after the pressure was last seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from op_readiness.simulator.api import Object
from op_readiness.simulator.nodes.containers import Container
from op_readiness.simulator.nodes.node import EVICTION_HARD
from op_readiness.simulator.nodes.quantities import bytes_of
from op_readiness.simulator.nodes.stats import available_bytes, memory_bytes

if TYPE_CHECKING:
    from op_readiness.simulator.nodes.kubelet import Kubelet
    from op_readiness.simulator.nodes.pod import PodWorker

LOOK_SECONDS, TRANSITION_SECONDS, GRACE = 10.0, 300.0, 1.0


class MemoryPressure:
    """Watches one Node's memory as long as `run` runs."""

    def __init__(self, kubelet: Kubelet) -> None:
        self._kubelet = kubelet
        self._seen: float | None = None

    async def run(self) -> None:
        """Look, evict, report; until cancelled."""
        while True:
            await self._kubelet.world.clock.sleep(LOOK_SECONDS)
            if not self._kubelet.down:
                await self._look()

    async def _look(self) -> None:
        kubelet, now = self._kubelet, self._kubelet.world.clock.now()
        available, threshold = available_bytes(kubelet), EVICTION_HARD[kubelet.node.os]
        pressed = available < bytes_of(threshold)
        if pressed:
            self._seen = now
        under = self._seen is not None and now - self._seen < TRANSITION_SECONDS
        if under != kubelet.node.memory_pressure:
            kubelet.node.memory_pressure = under
            await kubelet.registration.changed()
        if not pressed:
            return
        kubelet.events.node("Warning", "EvictionThresholdMet", "Attempting to reclaim memory")
        ranked = sorted((one for one in kubelet.workers.values() if _can_go(one)), key=_rank)
        if ranked:
            await _evict(ranked[0], threshold, available)


def _can_go(worker: PodWorker) -> bool:
    """Static and system-critical Pods stay, and what has nothing running frees nothing."""
    critical = int(worker.pod["spec"].get("priority") or 0) >= 2_000_000_000
    return not worker.ended and not critical and any(one.running for one in worker.containers)


def _rank(worker: PodWorker) -> tuple[bool, int, int]:
    """Pods above their requests first, then lower priority, then those furthest above."""
    over = sum(memory_bytes(one) - _request(one.spec) for one in worker.containers if one.running)
    return (over <= 0, int(worker.pod["spec"].get("priority") or 0), -over)


async def _evict(worker: PodWorker, threshold: str, available: int) -> None:
    message = f"The node was low on resource: memory. Threshold quantity: {threshold}, available: {_ki(available)}. "
    message += "".join(_exceeding(one) for one in worker.containers if one.running)
    worker.kubelet.events.pod(worker.pod, "Warning", "Evicted", message)
    await worker.end("Evicted", message, GRACE)


def _exceeding(one: Container) -> str:
    used, request = memory_bytes(one), _request(one.spec)
    if used <= request:
        return ""
    asked = ((one.spec.get("resources") or {}).get("requests") or {}).get("memory", "0")
    return f"Container {one.name} was using {_ki(used)}, request is {asked}, has larger consumption of memory. "


def _request(spec: Object) -> int:
    return bytes_of(((spec.get("resources") or {}).get("requests") or {}).get("memory", 0))


def _ki(size: int) -> str:
    return f"{size // 1024}Ki"
