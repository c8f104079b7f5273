"""Whether the cluster is at rest: what was deleted is gone, and EndpointSlices say what kubelets know.

A cluster is healthy again only when nothing of a fault that is out is still on its way. Otherwise a late change of an
EndpointSlice makes kube-proxy write what the next fault has just taken from it, and Pods that leave late give back
addresses that the next fault hands to the wrong Pods.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from op_readiness.simulator.api import Object
from op_readiness.simulator.controlplane.informers.pods import condition, is_ready, is_terminating
from op_readiness.simulator.network.selectors import selects
from op_readiness.simulator.network.services import service_of

if TYPE_CHECKING:
    from op_readiness.simulator.world import World

LOOK, LOOKS = 0.5, 120
"""Cluster seconds between two looks, and how many there are: somebody may write EndpointSlices by hand."""
LEAVING_LOOKS = 600
"""The same for what was deleted: a controller of the control plane has its own pace for Namespaces."""


async def endpoints_follow(world: World) -> None:
    """Wait until every EndpointSlice says of its Pods what kubelets say, at most a minute of the cluster."""
    for _ in range(LOOKS):
        if _pods_follow(world) and not _missing(world) and all(is_ready(pod) == shown for pod, shown in _shown(world)):
            return
        await world.clock.sleep(LOOK)


async def pods_leave(world: World) -> None:
    """Wait until no Pod ends and no Namespace that was deleted has Pods, but for those that finalizers hold; at most
    five minutes of the cluster.
    """
    for _ in range(LEAVING_LOOKS):
        found = (await world.api.get("/api/v1/namespaces"))["items"]
        going = {one["metadata"]["name"] for one in found if is_terminating(one)}
        if not any(_leaves(pod, going) for pod in world.pods.objects.values()):
            return
        await world.clock.sleep(LOOK)


def _leaves(pod: Object, going: set[str]) -> bool:
    meta = pod["metadata"]
    return not meta.get("finalizers") and (is_terminating(pod) or meta["namespace"] in going)


def _pods_follow(world: World) -> bool:
    """Whether the newest known Pods say of their containers what their kubelets know."""
    workers = {uid: one for kubelet in world.kubelets.values() for uid, one in kubelet.workers.items()}
    staying = (pod for pod in world.pods.objects.values() if not is_terminating(pod))
    known = ((pod, workers.get(pod["metadata"]["uid"])) for pod in staying)
    return all(
        _containers_ready(pod) == all(one.ready and one.running for one in worker.shown.mains)
        for pod, worker in known
        if worker is not None and not worker.ended
    )


def _missing(world: World) -> bool:
    """Whether a ready Pod that a Service selects stands in none of its EndpointSlices yet."""
    listed = {
        (*service_of(piece), (endpoint.get("targetRef") or {}).get("name"))
        for piece in world.endpointslices.objects.values()
        for endpoint in piece.get("endpoints") or []
    }
    return any(
        (namespace, service, name) not in listed
        for (namespace, service), spec in _selecting(world)
        for (home, name), pod in world.pods.objects.items()
        if home == namespace and _selected(spec, pod) and is_ready(pod) and not is_terminating(pod)
    )


def _shown(world: World) -> Iterator[tuple[Object, bool]]:
    """Each Pod that stays and stands in an EndpointSlice, and whether it stands there as ready."""
    waited = {name for name, spec in _selecting(world) if not spec.get("publishNotReadyAddresses")}
    for (namespace, _), piece in world.endpointslices.objects.items():
        if service_of(piece) not in waited:
            continue
        for endpoint in piece.get("endpoints") or []:
            pod = world.pods.objects.get((namespace, (endpoint.get("targetRef") or {}).get("name", "")))
            if pod is not None and not is_terminating(pod):
                yield pod, (endpoint.get("conditions") or {}).get("ready") is not False


def _selecting(world: World) -> Iterator[tuple[tuple[str, str], Object]]:
    """Name and spec of each Service whose endpoints the controller keeps."""
    return ((name, one["spec"]) for name, one in world.services.objects.items() if one["spec"].get("selector"))


def _selected(spec: Object, pod: Object) -> bool:
    return selects({"matchLabels": spec["selector"]}, pod["metadata"].get("labels") or {})


def _containers_ready(pod: Object) -> bool:
    found = condition(pod, "ContainersReady")
    return found is not None and found["status"] == "True"
