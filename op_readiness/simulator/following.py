"""Whether what follows from Pods stands: their readiness in the API, and from there in EndpointSlices.

A cluster is healthy again only when nothing of a fault that is out is still on its way. Otherwise a late change of an
EndpointSlice makes kube-proxy write what the next fault has just taken from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from op_readiness.simulator.api import Object

if TYPE_CHECKING:
    from op_readiness.simulator.world import World

LOOK, LOOKS = 0.5, 120
"""Cluster seconds between two looks, and how many there are: somebody may write EndpointSlices by hand."""
MANAGER = "endpointslice-controller.k8s.io"


async def endpoints_follow(world: World) -> None:
    """Wait until every EndpointSlice says of its Pods what kubelets say, at most a minute of the cluster."""
    for _ in range(LOOKS):
        if _pods_follow(world) and all(is_ready(pod) == shown for pod, shown in _endpoints(world)):
            return
        await world.clock.sleep(LOOK)


def is_ready(obj: Object) -> bool:
    """Whether the condition Ready of a Pod or Node is true."""
    return _condition(obj, "Ready") == "True"


def is_leaving(obj: Object) -> bool:
    """Whether it was asked to go."""
    return "deletionTimestamp" in obj["metadata"]


def _condition(obj: Object, type: str) -> str:
    conditions = (obj.get("status") or {}).get("conditions") or []
    return next((str(one["status"]) for one in conditions if one["type"] == type), "")


def _pods_follow(world: World) -> bool:
    """Whether the newest known Pods say of their containers what their kubelets know."""
    workers = {uid: one for kubelet in world.kubelets.values() for uid, one in kubelet.workers.items()}
    known = ((pod, workers.get(pod["metadata"]["uid"])) for pod in world.pods.objects.values() if not is_leaving(pod))
    return all(
        (_condition(pod, "ContainersReady") == "True") == all(one.ready and one.running for one in worker.shown.mains)
        for pod, worker in known
        if worker is not None and not worker.ended
    )


def _endpoints(world: World) -> Iterator[tuple[Object, bool]]:
    """Each Pod that stays and stands in an EndpointSlice, and whether it stands there as ready."""
    for (namespace, _), piece in world.endpointslices.objects.items():
        labels = piece["metadata"].get("labels") or {}
        service = world.services.objects.get((namespace, labels.get("kubernetes.io/service-name", "")))
        managed = labels.get("endpointslice.kubernetes.io/managed-by") == MANAGER
        if service is None or not managed or service["spec"].get("publishNotReadyAddresses"):
            continue
        for endpoint in piece.get("endpoints") or []:
            pod = world.pods.objects.get((namespace, (endpoint.get("targetRef") or {}).get("name", "")))
            if pod is not None and not is_leaving(pod):
                yield pod, (endpoint.get("conditions") or {}).get("ready") is not False
