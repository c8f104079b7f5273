"""EndpointSlices: which Pods stand behind each Service with a selector.

A Pod's change concerns the Services of its Namespace whose selector matches it, before or after, and only if it changes
what an endpoint says. Services without a selector are left to whoever writes their slices.
"""

from __future__ import annotations

import ipaddress
import json

from op_readiness.simulator.api import ApiError, Object
from op_readiness.simulator.controlplane.controllers import slices
from op_readiness.simulator.controlplane.informers import pods
from op_readiness.simulator.controlplane.informers.kinds import ENDPOINT_SLICE, SERVICE
from op_readiness.simulator.controlplane.informers.queue import WorkQueue
from op_readiness.simulator.controlplane.informers.recorder import stamp
from op_readiness.simulator.controlplane.informers.selectors import labels_of, subset
from op_readiness.simulator.controlplane.informers.shared import Shared
from op_readiness.simulator.controlplane.informers.stores import Key


class EndpointSlices:
    """The EndpointSlice controller."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._slices = shared.store(ENDPOINT_SLICE)
        self._slices.index("service", lambda obj: (_service_of(obj),))
        shared.pods.index("ip-namespace", lambda pod: (pod["metadata"]["namespace"],) if _has_address(pod) else ())
        self.queue: WorkQueue[Key] = WorkQueue(shared.clock, self._sync)
        shared.store(SERVICE).handlers.append(self._service_changed)
        shared.pods.handlers.append(self._pod_changed)
        self._slices.handlers.append(self._slice_changed)

    def _service_changed(self, old: Object | None, new: Object | None) -> None:
        service = new or old
        if service is not None:
            self.queue.add((service["metadata"]["namespace"], service["metadata"]["name"]))

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        if old is not None and new is not None and _concerns(old) == _concerns(new):
            return
        seen = [pod for pod in (old, new) if pod is not None]
        namespace = seen[0]["metadata"]["namespace"]
        for service in self._shared.store(SERVICE).by("namespace", namespace):
            selector = service["spec"].get("selector")
            if selector and any(subset(selector, labels_of(pod)) for pod in seen):
                self.queue.add((namespace, service["metadata"]["name"]))

    def _slice_changed(self, old: Object | None, new: Object | None) -> None:
        """Somebody deleted or changed a slice: look at its Service again."""
        if old is not None and _managed(old):
            namespace, _, name = _service_of(old).partition("/")
            self.queue.add((namespace, name))

    async def _sync(self, key: Key) -> None:
        service = self._shared.store(SERVICE).get(*key)
        have = [each for each in self._slices.by("service", "/".join(key)) if _managed(each)]
        if service is None:
            for each in have:
                await self._shared.delete(ENDPOINT_SLICE, each)
            return
        selector = service["spec"].get("selector")
        if not selector or service["spec"].get("type") == "ExternalName" or "deletionTimestamp" in service["metadata"]:
            return
        members = [
            pod for pod in self._shared.pods.by("ip-namespace", key[0]) if subset(selector, labels_of(pod))
        ]
        await self._bring(service, slices.desired_slices(service, members, self._zone), have)

    def _zone(self, node_name: str) -> str:
        node = self._shared.nodes.get("", node_name)
        return labels_of(node).get(slices.ZONE, "") if node else ""

    async def _bring(self, service: Object, groups: list[Object], have: list[Object]) -> None:
        """Make the slices what they are to be; new ones first, so that no endpoint is missing in between."""
        unused = {each["metadata"]["name"]: each for each in have if not self._slices.going(each)}
        for group in groups:
            fitting = [each for each in unused.values() if _group_of(each) == _group_of(group)]
            if not fitting and unused and not group["endpoints"]:
                fitting = [each for each in unused.values() if each["addressType"] == group["addressType"]][:1]
            bins = slices.packed(group["endpoints"], [each.get("endpoints") or [] for each in fitting])
            if not any(bins):
                bins = [*bins[:1]] or [[]]
            for number, endpoints in enumerate(bins):
                if number < len(fitting) and (endpoints or number == 0 or not any(bins)):
                    del unused[fitting[number]["metadata"]["name"]]
                    await self._update(service, fitting[number], group, endpoints)
                elif endpoints or number >= len(fitting):
                    await self._create(service, group, endpoints)
        for each in unused.values():
            await self._shared.delete(ENDPOINT_SLICE, each)

    async def _create(self, service: Object, group: Object, endpoints: list[Object]) -> None:
        meta = service["metadata"]
        reference = {
            "apiVersion": "v1", "kind": "Service", "name": meta["name"], "uid": meta["uid"], "controller": True,
            "blockOwnerDeletion": True,
        }
        body = {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "generateName": f"{meta['name']}-", "labels": slices.slice_labels(service),
                "annotations": {slices.TRIGGERED: stamp()} if endpoints else None, "ownerReferences": [reference],
            },
            "addressType": group["addressType"], "endpoints": endpoints, "ports": group["ports"],
        }
        try:
            await self._shared.create(ENDPOINT_SLICE, meta["namespace"], body)
        except ApiError as error:
            if "because it is being terminated" not in error.message:
                raise

    async def _update(self, service: Object, there: Object, group: Object, endpoints: list[Object]) -> None:
        labels = slices.slice_labels(service)
        change: Object = {}
        if (there.get("endpoints") or []) != endpoints:
            change["endpoints"] = endpoints
        if (there.get("ports") or []) != group["ports"]:
            change["ports"] = group["ports"]
        have = labels_of(there)
        if dict(have) != labels:
            gone = {key: None for key in have if key not in labels}
            change["metadata"] = {"labels": {**labels, **gone}}
        if "endpoints" in change:
            change["metadata"] = {**change.get("metadata", {}), "annotations": {slices.TRIGGERED: stamp()}}
        if change:
            await self._shared.patch(ENDPOINT_SLICE, there, change)


def _service_of(each: Object) -> str:
    return f"{each['metadata']['namespace']}/{labels_of(each).get(slices.SERVICE_NAME, '')}"


def _managed(each: Object) -> bool:
    return labels_of(each).get(slices.MANAGED_BY) == slices.MANAGER


def _group_of(group: Object) -> tuple[str, str]:
    return group["addressType"], json.dumps(group.get("ports") or [], sort_keys=True)


def _has_address(pod: Object) -> bool:
    address = (pod.get("status") or {}).get("podIP")
    return bool(address and ipaddress.ip_address(address))


def _concerns(pod: Object) -> tuple[object, ...]:
    """All of a Pod that an endpoint says, or that decides whether it is one."""
    status, spec = pod.get("status") or {}, pod["spec"]
    return (
        pod["metadata"]["uid"], labels_of(pod), status.get("podIP"), status.get("podIPs"),
        pods.is_ready(pod), pods.is_terminating(pod), pods.is_finished(pod),
        spec.get("nodeName"), spec.get("hostname"), spec.get("subdomain"),
    )
