"""A second scheduler as a fault: it binds what the cluster's own has found no Node for."""

from __future__ import annotations

import asyncio
from typing import Any

from fault_world import FakeWorld, fault

from op_readiness.simulator.faults import Faults


def pod(name: str, node: str = "", scheduled: str = "False") -> dict[str, Any]:
    conditions = [{"type": "PodScheduled", "status": scheduled}]
    meta = {"name": name, "namespace": "t"}
    return {"metadata": meta, "spec": {"nodeName": node} if node else {}, "status": {"conditions": conditions}}


def test_unschedulable_pods_are_bound_after_a_while_and_others_are_not() -> None:
    """Only those without a Node; looked for again and again while the fault is in."""

    async def scene() -> None:
        world = FakeWorld()
        bound: list[tuple[str, str]] = []

        async def create(path: str, body: dict[str, Any]) -> None:
            bound.append((path, body["target"]["name"]))
            world.pods.objects["t", "late"]["spec"]["nodeName"] = body["target"]["name"]

        world.api.create = create  # type: ignore[attr-defined]
        world.pods.objects["t", "there"] = pod("there", "win-1")
        step = {"state": "API", "key": {"resource": "pods"}, "point": "set", "when": {"at": "20s"}, "do": "bind",
                "value": "win-2"}  # fmt: skip
        Faults(world).put_in([fault(step)])
        await world.clock.turn(25)
        world.pods.objects["t", "late"] = pod("late")
        await world.clock.turn(30)
        assert bound == [("/api/v1/namespaces/t/pods/late/binding", "win-2")]

    asyncio.run(scene())
