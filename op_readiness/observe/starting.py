"""Pods that did not start, where starting is what is judged: the Node's fault, or something that says nothing of it.

An image that does not come, an address resource that a scheduler counts, or a webhook's word keep a Pod from starting
without the Node having had its chance: those stay errors.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from op_readiness.model.errors import AbilityNotMet, CouldNotTell

NOT_THE_NODES_DOING = (
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "Pulling",
    "no match for platform",
    "does not match the host operating system",
    "Unschedulable",
    "FailedScheduling",
    "nodes are available",
    "does not exist",
)


def as_judged(error: CouldNotTell) -> Exception:
    """The same findings as a failure, if it was Pods that did not come up and the Node could have started them."""
    about_pods = all(finding.code == "pods" for finding in error.findings)
    words = " ".join(f"{finding.what} {finding.seen}" for finding in error.findings)
    if not about_pods or any(word in words for word in NOT_THE_NODES_DOING):
        return error
    return AbilityNotMet(*error.findings)


def with_former_owners(
    error: AbilityNotMet, pods: Iterable[Mapping[str, Any]], used: Mapping[str, str]
) -> AbilityNotMet:
    """The same, with who had the addresses of the accused Nodes' Pods before: `used` maps an address to its former Pod.

    An address that came from another Node may meet what this one remembers of it (microsoft/Windows-Containers#631).
    """
    had = [(pod["metadata"]["name"], pod["spec"].get("nodeName", ""), pod["status"].get("podIP", "")) for pod in pods]
    findings = []
    for finding in error.findings:
        again = [(ip, name) for name, node, ip in had if ip in used and node in finding.nodes]
        lines = [f"{ip} of {name} was used by {used[ip]}" for ip, name in again]
        findings.append(replace(finding, seen="\n".join([finding.seen, *lines])))
    return AbilityNotMet(*findings)


def percentile(values: Sequence[float], part: float) -> float:
    """The value that `part` (0 to 1) of the values do not exceed, by nearest rank; 0 of none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)] if ordered else 0.0


def grows(values: Sequence[float], *, by_factor: float, by_seconds: float, window: int = 10) -> bool:
    """Whether the median of the last `window` values is that much above the median of the first."""
    if len(values) < 2 * window:
        return False
    first, last = percentile(values[:window], 0.5), percentile(values[-window:], 0.5)
    return last > by_factor * first and last > first + by_seconds
