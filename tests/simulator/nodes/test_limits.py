"""The LIMIT table: what holds containers, what a Node offers, and what follows where an entry is missing."""

from __future__ import annotations

import asyncio
import json

import pytest

from op_readiness.simulator.network.table import Drop
from op_readiness.simulator.nodes.limits import Limits
from op_readiness.simulator.nodes.node import Node
from op_readiness.simulator.nodes.specs import parse_nodes
from op_readiness.simulator.nodes.stats import summary
from op_readiness.simulator.programs.usage import Usage, base_bytes
from op_readiness.workloads import scripts

from .standin import AGNHOST, Cluster

MIB = 1024**2
POD = {"metadata": {"namespace": "t", "name": "p", "uid": "u"}}


def limited(cpu: str, windows: bool, cores: float = 4.0) -> float:
    limits = Limits("win-1", cores)
    limits.set_container(POD, {"name": "c", "resources": {"limits": {"cpu": cpu}}}, windows)
    return limits.of_container(POD, "c", "cpu")


@pytest.mark.parametrize(
    ("cpu", "windows", "cores"), [("500m", True, 0.5), ("1m", True, 0.0008), ("64", True, 4.0), ("1m", False, 0.001)]
)
def test_a_job_object_counts_cpu_in_ten_thousandths_of_the_machine(cpu: str, windows: bool, cores: float) -> None:
    """Clamped to 1 and 10000 of them on Windows; Linux has no such steps."""
    assert limited(cpu, windows) == pytest.approx(cores)


def test_a_commit_beyond_the_limit_or_the_machine_is_refused_and_takes_nothing() -> None:
    """What the container's own processes have committed counts too."""
    usage = Usage(limit=lambda resource: 100 * MIB if resource == "memory" else 0, base=40 * MIB, left=lambda: 50 * MIB)
    assert [usage.commit(50 * MIB), usage.commit(20 * MIB), usage.committed] == [True, False, 90 * MIB]
    assert not Usage(left=lambda: 10 * MIB).commit(20 * MIB)


def commits(cluster: Cluster) -> list[int]:
    pods = summary(cluster.world.kubelets["win-1"], False)["pods"]
    return [pod["containers"][0]["memory"]["usageBytes"] for pod in pods]


@pytest.mark.parametrize("lost", [False, True])
def test_a_process_gets_what_its_job_object_gives(lost: bool) -> None:
    """Refused at the limit, with the figures of the kubelet below it; a limit that was lost on the way holds nobody."""

    def drop(*_: object) -> None:
        raise Drop

    async def story() -> None:
        async with Cluster() as cluster:
            if lost:
                cluster.world.nodes["win-1"].limits.table.on_write.append(drop)
            given = {"OPR_STEP_MIB": 50, "OPR_MOST_MIB": 700, "OPR_PAUSE_SECONDS": 1, "OPR_NONCE": "x"}
            container = {
                "image": AGNHOST, "command": scripts.command("commit-memory"), "env": scripts.environment(given),
                "resources": {"limits": {"memory": "512Mi"}}, "args": [],
            }  # fmt: skip
            cluster.pod("p", container=container, restartPolicy="Never")
            await cluster.turn(40)
            last = json.loads(cluster.log("p").splitlines()[-1])
            assert (last["taken"] > 512, bool(last["refused"])) == (lost, not lost)
            assert (commits(cluster)[0] > 512 * MIB) == lost

    asyncio.run(story())


def test_a_node_offers_its_capacity_less_what_is_kept_back() -> None:
    """Without the entries it offers all of it, and heals by writing them again."""
    node = Node.of(parse_nodes({"windows": 1})[0], "quick")
    whole = int(node.allocatable_memory.removesuffix("Ki"))
    node.limits.table.programmed.clear()
    assert int(node.allocatable_memory.removesuffix("Ki")) - whole == 2 * 1024**2 + 500 * 1024
    node.heal()
    assert node.allocatable_memory == f"{whole}Ki"


def test_limits_of_a_pod_that_went_are_forgotten() -> None:
    """Nothing of it is left in the table."""
    limits = Limits("win-1", 4.0)
    limits.set_container(POD, {"name": "c", "resources": {"limits": {"cpu": "1", "memory": "1Gi"}}}, True)
    limits.forget("u")
    assert not limits.table.programmed
    assert base_bytes("a") >= 20 * MIB
