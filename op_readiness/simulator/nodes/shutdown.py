"""Graceful shutdown of a Node: the kubelet ends its Pods by priority before the machine goes down.

Only a kubelet with a shutdownGracePeriod does so; otherwise the machine just goes. Groups, grace and texts are the
kubelet's (pkg/kubelet/nodeshutdown).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from op_readiness.simulator.nodes.waiting import ended_within

if TYPE_CHECKING:
    from op_readiness.simulator.nodes.kubelet import Kubelet
    from op_readiness.simulator.nodes.pod import PodWorker

REASON, MESSAGE = "Terminated", "Pod was terminated in response to imminent node shutdown."
NOT_ADMITTED = ("NodeShutdown", "Pod was rejected as the node is shutting down.")
CRITICAL = 2_000_000_000
SERVICES_SECONDS = 5.0
"""How long the machine needs for its other services after the kubelet's Pods: the last status still arrives."""


async def shut_down(kubelet: Kubelet) -> None:
    """End what runs: ordinary Pods first, then critical ones; comes back when the machine may go down."""
    node = kubelet.node
    if not node.spec.shutdown_grace:
        return
    kubelet.events.node("Normal", "Shutdown", "Shutdown manager detected preshutdown event")
    node.shutting_down = True
    await kubelet.registration.changed()
    running = [worker for worker in kubelet.workers.values() if not worker.ended]
    critical = [worker for worker in running if int(worker.pod["spec"].get("priority") or 0) >= CRITICAL]
    ordinary = [worker for worker in running if worker not in critical]
    await _end(kubelet, ordinary, node.spec.shutdown_grace - node.spec.shutdown_grace_critical)
    await _end(kubelet, critical, node.spec.shutdown_grace_critical)
    await kubelet.world.clock.sleep(SERVICES_SECONDS)


async def _end(kubelet: Kubelet, workers: list[PodWorker], seconds: float) -> None:
    """End a group, and wait for it no longer than its time."""
    if not workers:
        return
    ending = asyncio.gather(*(worker.end(REASON, MESSAGE, seconds) for worker in workers))
    if not await ended_within(kubelet.world.clock, ending, seconds + 1):
        ending.cancel()
