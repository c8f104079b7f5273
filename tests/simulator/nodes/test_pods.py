"""A Pod's life on a simulated Node."""

from __future__ import annotations

import asyncio
import copy
from dataclasses import replace

import pytest

from op_readiness.simulator.network.interface import TimedOut
from op_readiness.simulator.network.table import WriteFailed
from op_readiness.simulator.nodes.images import Pull

from .standin import AGNHOST, Cluster


def test_a_pod_gets_ready_when_its_port_answers() -> None:
    """Ready follows the readiness probe, not the start."""

    async def story() -> None:
        async with Cluster() as cluster:
            probe = {"httpGet": {"path": "/healthz", "port": 8080}, "initialDelaySeconds": 30}
            cluster.pod("p", container={"readinessProbe": probe})
            await cluster.turn(5)
            assert "running" in cluster.state("p") and not cluster.ready("p")
            await cluster.turn(30)
            assert cluster.ready("p")
            assert cluster.status("p")["podIP"].startswith("10.244.1.")
            assert cluster.reasons("p") == ["Pulling", "Pulled", "Created", "Started"]

    asyncio.run(story())


def test_a_probe_of_a_closed_port_keeps_the_pod_unready() -> None:
    """A Pod that listens elsewhere never gets ready, and an Event says why."""

    async def story() -> None:
        async with Cluster() as cluster:
            cluster.pod("p", "linux-1", container={"readinessProbe": {"httpGet": {"path": "/", "port": 9999}}})
            await cluster.turn(60)
            assert "running" in cluster.state("p") and not cluster.ready("p")
            words = [event["message"] for event in cluster.api.events if event["reason"] == "Unhealthy"]
            assert words and words[0].startswith("Readiness probe failed: Get ")

    asyncio.run(story())


def test_an_image_without_the_nodes_build_does_not_pull() -> None:
    """agnhost before 2.62 has no entry for Server 2025."""

    async def story() -> None:
        async with Cluster() as cluster:
            old = {"image": AGNHOST.replace("2.63.0", "2.52")}
            cluster.pod("on2022", "win-1", container=old)
            cluster.pod("on2025", "win-2", container=old)
            await cluster.turn(10)
            assert cluster.ready("on2022")
            waiting = cluster.state("on2025")["waiting"]
            assert waiting["reason"] == "ImagePullBackOff"
            assert "no match for platform in manifest" in waiting["message"]
            assert cluster.status("on2025")["phase"] == "Pending"

    asyncio.run(story())


def test_a_pull_can_be_made_slow_by_a_fault() -> None:
    """A hook of the IMG table decides how long a pull takes."""

    async def story() -> None:
        async with Cluster() as cluster:
            slow = cluster.world.nodes["win-1"].images
            slow.on_lookup.append(lambda table, key, value: replace(value or Pull(), seconds=600.0))
            cluster.pod("p")
            await cluster.turn(500)
            assert cluster.status("p")["phase"] == "Pending"
            await cluster.turn(120)
            assert cluster.ready("p")

    asyncio.run(story())


def test_a_failing_container_backs_off() -> None:
    """The first restart follows at once, the next ones after 10 s and 20 s."""

    async def story() -> None:
        async with Cluster() as cluster:
            cluster.pod("p", container={"args": ["nosuch"]})
            await cluster.turn(8)
            assert cluster.state("p")["waiting"]["reason"] == "CrashLoopBackOff"
            assert cluster.status("p")["containerStatuses"][0]["restartCount"] == 1
            await cluster.turn(12)
            assert cluster.status("p")["containerStatuses"][0]["restartCount"] == 2
            last = cluster.status("p")["containerStatuses"][0]["lastState"]["terminated"]
            assert (last["exitCode"], last["reason"]) == (1, "Error")

    asyncio.run(story())


def test_a_pod_that_never_restarts_ends() -> None:
    """Exit codes decide between Succeeded and Failed."""

    async def story() -> None:
        async with Cluster() as cluster:
            mount = ["mounttest", "--file_content=/etc/nosuch"]
            cluster.pod("good", container={"args": ["--help"]}, restartPolicy="Never")
            cluster.pod("bad", container={"args": mount}, restartPolicy="Never")
            await cluster.turn(10)
            assert cluster.status("good")["phase"] == "Succeeded"
            assert cluster.status("bad")["phase"] == "Failed"
            assert cluster.state("bad")["terminated"]["exitCode"] == 1

    asyncio.run(story())


def test_a_missing_program_is_a_start_error() -> None:
    """What the image does not have is named, and never runs."""

    async def story() -> None:
        async with Cluster() as cluster:
            cluster.pod("p", container={"command": ["nosuch"]}, restartPolicy="Never")
            await cluster.turn(10)
            ended = cluster.state("p")["terminated"]
            assert (ended["reason"], ended["exitCode"]) == ("StartError", 128)
            assert "The system cannot find the file specified." in ended["message"]

    asyncio.run(story())


def test_a_pod_is_gone_after_its_processes() -> None:
    """A delete stops containers, then takes the Pod out of API and network."""

    async def story() -> None:
        async with Cluster() as cluster:
            cluster.pod("p")
            await cluster.turn(10)
            cluster.ask_to_go("p")
            await cluster.turn(5)
            assert "/api/v1/namespaces/t/pods/p" not in cluster.api.objects
            assert cluster.world.kubelets["win-1"].workers == {}
            assert list(cluster.world.nodes["win-1"].tables["EP"]) == []

    asyncio.run(story())


def test_a_process_that_does_not_stop_is_killed_after_its_grace() -> None:
    """serve-hostname serves on for 60 s after SIGTERM; the grace of 30 s ends it."""

    async def story() -> None:
        async with Cluster() as cluster:
            cluster.pod("p", container={"args": ["serve-hostname"]})
            await cluster.turn(10)
            cluster.ask_to_go("p", 30)
            await cluster.turn(25)
            assert "running" in cluster.state("p")
            await cluster.turn(10)
            assert "/api/v1/namespaces/t/pods/p" not in cluster.api.objects

    asyncio.run(story())


def test_a_sandbox_without_network_is_tried_again() -> None:
    """What the CNI says stands in an Event, and the Pod starts once it works."""

    async def story() -> None:
        async with Cluster() as cluster:
            def refuse(*_: object) -> None:
                raise WriteFailed("HNS failed with error : The parameter is incorrect.")

            endpoints = cluster.world.nodes["win-1"].tables["EP"]
            endpoints.on_write.append(refuse)
            cluster.pod("p")
            await cluster.turn(10)
            assert cluster.status("p")["phase"] == "Pending"
            failed = [event for event in cluster.api.events if event["reason"] == "FailedCreatePodSandBox"]
            assert "The parameter is incorrect." in failed[0]["message"]
            endpoints.on_write.clear()
            await cluster.turn(60)
            assert cluster.ready("p")

    asyncio.run(story())


def test_init_containers_run_first_and_one_after_the_other() -> None:
    """Nothing else starts before they have succeeded."""

    async def story() -> None:
        async with Cluster() as cluster:
            init = {"name": "i", "image": AGNHOST, "args": ["nosuch"]}
            cluster.pod("p", initContainers=[init])
            await cluster.turn(30)
            status = cluster.status("p")
            assert status["phase"] == "Pending"
            assert status["containerStatuses"][0]["state"]["waiting"]["reason"] == "PodInitializing"
            cluster.pod("q", initContainers=[{**init, "args": ["--help"]}])
            await cluster.turn(30)
            assert cluster.ready("q")

    asyncio.run(story())


def test_a_pod_of_the_other_os_is_rejected() -> None:
    """The kubelet's reason and words."""

    async def story() -> None:
        async with Cluster() as cluster:
            cluster.pod("p", "win-1", os={"name": "linux"})
            await cluster.turn(1)
            status = cluster.status("p")
            assert (status["phase"], status["reason"]) == ("Failed", "PodOSNotSupported")
            assert status["message"] == "Pod was rejected: Failed to admit pod as the OS field doesn't match node OS"

    asyncio.run(story())


def test_a_reboot_gives_the_same_pod_another_address() -> None:
    """Same UID, one restart more, a new sandbox, another boot id."""

    async def story() -> None:
        async with Cluster() as cluster:
            cluster.pod("p")
            await cluster.turn(10)
            node, before = cluster.world.nodes["win-1"], cluster.status("p")["podIP"]
            boot = int(node.boot_id)
            rebooting = asyncio.ensure_future(cluster.world.restart("node", "win-1"))
            await cluster.turn(5)
            with pytest.raises(TimedOut):
                trying = asyncio.ensure_future(cluster.world.network.host("win-2").connect(node.ip, 8080, 3.0))
                await cluster.turn(5)
                await trying
            await cluster.turn(60)
            await rebooting
            await cluster.turn(10)
            assert int(node.boot_id) == boot + 1
            assert cluster.ready("p")
            assert cluster.status("p")["containerStatuses"][0]["restartCount"] == 1
            assert cluster.status("p")["podIP"] != before

    asyncio.run(story())


def test_the_status_is_sent_once_for_all_changes_of_a_moment() -> None:
    """From binding to ready a Pod costs few patches."""

    async def story() -> None:
        async with Cluster() as cluster:
            cluster.pod("p", container={"readinessProbe": {"httpGet": {"path": "/healthz", "port": 8080}}})
            await cluster.turn(30)
            assert cluster.ready("p")
            assert len([path for path, _ in cluster.api.patches if path.endswith("/pods/p/status")]) <= 4

    asyncio.run(story())


def test_a_readiness_gate_opens_when_somebody_sets_its_condition() -> None:
    """The kubelet looks again when the Pod's conditions change in the API."""

    async def story() -> None:
        async with Cluster() as cluster:
            pod = cluster.pod("p", readinessGates=[{"conditionType": "example.com/g"}])
            await cluster.turn(10)
            assert not cluster.ready("p")
            new = copy.deepcopy(pod)
            new["status"]["conditions"].append({"type": "example.com/g", "status": "True"})
            cluster.api.objects["/api/v1/namespaces/t/pods/p"] = new
            cluster.world.pods._apply(new, ("t", "p"))
            await cluster.turn(1)
            assert cluster.ready("p")

    asyncio.run(story())


def test_host_names() -> None:
    """The Pod's name, its hostname, and an override above both."""

    async def story() -> None:
        async with Cluster() as cluster:
            cluster.pod("a")
            cluster.pod("b", hostname="h")
            cluster.pod("c", hostname="h", hostnameOverride="o.example.com")
            await cluster.turn(10)
            assert [cluster.worker(name).hostname for name in "abc"] == ["a", "h", "o.example.com"]

    asyncio.run(story())
