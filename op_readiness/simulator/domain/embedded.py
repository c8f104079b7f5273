"""The webhook inside the embedded API server, which calls none: the same decisions, as a step of its admission."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from op_readiness.simulator.controlplane.access.rbac import Rbac
from op_readiness.simulator.controlplane.store.requests import Request, User
from op_readiness.simulator.controlplane.store.selectors import selected
from op_readiness.simulator.controlplane.verbs.operations import Cluster, now
from op_readiness.simulator.controlplane.wire.failures import Failure
from op_readiness.simulator.domain import webhook
from op_readiness.simulator.domain.directory import Directory
from op_readiness.simulator.domain.manifests import (
    GROUP,
    PLURAL,
    RELEASE,
    WEBHOOK,
    credential_spec,
    hooks,
    kind,
)

Object = dict[str, Any]
IN_PROCESS = "https://gmsa-webhook.invalid"
"""What stands for the webhook's address where it is asked in this process."""


class EmbeddedWebhook:
    """See the module."""

    def __init__(self, cluster: Cluster, rbac: Rbac) -> None:
        self._cluster, self._rbac = cluster, rbac

    def mutate(self, request: Request, pod: Object) -> None:
        """Fill in contents; raises Failure with the API server's words."""
        if not self._concerns(request, "mutatingwebhookconfigurations"):
            return
        try:
            for one in webhook.additions(pod, self._specs(pod)):
                _add(pod, one["path"], one["value"])
        except webhook.Denied as no:
            raise _refused(no) from no

    def validate(self, request: Request, pod: Object, old: Object | None) -> None:
        """Refuse; raises Failure."""
        if not self._concerns(request, "validatingwebhookconfigurations"):
            return
        try:
            if old is not None:
                webhook.check_update(pod, old)
            else:
                specs = self._specs(pod)
                webhook.check_create(pod, specs, {name: self._may_use(request, pod, name) for name in specs})
        except webhook.Denied as no:
            raise _refused(no) from no

    def _concerns(self, request: Request, hooks: str) -> bool:
        """Whether the stored hook is there and its namespaceSelector takes in the request's Namespace."""
        stored = self._cluster.store.get(("admissionregistration.k8s.io", hooks), "", RELEASE)
        webhooks = stored.object.get("webhooks") or [] if stored is not None else []
        namespace = self._cluster.store.get(("", "namespaces"), "", request.namespace)
        labels = namespace.object["metadata"].get("labels") or {} if namespace is not None else {}
        return any(selected(one.get("namespaceSelector") or {}, labels) for one in webhooks)

    def _specs(self, pod: Object) -> Mapping[str, Object | None]:
        stored = {name: self._cluster.store.get((GROUP, PLURAL), "", name) for name in webhook.named(pod)}
        return {name: one.object if one is not None else None for name, one in stored.items()}

    def _may_use(self, request: Request, pod: Object, name: str) -> bool:
        account, place = pod["spec"].get("serviceAccountName") or "default", request.namespace
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{place}")
        user = User(f"system:serviceaccount:{place}:{account}", groups)
        wanted = {"namespace": place, "verb": "use", "group": GROUP, "resource": PLURAL, "name": name}
        return self._rbac.allows(user, wanted)


def install(directory: Directory, cluster: Cluster, rbac: Rbac) -> EmbeddedWebhook:
    """Put kind, credential spec and hooks into the store, and give the webhook."""
    status = {"acceptedNames": kind()["spec"]["names"], "storedVersions": ["v1"], "conditions": [
        {"type": "Established", "status": "True", "reason": "InitialNamesAccepted", "lastTransitionTime": now(),
         "message": "the initial names have been accepted"},
    ]}  # fmt: skip
    _put(cluster, ("apiextensions.k8s.io", "customresourcedefinitions"), {**kind(), "status": status})
    _put(cluster, (GROUP, PLURAL), credential_spec(directory))
    for path, hook in hooks(IN_PROCESS, ""):
        _put(cluster, ("admissionregistration.k8s.io", path.rpartition("/")[2]), hook)
    return EmbeddedWebhook(cluster, rbac)


def _put(cluster: Cluster, key: tuple[str, str], obj: Object) -> None:
    obj["metadata"] |= {"uid": cluster.new_uid(), "creationTimestamp": now(), "generation": 1}
    cluster.store.put(key, obj)


def _add(pod: Object, pointer: str, value: str) -> None:
    *steps, last = pointer.strip("/").split("/")
    place: Any = pod
    for step in steps:
        place = place[int(step)] if isinstance(place, list) else place[step]
    place[last] = value


def _refused(no: webhook.Denied) -> Failure:
    return Failure(no.code, "", f'admission webhook "{WEBHOOK}" denied the request: {no.why}')

