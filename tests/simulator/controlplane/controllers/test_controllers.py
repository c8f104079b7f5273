"""The controllers at work on a real kube-apiserver and on the embedded one: what readiness tests need of them."""

import asyncio
import contextlib
import os
from pathlib import Path
from typing import Any

import pytest

from op_readiness.simulator.api import ApiError
from tests.simulator.controlplane.controllers.bench import PODS, ROOT_CA, Bench, bench

APPS, JOBS = "/apis/apps/v1/namespaces/t", "/apis/batch/v1/namespaces/t/jobs"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/t/endpointslices"
WINDOWS = {"kubernetes.io/os": "windows"}

REAL = [
    pytest.mark.real_control_plane,
    pytest.mark.skipif("KUBEBUILDER_ASSETS" not in os.environ, reason="KUBEBUILDER_ASSETS is not set"),
]
PLANES = [pytest.param("real", marks=REAL), pytest.param("embedded", marks=pytest.mark.cluster)]


def template(app: str, annotations: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    container = {"name": "c", "image": "i", "ports": [{"name": "http", "containerPort": 8080}]}
    meta = {"labels": {"app": app}, "annotations": annotations}
    return {"metadata": meta, "spec": {"containers": [container], **spec}}


def workload(name: str, **spec: Any) -> dict[str, Any]:
    base = {"selector": {"matchLabels": {"app": name}}, "template": template(name)}
    return {"metadata": {"name": name}, "spec": base | spec}


async def rolled(work: Bench, path: str) -> bool:
    """What `kubectl rollout status` waits for."""
    obj = await work.api.get(path)
    status, wanted = obj["status"], obj["spec"]["replicas"]
    return status.get("observedGeneration") == obj["metadata"]["generation"] and all(
        status.get(field, 0) == wanted for field in ("replicas", "updatedReplicas", "readyReplicas")
    )


async def gone(work: Bench, path: str) -> bool:
    try:
        await work.api.get(path)
    except ApiError as error:
        return error.code == 404
    return False


@pytest.mark.parametrize("plane", PLANES)
def test_controllers_do_what_kubernetes_does(plane: str, tmp_path: Path):
    """Workloads roll, Services get endpoints, owners take what they own along, silent Nodes are found."""

    async def run() -> None:
        async with bench(tmp_path, os.environ["KUBEBUILDER_ASSETS"] if plane == "real" else None) as work:
            for name in ("win-1", "win-2"):
                await work.kubelets.register(name, **WINDOWS)
            await work.kubelets.register("linux-1", **{"kubernetes.io/os": "linux"})
            await work.namespace("t")
            await _furniture(work)
            await _deployment(work)
            await _stateful_set(work)
            await _daemon_set(work)
            await _surge(work)
            await _quota(work)
            await _jobs(work)
            await _refusals(work)
            await _silence(work)
            await work.api.delete("/api/v1/namespaces/t")
            await work.until(lambda: gone(work, "/api/v1/namespaces/t"))

    asyncio.run(run())


async def _furniture(work: Bench) -> None:
    path = "/api/v1/namespaces/t/configmaps/kube-root-ca.crt"
    assert (await work.until(lambda: work.api.get(path)))["data"] == {"ca.crt": ROOT_CA}


async def _deployment(work: Bench) -> None:
    path = f"{APPS}/deployments/d"
    await work.api.create(f"{APPS}/deployments", workload("d", replicas=3))
    ports = [{"port": 80, "targetPort": "http"}]
    service = {"metadata": {"name": "d"}, "spec": {"selector": {"app": "d"}, "ports": ports}}
    await work.api.create("/api/v1/namespaces/t/services", service)
    await work.until(lambda: rolled(work, path))
    await work.until(lambda: _ready_endpoints(work, 3))
    await work.api.delete(SLICES)
    await work.until(lambda: _ready_endpoints(work, 3))
    await work.api.patch(path, {"spec": {"template": {"metadata": {"annotations": {"v": "2"}}}}})
    await work.until(lambda: rolled(work, path))
    done = await work.api.get(path)
    assert done["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "2"
    assert done["metadata"]["generation"] == 2
    await work.api.delete(path)
    await work.until(lambda: _no_pods(work, "d-"))


async def _ready_endpoints(work: Bench, count: int) -> bool:
    endpoints = [each for item in (await work.api.get(SLICES))["items"] for each in item.get("endpoints") or []]
    return len(endpoints) == count and all(each["conditions"]["ready"] for each in endpoints)


async def _no_pods(work: Bench, prefix: str) -> bool:
    return not [name for name in await work.names(PODS.format("t")) if name.startswith(prefix)]


async def _stateful_set(work: Bench) -> None:
    path = f"{APPS}/statefulsets/s"
    await work.api.create(f"{APPS}/statefulsets", workload("s", replicas=2, serviceName="s"))
    await work.until(lambda: rolled(work, path))
    pod = await work.api.get(f"{PODS.format('t')}/s-1")
    assert (pod["spec"]["hostname"], pod["spec"]["subdomain"]) == ("s-1", "s")
    await work.api.patch(path, {"spec": {"template": {"metadata": {"annotations": {"v": "2"}}}}})
    await work.until(lambda: rolled(work, path))
    await work.api.delete(path, {"propagationPolicy": "Foreground"})
    await work.until(lambda: gone(work, path))
    assert await _no_pods(work, "s-")


async def _daemon_set(work: Bench) -> None:
    path = f"{APPS}/daemonsets/e"
    await work.api.create(f"{APPS}/daemonsets", workload("e", template=template("e", nodeSelector=WINDOWS)))

    async def everywhere() -> bool:
        return bool((await work.api.get(path))["status"].get("numberReady") == 2)

    await work.until(everywhere)
    await work.api.delete(path, {"propagationPolicy": "Orphan"})
    await work.until(lambda: gone(work, path))
    left = (await work.api.get(PODS.format("t")))["items"]
    assert [pod["metadata"].get("ownerReferences") for pod in left] == [None, None]


async def _surge(work: Bench) -> None:
    """A DaemonSet that may surge has the new Pod ready beside the old one before the old one goes."""
    path, pods = f"{APPS}/daemonsets/f", PODS.format("t")
    strategy = {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    body = workload("f", template=template("f", nodeSelector=WINDOWS), updateStrategy=strategy)
    await work.api.create(f"{APPS}/daemonsets", body)

    async def updated() -> bool:
        obj = await work.api.get(path)
        numbers = ("numberReady", "updatedNumberScheduled", "numberAvailable")
        current = obj["status"].get("observedGeneration") == obj["metadata"]["generation"]
        return current and all(obj["status"].get(name) == 2 for name in numbers)

    await work.until(updated)
    old = set(await work.names(f"{pods}?labelSelector=app%3Df"))
    work.kubelets.unready.add("f")
    await work.api.patch(path, {"spec": {"template": {"metadata": {"annotations": {"v": "2"}}}}})

    async def beside() -> bool:
        return len(await work.names(f"{pods}?labelSelector=app%3Df")) == 3

    await work.until(beside)
    assert old < set(await work.names(f"{pods}?labelSelector=app%3Df"))
    work.kubelets.unready.clear()
    await _get_ready(work, pods)

    async def replaced() -> bool:
        await _get_ready(work, pods)
        return await updated() and not old & set(await work.names(f"{pods}?labelSelector=app%3Df"))

    await work.until(replaced)
    await work.api.delete(path)
    await work.until(lambda: _no_pods(work, "f-"))


async def _get_ready(work: Bench, pods: str) -> None:
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    for name in await work.names(f"{pods}?labelSelector=app%3Df"):
        with contextlib.suppress(ApiError):
            await work.api.patch(f"{pods}/{name}/status", {"status": ready}, "strategic")


async def _quota(work: Bench) -> None:
    """What a quota grants is counted when objects come and given back when they go."""
    namespace = await work.namespace("granted")
    path = f"/api/v1/namespaces/{namespace}/resourcequotas/q"
    configs = f"/api/v1/namespaces/{namespace}/configmaps"

    async def used(count: str) -> bool:
        status = (await work.api.get(path))["status"]
        return bool(status.get("hard") == {"configmaps": "2"} and status["used"] == {"configmaps": count})

    await work.until(lambda: work.api.get(f"{configs}/kube-root-ca.crt"))
    await work.api.create(path.removesuffix("/q"), {"metadata": {"name": "q"}, "spec": {"hard": {"configmaps": "2"}}})
    await work.until(lambda: used("1"))
    await work.api.create(configs, {"metadata": {"name": "a"}})

    async def refused() -> bool:
        """A controller may write last what it counted before `a` came; something deleted has it count anew."""
        try:
            await work.api.create(configs, {"metadata": {"name": "b"}})
        except ApiError as error:
            return error.code == 403
        await work.api.delete(f"{configs}/b")
        return False

    await work.until(refused)
    await work.api.delete(f"{configs}/a")
    await work.until(lambda: used("1"))


async def _jobs(work: Bench) -> None:
    for name, code, kind in (("good", "0", "Complete"), ("bad", "1", "Failed")):
        pods = template(name, {"ends": code}, restartPolicy="Never")
        spec = {"completions": 2, "parallelism": 2, "backoffLimit": 0, "template": pods}
        await work.api.create(JOBS, {"metadata": {"name": name}, "spec": spec})
        await work.until(lambda name=name, kind=kind: _has_condition(work, f"{JOBS}/{name}", kind))


async def _has_condition(work: Bench, path: str, kind: str) -> bool:
    conditions = (await work.api.get(path))["status"].get("conditions") or []
    return any(each["type"] == kind and each["status"] == "True" for each in conditions)


async def _refusals(work: Bench) -> None:
    container = {"name": "c", "image": "i", "resources": {"requests": {"cpu": "99"}}}
    await work.api.create(PODS.format("t"), {"metadata": {"name": "big"}, "spec": {"containers": [container]}})
    (text,) = await work.until(lambda: work.events("t", "FailedScheduling"))
    assert text.startswith("0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are available: 3 ")
    await work.kubelets.report("win-2", cpu="200")
    await work.until(lambda: _placed(work, "big"))


async def _placed(work: Bench, name: str) -> bool:
    return bool((await work.api.get(f"{PODS.format('t')}/{name}"))["spec"].get("nodeName"))


async def _silence(work: Bench) -> None:
    work.kubelets.silent.add("win-1")

    async def taints() -> set[str]:
        spec = (await work.api.get("/api/v1/nodes/win-1"))["spec"]
        return {each["effect"] for each in spec.get("taints") or [] if each["key"].endswith("/unreachable")}

    async def unreachable() -> bool:
        return await taints() == {"NoSchedule", "NoExecute"}

    async def well() -> bool:
        return not await taints()

    await work.until(unreachable)
    work.kubelets.silent.clear()
    await work.kubelets.report("win-1")
    await work.until(well)
