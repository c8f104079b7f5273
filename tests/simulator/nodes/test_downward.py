"""The downward API: what containers are told of their Pod, by files and by variables."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from op_readiness.simulator.nodes.host import FactKey, HostFact

from .standin import Cluster


def variables(**paths: str) -> dict[str, Any]:
    return {"env": [{"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}} for name, path in paths.items()]}


def limits(**divisors: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "valueFrom": {"resourceFieldRef": {"resource": f"limits.{name.lower()}", "divisor": divisor}}}
        for name, divisor in divisors.items()
    ]


def env(cluster: Cluster, pod: str) -> dict[str, str]:
    process = cluster.worker(pod).containers[0].process
    assert process is not None
    return dict(process.env)


@pytest.mark.parametrize("node", ["win-1", "linux-1"])
def test_fields_of_the_pod_are_those_of_the_api(node: str) -> None:
    """Name, Namespace, UID, Node and both addresses; and the same of a volume's files, of labels in order."""

    async def story() -> None:
        async with Cluster() as cluster:
            names = {"N": "metadata.name", "U": "metadata.uid", "W": "spec.nodeName"}
            fields = variables(**names, IP="status.podIP", H="status.hostIP")
            items = [{"path": "sub/labels", "fieldRef": {"fieldPath": "metadata.labels"}},
                     {"path": "name", "fieldRef": {"fieldPath": "metadata.name"}}]  # fmt: skip
            fields["volumeMounts"] = [{"name": "v", "mountPath": "/etc/podinfo"}]
            body = cluster.pod("p", node, container=fields, volumes=[{"name": "v", "downwardAPI": {"items": items}}])
            body["metadata"]["labels"] = {"b": 'say "x"', "a": "1"}
            await cluster.turn(10)
            told, status = env(cluster, "p"), cluster.status("p")
            shown = ("p", body["metadata"]["uid"], status["podIP"], status["hostIP"], node)
            assert tuple(told[name] for name in ("N", "U", "IP", "H", "W")) == shown
            process = cluster.worker("p").containers[0].process
            assert process is not None
            assert process.files.read("/etc/podinfo/name") == b"p"
            assert process.files.read("/etc/podinfo/sub/labels") == b'a="1"\nb="say \\"x\\""'

    asyncio.run(story())


def test_limits_are_divided_and_rounded_up_and_those_of_the_node_where_there_are_none() -> None:
    """250m of 1m is 250, of one CPU 1; without a limit it is what the Node offers."""

    async def story() -> None:
        async with Cluster() as cluster:
            resources = {"limits": {"cpu": "250m", "memory": "64Mi"}}
            cluster.pod("p", container={"resources": resources, "env": limits(CPU="1m", MEMORY="1")})
            cluster.pod("whole", container={"resources": resources, "env": limits(CPU="0", MEMORY="1Mi")})
            cluster.pod("free", container={"env": limits(CPU="1", MEMORY="1Ki")})
            await cluster.turn(10)
            told = {name: (env(cluster, name)["CPU"], env(cluster, name)["MEMORY"]) for name in ("p", "whole", "free")}
            node = cluster.world.nodes["win-1"]
            offered = (str(node.spec.cpu), node.allocatable_memory.removesuffix("Ki"))
            assert told == {"p": ("250", "67108864"), "whole": ("1", "64"), "free": offered}

    asyncio.run(story())


def test_a_runtime_that_tells_addresses_late_leaves_the_variable_empty() -> None:
    """The status has the address all the same, and Pods of the Node's own network are told it anyway."""

    async def story() -> None:
        async with Cluster() as cluster:
            late, key = HostFact("after-start"), FactKey("runtime", "sandbox-address")
            table = cluster.world.nodes["win-1"].host.table
            table.on_lookup.append(lambda _, met, value: late if met == key else value)
            cluster.pod("p", container=variables(IP="status.podIP"))
            options = {"windowsOptions": {"hostProcess": True, "runAsUserName": "NT AUTHORITY\\SYSTEM"}}
            cluster.pod("h", container=variables(IP="status.podIP"), hostNetwork=True, securityContext=options)
            await cluster.turn(10)
            assert (env(cluster, "p")["IP"], bool(cluster.status("p")["podIP"])) == ("", True)
            assert env(cluster, "h")["IP"] == cluster.status("h")["hostIP"]

    asyncio.run(story())
