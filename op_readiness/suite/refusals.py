"""Refusals of Pods that say something of the cluster's policies and nothing of its Windows Nodes."""

from __future__ import annotations

from op_readiness.model.errors import CouldNotTell, NotTested, SkipReason

POD_SECURITY = "violates PodSecurity"
"""How Pod Security's refusal begins, after the Pod's name."""


def by_pod_security(words: str) -> bool:
    """Whether these words of the API server are a refusal of Pod Security's."""
    return POD_SECURITY in words


def without_privileges(error: CouldNotTell) -> NotTested | None:
    """The typed skip where Pod Security refused every Pod of `error`; None where something else was the matter."""
    words = [finding.seen for finding in error.findings]
    if not words or not all(map(by_pod_security, words)):
        return None
    return NotTested(f"requires privileged Pods: {words[0]}", reason=SkipReason.MISSING_RIGHT)
