"""What is special on Windows Nodes: HostProcess containers, users, memory pressure, shutdown with grace."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from op_readiness.simulator.nodes.metrics import metrics
from op_readiness.simulator.nodes.pressure import MemoryPressure
from op_readiness.simulator.nodes.stats import summary

from .standin import Cluster

BUSYBOX = "registry.k8s.io/e2e-test-images/busybox:1.37.0-2"
NONROOT = "registry.k8s.io/e2e-test-images/nonroot:1.5"
CONSUMER = "registry.k8s.io/e2e-test-images/resource-consumer:1.14"
SYSTEM = "NT AUTHORITY\\SYSTEM"


def host_process(*command: str, user: str = SYSTEM, **more: Any) -> dict[str, Any]:
    """The spec of a HostProcess Pod that runs one command."""
    context = {"windowsOptions": {"hostProcess": True, "runAsUserName": SYSTEM}}
    own = {"windowsOptions": {"runAsUserName": user}}
    container = {"image": BUSYBOX, "args": [], "command": list(command), "securityContext": own}
    return {"container": container, "hostNetwork": True, "securityContext": context, "restartPolicy": "Never", **more}


def test_host_process_containers_see_the_node() -> None:
    """The Node's name, address and files; the image at C:\\hpc; volumes at both places; the system's user."""

    async def story() -> None:
        async with Cluster() as cluster:
            cluster.put("/api/v1/configmaps", "t", {"metadata": {"name": "cm"}, "data": {"k": "v"}})
            cluster.pod("w", **host_process("cmd", "/c", "whoami && hostname && echo x> C:\\made.txt"))
            await cluster.turn(10)
            assert cluster.log("w") == "nt authority\\system\r\nwin-1\r\n"
            assert cluster.status("w")["podIP"] == cluster.world.nodes["win-1"].ip
            spec = host_process("cmd", "/c", "type etc\\cm\\k & type C:\\etc\\cm\\k & type C:\\made.txt & cd")
            spec["container"]["volumeMounts"] = [{"name": "v", "mountPath": "/etc/cm"}]
            cluster.pod("r", volumes=[{"name": "v", "configMap": {"name": "cm"}}], **spec)
            await cluster.turn(10)
            assert cluster.log("r") == "vvx\r\nC:\\hpc\r\n"

    asyncio.run(story())


def test_a_local_group_is_a_user_of_its_node_alone() -> None:
    """A group made by one HostProcess container can be logged on; a name that nobody made cannot."""

    async def story() -> None:
        async with Cluster() as cluster:
            cluster.pod("make", **host_process("cmd", "/c", "net localgroup g1 /add"))
            await cluster.turn(10)
            cluster.pod("here", **host_process("cmd", "/c", "whoami", user="g1"))
            cluster.pod("there", "win-2", **host_process("cmd", "/c", "whoami", user="g1"))
            await cluster.turn(10)
            assert cluster.log("here") == "win-1\\g1\r\n"
            assert cluster.state("there")["terminated"]["reason"] == "StartError"
            text = metrics(cluster.world.kubelets["win-2"])
            assert 'errors_total{code="RunContainerError",container_type="container"} 1' in text
            assert 'containers_total{container_type="container"} 1' in text

    asyncio.run(story())


@pytest.mark.parametrize(
    ("user", "said"), [(None, "ContainerUser"), ("ContainerAdministrator", "ContainerAdministrator")]
)
def test_users_of_containers(user: str | None, said: str) -> None:
    """The image's user, or the one that the spec names."""

    async def story() -> None:
        async with Cluster() as cluster:
            container = {"image": NONROOT, "args": [], "command": ["cmd", "/S", "/C", "echo %username%"]}
            context = {"windowsOptions": {"runAsUserName": user}} if user else {}
            cluster.pod("p", container=container, securityContext=context, restartPolicy="Never")
            await cluster.turn(10)
            assert cluster.log("p") == f"{said}\r\n"

    asyncio.run(story())


def test_unknown_users_do_not_start() -> None:
    """At Pod level the sandbox fails, at container level the container does."""

    async def story() -> None:
        async with Cluster() as cluster:
            foolish = {"windowsOptions": {"runAsUserName": "FooLish"}}
            container = {"image": NONROOT, "args": [], "command": ["cmd", "/c", "ver"]}
            cluster.pod("pod", container=container, securityContext=foolish)
            cluster.pod("one", container={**container, "securityContext": foolish}, restartPolicy="Never")
            await cluster.turn(10)
            failed = [event["message"] for event in cluster.api.events if event["reason"] == "FailedCreatePodSandBox"]
            assert failed and "The user name or password is incorrect." in failed[0]
            assert cluster.status("pod")["phase"] == "Pending"
            assert cluster.state("one")["terminated"]["reason"] == "StartError"

    asyncio.run(story())


@pytest.mark.parametrize(
    ("node", "image", "context", "words"),
    [
        ("win-1", BUSYBOX, {"windowsOptions": {"runAsUserName": "CONTAINERADMINISTRATOR"}},
         "container's runAsUserName (CONTAINERADMINISTRATOR) which will be regarded as root identity"),
        ("win-1", BUSYBOX, {}, "container's runAsUser (ContainerAdministrator) which will be regarded as root"),
        ("win-1", NONROOT, {"runAsUser": 0}, ""),
        ("linux-1", BUSYBOX, {}, "container has runAsNonRoot and image will run as root"),
        ("linux-1", BUSYBOX, {"runAsUser": 0}, "container's runAsUser breaks non-root policy"),
        ("linux-1", NONROOT, {}, ""),
    ],
)  # fmt: skip
def test_run_as_non_root(node: str, image: str, context: dict[str, Any], words: str) -> None:
    """The kubelet refuses root, and on Windows ContainerAdministrator."""

    async def story() -> None:
        async with Cluster() as cluster:
            command = ["cmd", "/c", "ver"] if node == "win-1" else ["sh", "-c", "true"]
            container = {"image": image, "args": [], "command": command}
            cluster.pod("p", node, container=container, securityContext={"runAsNonRoot": True, **context})
            await cluster.turn(5)
            waiting = cluster.state("p").get("waiting", {})
            assert (waiting.get("reason") == "CreateContainerConfigError") == bool(words)
            assert words in waiting.get("message", "")

    asyncio.run(story())


def test_memory_pressure_evicts_the_largest() -> None:
    """The condition comes, the Pod furthest above its request goes, the condition leaves after five minutes."""

    async def story() -> None:
        async with Cluster() as cluster:
            kubelet = cluster.world.kubelets["win-1"]
            cluster.world.spawn(MemoryPressure(kubelet).run(), "eviction manager")
            for name, size in (("small", "100"), ("large", "300")):
                words = ["/bin/testlimit.exe", "-accepteula", "-d", f"{size}Mb", "-e", "1", "20000s", "-c"]
                count = "5" if name == "small" else "60"
                cluster.pod(name, container={"image": CONSUMER, "args": [], "command": [*words, count]})
            await cluster.turn(100)
            assert kubelet.node.memory_pressure
            status = cluster.status("large")
            assert (status["phase"], status["reason"]) == ("Failed", "Evicted")
            assert status["message"].startswith("The node was low on resource: memory. Threshold quantity: 500Mi")
            assert cluster.status("small")["phase"] == "Running" and "Evicted" in cluster.reasons("large")
            await cluster.turn(400)
            assert not kubelet.node.memory_pressure

    asyncio.run(story())


def test_limits_hold_what_a_container_takes() -> None:
    """Memory beyond the limit is not given; CPU time is cut off at the limit."""

    async def story() -> None:
        async with Cluster() as cluster:
            words = ["/bin/testlimit.exe", "-d", "100Mb", "-c", "9"]
            limits = {"limits": {"cpu": "500m", "memory": "500Mi"}}
            cluster.pod("p", container={"image": CONSUMER, "args": [], "command": words, "resources": limits})
            await cluster.turn(30)
            process = cluster.worker("p").containers[0].process
            assert process is not None
            process.usage.compute(8.0, cluster.clock.now(), 4.0)
            await cluster.turn(60)
            pod = summary(cluster.world.kubelets["win-1"], False)["pods"][0]
            assert pod["memory"]["workingSetBytes"] <= 500 * 1024**2
            assert 0 < pod["cpu"]["usageNanoCores"] <= 500_000_000
            assert pod["cpu"]["usageCoreNanoSeconds"] > 30e9

    asyncio.run(story())


def test_a_node_shuts_down_with_grace() -> None:
    """Ordinary Pods end first, critical ones after them, all as Failed; then the Node has booted once more."""

    async def story() -> None:
        node = {"name": "win-1", "os": "windows", "shutdown_grace": 20, "shutdown_grace_critical": 10}
        async with Cluster(nodes=[node]) as cluster:
            stubborn = {"args": ["netexec", "--delay-shutdown", "9999"]}
            cluster.pod("ordinary", container=stubborn)
            cluster.pod("critical", container=stubborn, priority=2_000_001_000)
            cluster.pod("off", **host_process("shutdown.exe", "-r", "-t", "60"))
            await cluster.turn(30)
            before = cluster.world.nodes["win-1"].boot_id
            assert cluster.status("off")["phase"] == "Succeeded"
            await cluster.turn(45)
            shown = cluster.status("ordinary")
            assert (shown["phase"], shown["reason"], shown["message"]) == (
                "Failed", "Terminated", "Pod was terminated in response to imminent node shutdown."
            )  # fmt: skip
            assert cluster.status("critical")["phase"] == "Running" and not cluster.ready("ordinary")
            await cluster.turn(15)
            assert cluster.status("critical")["reason"] == "Terminated"
            await cluster.turn(60)
            assert int(cluster.world.nodes["win-1"].boot_id) == int(before) + 1
            assert cluster.status("critical")["phase"] == "Failed"

    asyncio.run(story())


def test_a_windows_exit_code_fits_into_the_api():
    """0xC000013A, which a stop leaves behind, has the highest bit set; the API's field is a signed one."""
    from op_readiness.simulator.nodes.containers import signed

    assert (signed(0xC000013A), signed(1), signed(0)) == (-1073741510, 1, 0)
