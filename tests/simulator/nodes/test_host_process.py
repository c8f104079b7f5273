"""What HostProcess containers find and leave on their simulated Node: registry, firewall, HNS, processes."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from op_readiness.simulator.nodes.host import FactKey, HostFact
from op_readiness.workloads import scripts

from .standin import Cluster
from .test_windows import host_process


async def said(cluster: Cluster, name: str, line: str) -> str:
    """What a command line of a HostProcess Pod on win-1 printed."""
    cluster.pod(name, **host_process("cmd", "/c", line))
    await cluster.turn(10)
    return cluster.log(name)


def scripted(script: str, **env: str) -> dict[str, Any]:
    spec = host_process(*scripts.command(script, on_host=True))
    spec["container"]["env"] = scripts.environment(env)
    return spec


def test_the_registry_and_the_firewall_are_the_nodes_own() -> None:
    """What one Pod writes the next one finds; what is not there is an exit code of 1."""

    async def story() -> None:
        async with Cluster() as cluster:
            await said(cluster, "w", r"reg add HKLM\SOFTWARE\o /v a /t REG_SZ /d b /f")
            assert "    a    REG_SZ    b" in await said(cluster, "r", r"reg query HKEY_LOCAL_MACHINE\SOFTWARE\O /v a")
            assert (await said(cluster, "d", r"reg delete HKLM\SOFTWARE\o /f & reg query HKLM\SOFTWARE\o || echo gone")
                    ).endswith("gone\r\n")  # fmt: skip
            rule = "netsh advfirewall firewall add rule name=r dir=in action=allow protocol=TCP localport=1"
            assert "Ok." in await said(cluster, "f", rule)
            assert "Rule Name:" in await said(cluster, "s", "netsh advfirewall firewall show rule name=R")
            assert "No rules match" in await said(cluster, "n", "netsh advfirewall firewall show rule name=other")

    asyncio.run(story())


def test_a_process_is_listed_as_long_as_its_container_runs() -> None:
    """The grandchild too; where its entry does not go, it lives on."""

    async def story() -> None:
        async with Cluster() as cluster:
            line = r"copy C:\hpc\bin\busybox.exe C:\hpc\o.exe && cmd.exe /c C:\hpc\o.exe sleep 1000"
            cluster.pod("tree", **host_process("cmd", "/c", line))
            await cluster.turn(10)
            assert "o.exe" in await said(cluster, "a", "tasklist /nh")
            cluster.ask_to_go("tree", 0)
            await cluster.turn(10)
            assert "o.exe" not in await said(cluster, "b", "tasklist /nh")

    asyncio.run(story())


def test_a_runtime_that_ignores_hostprocess_makes_an_ordinary_container() -> None:
    """Its name is the Pod's, and no mount point is told; a Node that honours it shows that of its Windows."""

    async def story() -> None:
        async with Cluster() as cluster:
            table = cluster.world.nodes["win-1"].host.table
            table.set(FactKey("runtime", "host-process"), HostFact("ignored"))
            assert (await said(cluster, "p", "hostname")).strip() == "p"
            assert cluster.status("p")["podIP"] != cluster.world.nodes["win-1"].ip
            table.set(FactKey("runtime", "host-process"), HostFact("honoured"))
            assert (await said(cluster, "q", "hostname")).strip() == "win-1"
            table.set(FactKey("os", "host-name"), HostFact("25094acs0901"))
            assert (await said(cluster, "r", "hostname")).strip() == "25094acs0901"

    asyncio.run(story())


def test_stand_ins_tell_what_the_tables_hold() -> None:
    """A policy of HNS for an endpoint that there is not is refused; privileged calls answer a HostProcess container."""

    async def story() -> None:
        async with Cluster() as cluster:
            spec = scripted("hns-policy", OPR_ACT="create", OPR_VIP="192.0.2.1", OPR_PORT="1", OPR_ENDPOINT="1.2.3.4")
            cluster.pod("h", **spec)
            cluster.pod("c", **scripted("privileged", OPR_ACT="write", OPR_KEY="o", OPR_NONCE="n"))
            await cluster.turn(10)
            refused, calls = json.loads(cluster.log("h")), json.loads(cluster.log("c"))
            assert (refused["created"], refused["error"]) == ("", "no endpoint has the address 1.2.3.4")
            assert (calls["user"]["value"], calls["firewall"]["value"], calls["key"]["value"]) == ("S-1-5-18", "3", "n")

    asyncio.run(story())
