"""The Summary API of a simulated Node: figures as a kubelet gives them, with Windows' gaps on Windows.

Programs do not really compute, so figures are made: a container that runs uses a little CPU all the time, and a fixed
share of memory by its image, and on top what its programs say that they take (`programs.usage`), held to its limits.
They are consistent with one another, grow with the cluster's clock, and are stamped with it: a rate between two samples
is in cores, however fast the cluster runs.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from op_readiness.simulator.nodes.channels import WELL, Channel
from op_readiness.simulator.nodes.containers import Container
from op_readiness.simulator.nodes.quantities import bytes_of, value_of

if TYPE_CHECKING:
    from op_readiness.simulator.nodes.kubelet import Kubelet
    from op_readiness.simulator.nodes.pod import PodWorker

IDLE_NANO_CORES = 2_000_000
SYSTEM_NANO_CORES = 40_000_000
SYSTEM_BYTES = 1_600_000_000
PAGE_FILE_SHARE = 16
"""The page file of a simulated Windows Node is this part of its memory."""
FILE_SYSTEM = {"capacityBytes": 128_281_718_784, "availableBytes": 96_211_289_088, "usedBytes": 32_070_429_696}


def summary(kubelet: Kubelet, only_cpu_and_memory: bool, channel: Channel = WELL) -> dict[str, Any]:
    """The whole Summary, as a channel of that kind gives it."""
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(kubelet.world.clock.time()))
    pods = [_pod(worker, at, only_cpu_and_memory) for worker in kubelet.workers.values() if _runs(worker)]
    node = _node(kubelet, at, pods)
    _spoil(node["cpu"], channel.node_factor)
    for pod in pods:
        for figures in (pod, *pod["containers"]):
            _spoil(figures["cpu"], channel.pod_factor)
            for name in channel.lacks:
                figures["cpu"].pop(name, None)
                figures["memory"].pop(name, None)
    return {"node": node, "pods": pods}


def _spoil(cpu: dict[str, Any], factor: float) -> None:
    if factor != 1.0 and "usageNanoCores" in cpu:
        cpu["usageNanoCores"] = int(cpu["usageNanoCores"] * factor)


def _runs(worker: PodWorker) -> bool:
    return any(one.running for one in worker.containers)


def _node(kubelet: Kubelet, at: str, pods: list[dict[str, Any]]) -> dict[str, Any]:
    used = used_bytes(kubelet)
    nano = SYSTEM_NANO_CORES + sum(pod["cpu"].get("usageNanoCores") or IDLE_NANO_CORES for pod in pods)
    nano = min(nano, int(value_of(kubelet.node.spec.cpu) * 10**9))
    capacity = bytes_of(kubelet.node.spec.memory)
    node: dict[str, Any] = {
        "nodeName": kubelet.node.name,
        "startTime": at,
        "cpu": _cpu(at, nano, kubelet.world.clock.now() + 600),
        "memory": {"time": at, "availableBytes": capacity - used, "usageBytes": used, "workingSetBytes": used},
        "fs": {"time": at} | FILE_SYSTEM,
        "systemContainers": [
            {"name": "pods", "startTime": at, "memory": {"time": at, "workingSetBytes": used - SYSTEM_BYTES}}
        ],
    }
    if kubelet.node.os == "windows":
        commit = {"time": at, "usageBytes": used, "availableBytes": available_bytes(kubelet)}
        node["systemContainers"].append({"name": "windows-global-commit-memory", "startTime": at, "memory": commit})
    else:
        node["rlimit"] = {"time": at, "maxpid": 4194304, "curproc": 180}
    return node


def _pod(worker: PodWorker, at: str, only: bool) -> dict[str, Any]:
    containers = [_container(worker, one, at, only) for one in worker.containers if one.running]
    meta = worker.pod["metadata"]
    pod: dict[str, Any] = {
        "podRef": {"name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"]},
        "startTime": worker.shown.started,
        "containers": containers,
        "cpu": {"time": at} | _sums(containers, "cpu", "usageNanoCores", "usageCoreNanoSeconds"),
        "memory": {"time": at} | _sums(containers, "memory", "usageBytes", "workingSetBytes"),
    }
    if not only:
        if not worker.pod["spec"].get("hostNetwork"):
            pod["network"] = {"time": at, "name": "eth0", "rxBytes": 18_000, "txBytes": 12_000}
        pod["ephemeral-storage"] = {"time": at} | FILE_SYSTEM | {"usedBytes": 40_960}
    return pod


def _sums(containers: list[dict[str, Any]], kind: str, *names: str) -> dict[str, int]:
    return {name: sum(one[kind].get(name) or 0 for one in containers) for name in names}


def _container(worker: PodWorker, one: Container, at: str, only: bool) -> dict[str, Any]:
    used = memory_bytes(one)
    limit = _limit_of(one)
    container: dict[str, Any] = {
        "name": one.name,
        "startTime": one.state["running"]["startedAt"],
        "cpu": _container_cpu(worker, one, at),
        "memory": {"time": at, "workingSetBytes": used, "usageBytes": used},
    }
    if limit:
        container["memory"]["availableBytes"] = max(0, limit - used)
    if worker.os == "linux":
        container["memory"] |= {"rssBytes": used * 3 // 4, "pageFaults": 1200, "majorPageFaults": 0}
    if not only:
        written = sum(len(line.data) for line in one.log.lines) if one.log else 0
        container["rootfs"] = {"time": at} | FILE_SYSTEM | {"usedBytes": 8192}
        container["logs"] = {"time": at} | FILE_SYSTEM | {"usedBytes": written}
    return container


def _container_cpu(worker: PodWorker, one: Container, at: str) -> dict[str, Any]:
    now, cores = worker.clock.now(), float(value_of(worker.node.spec.cpu))
    idle = _cpu(at, IDLE_NANO_CORES, now - one.began + 1)
    usage = one.process.usage if one.process is not None else None
    if usage is None or not (usage.cores or usage.core_seconds):
        return idle
    limit = usage.limit("cpu") or cores
    nano = min(IDLE_NANO_CORES + int(usage.given(cores) * 1e9), int(limit * 1e9))
    idle["usageCoreNanoSeconds"] += int(usage.total(now, cores) * 1e9)
    return idle | {"usageNanoCores": nano}


def used_bytes(kubelet: Kubelet) -> int:
    """What the system and all running containers have of a Node's memory."""
    running = [one for worker in kubelet.workers.values() for one in worker.containers if one.running]
    return SYSTEM_BYTES + sum(memory_bytes(one) for one in running)


def available_bytes(kubelet: Kubelet) -> int:
    """What is left of a Node's memory; on Windows of its commit limit, which a small page file makes larger."""
    capacity = bytes_of(kubelet.node.spec.memory)
    if kubelet.node.os == "windows":
        capacity += capacity // PAGE_FILE_SHARE
    return max(0, capacity - used_bytes(kubelet))


def memory_bytes(one: Container) -> int:
    """The commit of a container, which is its working set too: its image's share and what its programs took."""
    usage = one.process.usage if one.process is not None else None
    used = usage.committed if usage is not None else 0
    limit = _limit_of(one)
    return min(used, limit) if limit else used


def _limit_of(one: Container) -> int:
    """The memory limit in force, in bytes; 0 for none."""
    return int(one.process.usage.limit("memory")) if one.process is not None else 0


def _cpu(at: str, nano_cores: int, seconds: float) -> dict[str, Any]:
    return {"time": at, "usageNanoCores": nano_cores, "usageCoreNanoSeconds": int(nano_cores * seconds)}
