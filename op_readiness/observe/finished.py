"""Pods that run to their end: waited for, and what they wrote."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from typing import Any

from op_readiness.cluster.api import Cluster
from op_readiness.cluster.errors import ApiError
from op_readiness.cluster.watching import WatchTimeout, wait_for
from op_readiness.model.errors import CouldNotTell
from op_readiness.model.findings import Finding
from op_readiness.model.timeouts import Timeouts
from op_readiness.observe.pods import nodes_of, not_up, running
from op_readiness.observe.recorder import Recorder

Pod = dict[str, Any]
OVER = ("Succeeded", "Failed")
LOG_TRIES = 2
"""A kubelet that does not answer twice is not there; each try takes the whole time of an API call."""


def wait_for_ends(
    cluster: Cluster, namespace: str, names: Collection[str], *, timeouts: Timeouts, within: str = "pods_ready"
) -> dict[str, Pod]:
    """The Pods `names`, all of which have ended, well or not; raises CouldNotTell."""
    wanted = frozenset(names)

    def met(pods: Iterable[Pod]) -> dict[str, Pod] | None:
        over = {
            pod["metadata"]["name"]: pod for pod in pods
            if pod["metadata"]["name"] in wanted and (pod.get("status") or {}).get("phase") in OVER
        }  # fmt: skip
        return over if len(over) == len(wanted) else None

    try:
        return wait_for(cluster, "Pod", namespace, met, within=timeouts.real(within))
    except WatchTimeout:
        pods = [
            pod for pod in cluster.list("Pod", namespace)
            if pod["metadata"]["name"] in wanted and (pod.get("status") or {}).get("phase") not in OVER
        ]  # fmt: skip
        waited = getattr(timeouts, within)
        if pods and all(running(pod) for pod in pods):
            raise CouldNotTell(_not_over(namespace, pods, waited)) from None
        raise not_up(cluster, namespace, wanted, pods, until_ready=False, waited=waited) from None


def _not_over(namespace: str, pods: list[Pod], waited: float) -> Finding:
    names = ", ".join(f"Pod {namespace}/{pod['metadata']['name']}" for pod in pods[:4])
    nodes = nodes_of(pods)
    hint = f"kubectl -n {namespace} logs {pods[0]['metadata']['name']}"
    return Finding("Pods that should end run on", names, f"their end within {waited:g} s", "Running", hint, nodes,
                   code="pods")  # fmt: skip


def written(cluster: Cluster, recorder: Recorder, pod: Pod, timeouts: Timeouts, container: str = "main") -> str:
    """What a Pod has written so far, which makes it a witness; raises CouldNotTell when its log cannot be read."""
    meta = pod["metadata"]
    try:
        text = cluster.logs(
            meta["name"], meta["namespace"], container, tries=LOG_TRIES, read=timeouts.real("api_call")
        )
    except ApiError as error:
        where = f"Pod {meta['namespace']}/{meta['name']} (Node {pod['spec'].get('nodeName', '')})"
        raise CouldNotTell(
            Finding(
                "The log of a Pod of ours cannot be read", where, "what it wrote", error.message or str(error),
                f"kubectl -n {meta['namespace']} logs {meta['name']}", (pod["spec"].get("nodeName", ""),), code="logs",
            )
        ) from error  # fmt: skip
    text = text.replace("\r\n", "\n")
    recorder.witness(meta["namespace"], meta["name"], "log", text)
    return text


def json_lines(text: str) -> list[dict[str, Any]]:
    """The lines of a text that are JSON objects."""
    found = []
    for line in text.splitlines():
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            found.append(value)
    return found
