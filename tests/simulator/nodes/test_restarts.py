"""What a simulated Node is after it has gone down and up: its boot id, its Pods' sandboxes, their files."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from op_readiness.simulator.faults import Faults
from op_readiness.workloads import scripts
from tests.simulator.nodes.standin import Cluster

EMPTY: dict[str, Any] = {"volumes": [{"name": "v", "emptyDir": {}}]}
OPTIONS = {"hostProcess": True, "runAsUserName": r"NT AUTHORITY\SYSTEM"}
HOST: dict[str, Any] = {
    "hostNetwork": True, "restartPolicy": "Never", "securityContext": {"windowsOptions": OPTIONS}
}  # fmt: skip
MOUNTED = {"volumeMounts": [{"name": "v", "mountPath": r"C:\v"}]}


async def restart(cluster: Cluster, seconds: float = 60) -> None:
    rebooting = asyncio.ensure_future(cluster.world.restart("node", "win-1"))
    await cluster.turn(seconds)
    await rebooting


def events(cluster: Cluster, reason: str) -> int:
    """How often an Event was noted, repetitions included."""
    return sum(event["count"] for event in cluster.api.events if event["reason"] == reason)


def test_a_boot_id_is_drawn_at_boot_and_may_be_any_text() -> None:
    """A fault that changes how it is drawn changes nothing before the next boot."""

    async def story() -> None:
        async with Cluster() as cluster:
            node = cluster.world.nodes["win-1"]
            faults, first = Faults(cluster.world), node.boot_id
            faults.put_in(["boot-id-is-a-uuid:node=win-1"])
            assert node.boot_id == first
            await restart(cluster)
            assert len(node.boot_id) == 36 and node.boot_id != first
            faults.take_out_all()
            await restart(cluster)
            assert int(node.boot_id) == int(first) + 2

    asyncio.run(story())


def test_a_node_tells_when_it_goes_down_and_comes_up() -> None:
    """Before its components start, so that a fault can act on what they do."""

    async def story() -> None:
        async with Cluster() as cluster:
            heard: list[str] = []
            cluster.world.on_event(lambda event, fields: heard.append(event))
            await restart(cluster)
            wanted = ["node down", "node up", "hns restarted", "kube-proxy restarted", "node restarted"]
            assert [event for event in heard if event in wanted] == wanted
            assert cluster.world.nodes["win-1"].booted > 0

    asyncio.run(story())


def test_a_node_that_does_not_return_comes_up_when_the_fault_is_out() -> None:
    """Until then it is silent, and a second restart changes nothing."""

    async def story() -> None:
        async with Cluster() as cluster:
            cluster.pod("p")
            await cluster.turn(10)
            faults, node = Faults(cluster.world), cluster.world.nodes["win-1"]
            faults.put_in(["node-does-not-return:node=win-1"])
            first, kubelet = node.boot_id, cluster.world.kubelets["win-1"]
            going = asyncio.ensure_future(cluster.world.restart("node", "win-1"))
            await cluster.turn(900)
            await cluster.world.restart("node", "win-1")
            assert (kubelet.down, node.boot_id) == (True, first)
            faults.take_out_all()
            settled = asyncio.ensure_future(kubelet.settled())
            await cluster.turn(10)
            await asyncio.gather(settled, going)
            assert not kubelet.down and node.boot_id != first

    asyncio.run(story())


def test_old_sandboxes_may_not_be_made_again_while_new_ones_are() -> None:
    """The kubelet says each time that the sandbox changed; what waits is tried when the fault is out."""

    async def story() -> None:
        async with Cluster() as cluster:
            cluster.pod("old")
            await cluster.turn(10)
            faults = Faults(cluster.world)
            faults.put_in(["sandboxes-not-remade-after-boot:node=win-1"])
            await restart(cluster, 120)
            cluster.pod("new")
            await cluster.turn(10)
            assert (cluster.ready("old"), cluster.ready("new")) == (False, True)
            assert events(cluster, "SandboxChanged") >= 3 and events(cluster, "FailedCreatePodSandBox") >= 3
            faults.take_out_all()
            settled = asyncio.ensure_future(cluster.world.kubelets["win-1"].settled())
            await cluster.turn(5)
            await settled
            assert cluster.ready("old")

    asyncio.run(story())


def test_endpoints_that_came_too_early_stay_without_network() -> None:
    """Running and Ready, as nobody probes it; a later Pod is well."""

    async def story() -> None:
        async with Cluster() as cluster:
            cluster.pod("old")
            await cluster.turn(10)
            Faults(cluster.world).put_in(["endpoints-made-before-the-agent:node=win-1"])
            await restart(cluster)
            cluster.pod("new")
            await cluster.turn(10)
            table = cluster.world.nodes["win-1"].tables["EP"].programmed
            assert {value.name: value.state for value in table.values()} == {"old": "created", "new": "attached"}
            assert cluster.ready("old") and cluster.ready("new")

    asyncio.run(story())


def test_without_the_hosts_network_no_pod_has_one_but_those_on_the_host() -> None:
    """HostProcess Pods need none."""

    async def story() -> None:
        async with Cluster() as cluster:
            cluster.pod("old")
            await cluster.turn(10)
            Faults(cluster.world).put_in(["host-network-absent-after-boot:node=win-1"])
            await restart(cluster)
            waiting = {"command": ["cmd", "/c", "ping -n 3600 127.0.0.1 >NUL"], "args": []}
            cluster.pod("host", container=waiting, **HOST)
            await cluster.turn(10)
            assert (cluster.ready("old"), cluster.ready("host")) == (False, True)

    asyncio.run(story())


def test_windows_tells_when_it_booted_and_when_it_was_installed() -> None:
    """The boot is later after a restart, the installation is the same."""

    async def story() -> None:
        async with Cluster() as cluster:
            said, command = [], scripts.command("boot-times", on_host=True)
            for name in ("before", "after"):
                cluster.pod(name, container={"command": command, "args": []}, **HOST)
                await cluster.turn(10)
                said.append(json.loads(cluster.log(name)))
                await restart(cluster)
            assert said[1]["booted"] > said[0]["booted"] and said[1]["installed"] == said[0]["installed"]
            assert said[0]["installed"] < said[0]["booted"]

    asyncio.run(story())


def test_what_a_pod_has_written_to_an_emptydir_outlasts_the_restart() -> None:
    """It lies on the Node's disk as long as the Pod is the same."""

    async def story() -> None:
        async with Cluster() as cluster:
            cluster.pod("p", container=MOUNTED, **EMPTY)
            await cluster.turn(10)
            worker = next(iter(cluster.world.kubelets["win-1"].workers.values()))
            before = worker.volumes.by_name["v"].entry
            await restart(cluster)
            await cluster.turn(10)
            assert worker.volumes.by_name["v"].entry is before and cluster.ready("p")

    asyncio.run(story())


def test_a_sandbox_that_is_not_taken_away_at_first_holds_up_the_pods_return() -> None:
    """Its Pod is up again once the old network is gone: tried again, as a kubelet does."""

    async def story() -> None:
        async with Cluster() as cluster:
            cluster.pod("p")
            await cluster.turn(10)
            faults = Faults(cluster.world)
            faults.put_in(["sandboxes-killed-on-the-third-try:node=win-1"])
            await restart(cluster)
            assert cluster.ready("p")
            assert cluster.status("p")["containerStatuses"][0]["restartCount"] == 1
            [failed] = [event for event in cluster.api.events if event["reason"] == "FailedCreatePodSandBox"]
            assert "hcnDeleteNamespace failed" in failed["message"]
            faults.take_out_all()

    asyncio.run(story())


def test_a_pod_whose_sandbox_is_not_taken_away_at_first_goes_with_a_word_of_it() -> None:
    """FailedKillPod twice, then it is gone."""

    async def story() -> None:
        async with Cluster() as cluster:
            cluster.pod("p")
            await cluster.turn(10)
            faults = Faults(cluster.world)
            faults.put_in(["sandboxes-killed-on-the-third-try:node=win-1"])
            cluster.ask_to_go("p", grace=1)
            await cluster.turn(60)
            assert not cluster.api.objects
            assert events(cluster, "FailedKillPod") == 2
            faults.take_out_all()

    asyncio.run(story())
