"""Admission: what the built-in plugins change and refuse, in the order of a real API server.

Namespace life cycle, ServiceAccount, priority, RuntimeClass and tolerations change a new object; Pod Security judges
it after validation, then LimitRanges and ResourceQuotas.
"""

from __future__ import annotations

from typing import Any, Protocol

from op_readiness.simulator.controlplane.admission.limitranges import LimitRanges
from op_readiness.simulator.controlplane.admission.podsecurity.plugin import PodSecurity
from op_readiness.simulator.controlplane.admission.quotas import Quotas
from op_readiness.simulator.controlplane.kinds.pod_admission import PodAdmission
from op_readiness.simulator.controlplane.store.requests import Request
from op_readiness.simulator.controlplane.store.storage import Store
from op_readiness.simulator.controlplane.wire.failures import forbidden, not_found

Object = dict[str, Any]


class Webhook(Protocol):
    """An admission webhook that is asked in this process: after the plugins, and again after validation."""

    def mutate(self, request: Request, pod: Object) -> None:
        """Change a new Pod; raises Failure."""

    def validate(self, request: Request, pod: Object, old: Object | None) -> None:
        """Refuse a new or changed Pod; raises Failure."""


class Admission:
    """The plugins, over one store, and `webhook` if there is one."""

    def __init__(self, store: Store, pods: PodAdmission, security: PodSecurity) -> None:
        self._store, self._pods, self._security = store, pods, security
        self._limits, self._quotas = LimitRanges(store), Quotas(store)
        self.webhook: Webhook | None = None

    def mutate(self, request: Request, obj: Object, old: Object | None) -> None:
        """Change what plugins change; refuse what they refuse before validation."""
        if old is None:
            self._namespace(request, obj)
            if request.plural == "pods":
                self._limits.fill(obj)
                self._pods.admit(obj)
                if self.webhook is not None:
                    self.webhook.mutate(request, obj)
        if request.plural == "priorityclasses" and obj.get("globalDefault"):
            self._one_default(obj)

    def validate(self, request: Request, obj: Object, old: Object | None) -> None:
        """Refuse (or warn of) what plugins refuse after validation."""
        if request.subresource in ("", "ephemeralcontainers"):
            self._limits.judge(request, obj, old)
            self._security.judge(request, obj, old)
            if self.webhook is not None and request.plural == "pods" and not request.subresource:
                self.webhook.validate(request, obj, old)
            self._quotas.charge(request, obj, old)

    def _one_default(self, obj: Object) -> None:
        name = obj["metadata"]["name"]
        for stored in self._store["scheduling.k8s.io", "priorityclasses"].listed():
            other = stored.object["metadata"]["name"]
            if stored.object.get("globalDefault") and other != name:
                why = f"PriorityClass {other} is already marked as default. Only one default can exist"
                raise forbidden("priorityclasses", "scheduling.k8s.io", name, why)

    def _namespace(self, request: Request, obj: Object) -> None:
        resource = request.served
        if not resource.namespaced:
            return
        namespace = self._store.get(("", "namespaces"), "", request.namespace)
        if namespace is None:
            raise not_found("namespaces", "", request.namespace)
        if "deletionTimestamp" in namespace.object["metadata"]:
            raise self._going(request, obj["metadata"]["name"])

    def _going(self, request: Request, name: str) -> Exception:
        resource = request.served
        text = f"unable to create new content in namespace {request.namespace} because it is being terminated"
        failure = forbidden(resource.plural, resource.group, name, text)
        cause = {
            "reason": "NamespaceTerminating",
            "message": f"namespace {request.namespace} is being terminated",
            "field": "metadata.namespace",
        }
        failure.details = {**(failure.details or {}), "causes": [cause]}
        return failure
