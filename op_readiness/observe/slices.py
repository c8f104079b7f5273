"""What the EndpointSlices of a Service offer, and waiting until they offer what they should."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from op_readiness.cluster.api import Cluster
from op_readiness.cluster.watching import WatchTimeout, wait_for
from op_readiness.model.errors import AbilityNotMet
from op_readiness.model.findings import Finding
from op_readiness.model.timeouts import Timeouts

Slice = dict[str, Any]
SERVICE_NAME = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
CONTROLLER = "endpointslice-controller.k8s.io"


def offered(slices: Iterable[Slice]) -> frozenset[tuple[str, int]]:
    """(address, port) pairs that slices offer as ready; an unset condition counts as ready."""
    return frozenset(
        (address, port["port"])
        for one in slices
        for endpoint in one.get("endpoints") or []
        if (endpoint.get("conditions") or {}).get("ready") is not False
        for address in endpoint["addresses"]
        for port in one.get("ports") or []
        if port.get("port")
    )


def slices_of(cluster: Cluster, namespace: str, service: str) -> list[Slice]:
    """The EndpointSlices of a Service."""
    return cluster.list("EndpointSlice", namespace, labels=f"{SERVICE_NAME}={service}")


def must_offer(
    cluster: Cluster, namespace: str, service: str, expected: frozenset[tuple[str, int]], *, timeouts: Timeouts,
    within: str = "slices_listed",
) -> list[Slice]:  # fmt: skip
    """The slices of `service` once they offer exactly `expected`; raises AbilityNotMet."""
    return must_become(
        cluster, namespace, service, lambda slices: offered(slices) == expected,
        expected=f"ready endpoints {_text(expected)}", timeouts=timeouts, within=within,
    )  # fmt: skip


def must_become(
    cluster: Cluster, namespace: str, service: str, met: Callable[[list[Slice]], bool], *, expected: str,
    timeouts: Timeouts, within: str = "slices_listed",
) -> list[Slice]:  # fmt: skip
    """The slices of `service` once `met`; raises AbilityNotMet with what they offered last."""
    try:
        found: tuple[list[Slice]] = wait_for(
            cluster, "EndpointSlice", namespace, lambda slices: (slices,) if met(slices) else None,
            labels=f"{SERVICE_NAME}={service}", within=timeouts.real(within),
        )  # fmt: skip
        return found[0]
    except WatchTimeout as error:
        slices = error.last or []
        raise AbilityNotMet(
            Finding(
                what="EndpointSlices do not follow the Pods",
                where=f"Service {namespace}/{service}",
                expected=f"{expected} within {getattr(timeouts, within):g} s",
                seen=f"{len(slices)} slices with {_text(offered(slices))}",
                hint="look at the EndpointSlice controller in the log of kube-controller-manager",
                code="endpointslices",
            )
        ) from error


def _text(pairs: frozenset[tuple[str, int]]) -> str:
    return ", ".join(f"{address}:{port}" for address, port in sorted(pairs)) or "no endpoint"
