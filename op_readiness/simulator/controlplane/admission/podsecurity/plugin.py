"""Applies a Namespace's Pod Security labels: refuses Pods, warns of workloads and of tightened Namespaces."""

from __future__ import annotations

import re
from typing import Any

from op_readiness.simulator.controlplane.admission.podsecurity.standards import LATEST, Version, violations
from op_readiness.simulator.controlplane.store.requests import Request
from op_readiness.simulator.controlplane.store.storage import Store
from op_readiness.simulator.controlplane.wire.failures import forbidden

Object = dict[str, Any]
PREFIX = "pod-security.kubernetes.io/"
TEMPLATED = (
    "deployments",
    "statefulsets",
    "daemonsets",
    "replicasets",
    "replicationcontrollers",
    "jobs",
    "podtemplates",
)


class Policy:
    """Level and version that one mode of a Namespace asks for."""

    def __init__(self, labels: Object, mode: str) -> None:
        self.level = labels.get(f"{PREFIX}{mode}", "privileged")
        text = labels.get(f"{PREFIX}{mode}-version", "latest")
        match = re.fullmatch(r"v1\.(\d+)", text)
        self.version: Version = (1, int(match[1])) if match else LATEST
        self.name = f"{self.level}:{text if match else 'latest'}"

    def broken(self, spec: Object) -> list[tuple[str, str]]:
        """What a Pod's spec violates."""
        return violations(spec, self.level, self.version)


def _text(found: list[tuple[str, str]]) -> str:
    return ", ".join(f"{reason} ({detail})" if detail else reason for reason, detail in found)


class PodSecurity:
    """The plugin, over one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def judge(self, request: Request, obj: Object, old: Object | None) -> None:
        """Refuse a Pod that violates the enforced level; warn where the Namespace asks for warnings."""
        if request.plural == "namespaces":
            if old is not None:
                self._tightened(request, obj, old)
            return
        if request.plural != "pods" and request.plural not in TEMPLATED:
            return
        namespace = self._store.get(("", "namespaces"), "", request.namespace)
        labels = (namespace.object["metadata"].get("labels") or {}) if namespace is not None else {}
        if not any(key.startswith(PREFIX) for key in labels):
            return
        if request.plural == "pods":
            self._pod(request, obj, old, labels)
        else:
            self._workload(request, obj, labels)

    @staticmethod
    def _pod(request: Request, obj: Object, old: Object | None, labels: Object) -> None:
        if old is not None and old.get("spec") == obj.get("spec"):
            return
        enforced = Policy(labels, "enforce")
        broken = enforced.broken(obj["spec"])
        if broken:
            text = f'violates PodSecurity "{enforced.name}": {_text(broken)}'
            raise forbidden("pods", "", obj["metadata"]["name"], text)
        warn = Policy(labels, "warn")
        warned = warn.broken(obj["spec"])
        if warned and old is None:
            request.warnings.append(f'would violate PodSecurity "{warn.name}": {_text(warned)}')

    @staticmethod
    def _workload(request: Request, obj: Object, labels: Object) -> None:
        template = obj.get("template") if request.plural == "podtemplates" else obj.get("spec", {}).get("template")
        mode = "warn" if f"{PREFIX}warn" in labels else "enforce"
        policy = Policy(labels, mode)
        broken = policy.broken((template or {}).get("spec") or {})
        if broken:
            request.warnings.append(f'would violate PodSecurity "{policy.name}": {_text(broken)}')

    def _tightened(self, request: Request, obj: Object, old: Object) -> None:
        policy = Policy(obj["metadata"].get("labels") or {}, "enforce")
        before = Policy(old["metadata"].get("labels") or {}, "enforce")
        if policy.level == "privileged" or policy.name == before.name:
            return
        by_reason: dict[str, list[str]] = {}
        for pod in self._store["", "pods"].listed(obj["metadata"]["name"]):
            broken = policy.broken(pod.object["spec"])
            if broken:
                by_reason.setdefault(", ".join(reason for reason, _ in broken), []).append(
                    pod.object["metadata"]["name"]
                )
        if not by_reason:
            return
        name = obj["metadata"]["name"]
        text = f'existing pods in namespace "{name}" violate the new PodSecurity enforce level "{policy.name}"'
        request.warnings.append(text)
        for reasons, pods in sorted(by_reason.items(), key=lambda item: item[1]):
            others = len(pods) - 1
            more = f" (and {others} other pod{'s' if others != 1 else ''})" if others else ""
            request.warnings.append(f"{pods[0]}{more}: {reasons}")
