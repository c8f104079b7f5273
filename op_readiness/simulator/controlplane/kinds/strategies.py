"""One table: what is done to an object of each resource when it is created, updated and deleted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from op_readiness.simulator.controlplane.kinds import (
    defaults,
    defaults_pods,
    defaults_workloads,
    granted,
    names,
    others,
    pods,
    prepare,
    services,
    warnings,
    workloads,
)
from op_readiness.simulator.controlplane.store.registry import Key
from op_readiness.simulator.controlplane.wire.failures import FieldError

Object = dict[str, Any]
Change = Callable[[Object], None]
Validate = Callable[[Object, Object | None], list[FieldError]]
Adapt = Callable[[Object, Object], None]
RBAC = "rbac.authorization.k8s.io"


def _nothing(_: Object) -> None:
    """The kind needs nothing here."""


def _valid(_: Object, __: Object | None) -> list[FieldError]:
    return []


def _unchanged(_: Object, __: Object) -> None:
    """An update of this kind is taken as it comes."""


def _silent(_: Object) -> list[str]:
    return []


@dataclass(frozen=True)
class Strategy:
    """`default` fills in values, `prepare` sets what clients may not, `validate(new, old)` refuses.

    `adapt(new, old)` carries allocated values over an update; `warn` tells of what passes with a warning.

    `generation`: metadata.generation counts changes of the spec, and with `annotated` of annotations too.

    `returned`: a DELETE answers with the object.
    `orphan`: a DELETE without a policy leaves dependents alone. `put_creates`: a PUT may create.
    `unsupported` says why none may be created at all.
    """

    default: Change = _nothing
    prepare: Change = _nothing
    validate: Validate = _valid
    adapt: Adapt = _unchanged
    warn: Callable[[Object], list[str]] = _silent
    name: names.NameRule = names.subdomain
    generation: bool = False
    annotated: bool = False
    returned: bool = False
    orphan: bool = False
    put_creates: bool = False
    unsupported: str = ""


NO_KINDS = "this API server serves recorded kinds alone: it cannot take CustomResourceDefinitions"
NO_WEBHOOKS = "this API server calls no admission webhooks, so it takes no webhook configurations"

STRATEGIES: dict[Key, Strategy] = {
    ("", "pods"): Strategy(
        defaults_pods.pod, prepare.pod, pods.pod, warn=warnings.of_pod, generation=True, returned=True
    ),
    ("", "podtemplates"): Strategy(defaults_workloads.pod_template, returned=True),
    ("", "namespaces"): Strategy(
        defaults.namespace, prepare.namespace, others.namespace, name=names.dns_label, returned=True
    ),
    ("", "nodes"): Strategy(prepare=prepare.node),
    ("", "services"): Strategy(
        defaults.service,
        prepare.service,
        services.service,
        defaults.service_update,
        warnings.of_service,
        name=names.service_name,
        returned=True,
        put_creates=True,
    ),
    ("", "endpoints"): Strategy(defaults.endpoints, put_creates=True),
    ("", "events"): Strategy(defaults.event, validate=others.event, put_creates=True),
    ("", "configmaps"): Strategy(validate=others.config_map),
    ("", "secrets"): Strategy(defaults.secret, validate=others.secret),
    ("", "serviceaccounts"): Strategy(returned=True),
    ("", "persistentvolumes"): Strategy(defaults.volume, prepare.volume, returned=True),
    ("", "persistentvolumeclaims"): Strategy(defaults.claim, prepare.claim, others.claim, returned=True),
    ("", "limitranges"): Strategy(defaults.limit_range, validate=granted.limit_range, put_creates=True),
    ("", "resourcequotas"): Strategy(prepare=prepare.plain_status, validate=granted.quota, returned=True),
    ("", "replicationcontrollers"): Strategy(
        defaults_workloads.replication_controller, prepare.replicas_status, generation=True, orphan=True
    ),
    ("apps", "deployments"): Strategy(
        defaults_workloads.deployment,
        prepare.plain_status,
        workloads.replicated,
        warn=warnings.of_template,
        generation=True,
        annotated=True,
    ),
    ("apps", "replicasets"): Strategy(
        defaults_workloads.replica_set,
        prepare.replicas_status,
        workloads.replicated,
        warn=warnings.of_template,
        generation=True,
    ),
    ("apps", "statefulsets"): Strategy(
        defaults_workloads.stateful_set,
        prepare.stateful_set,
        workloads.replicated,
        warn=warnings.of_template,
        generation=True,
    ),
    ("apps", "daemonsets"): Strategy(
        defaults_workloads.daemon_set,
        prepare.daemon_set,
        workloads.daemon_set,
        warn=warnings.of_template,
        generation=True,
    ),
    ("batch", "jobs"): Strategy(defaults_workloads.job, prepare.job, workloads.job, generation=True, orphan=True),
    ("networking.k8s.io", "networkpolicies"): Strategy(
        defaults.network_policy, validate=others.network_policy, generation=True
    ),
    ("discovery.k8s.io", "endpointslices"): Strategy(
        defaults.endpoint_slice, validate=others.endpoint_slice, generation=True
    ),
    ("policy", "poddisruptionbudgets"): Strategy(prepare=prepare.disruption_budget, generation=True),
    ("scheduling.k8s.io", "priorityclasses"): Strategy(
        defaults.priority_class, validate=others.priority_class, generation=True
    ),
    ("storage.k8s.io", "storageclasses"): Strategy(defaults.storage_class, returned=True),
    ("apiextensions.k8s.io", "customresourcedefinitions"): Strategy(unsupported=NO_KINDS),
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations"): Strategy(unsupported=NO_WEBHOOKS),
    ("admissionregistration.k8s.io", "validatingwebhookconfigurations"): Strategy(unsupported=NO_WEBHOOKS),
    ("storage.k8s.io", "csidrivers"): Strategy(returned=True),
    ("storage.k8s.io", "csinodes"): Strategy(returned=True),
    ("storage.k8s.io", "volumeattachments"): Strategy(returned=True),
    (RBAC, "roles"): Strategy(defaults.role, name=names.path_segment),
    (RBAC, "clusterroles"): Strategy(defaults.role, name=names.path_segment),
    (RBAC, "rolebindings"): Strategy(defaults.binding, validate=others.role_binding, name=names.path_segment),
    (RBAC, "clusterrolebindings"): Strategy(defaults.binding, validate=others.role_binding, name=names.path_segment),
}
PLAIN = Strategy()


def strategy_of(key: Key) -> Strategy:
    """The strategy of a resource."""
    return STRATEGIES.get(key, PLAIN)
