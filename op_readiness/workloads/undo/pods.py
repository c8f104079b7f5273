"""A Pod that puts something back: in a Namespace of its own beside the run's, run to its end and removed."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from op_readiness.cluster.api import Cluster
from op_readiness.cluster.errors import ApiError, Conflict
from op_readiness.cluster.watching import WatchTimeout, wait_for
from op_readiness.workloads import pull_secret
from op_readiness.workloads.images import Images
from op_readiness.workloads.labels import own_namespace, run_labels
from op_readiness.workloads.services import namespace
from op_readiness.workloads.undo.journal import NotUndone

WITHIN = 180.0
"""Real seconds for such a Pod: its image was on the Node when the change was made."""
ACCOUNT_WITHIN = 30.0


def undo_namespace(run_id: str) -> str:
    """Where the Pods of a replay run; privileged, for HostProcess ones."""
    return f"{own_namespace(run_id)}-undo"


def run_to_end(
    cluster: Cluster, data: Mapping[str, Any], command: Sequence[str], spec: Mapping[str, Any],
    env: Mapping[str, str] | None = None,
) -> None:  # fmt: skip
    """Run `command` on the Node `data["node"]`; raises NotUndone unless it ends with exit code 0.

    The Pod is bound to its Node without the scheduler, and tolerates everything: also a Node that the run itself has
    cordoned or tainted has to be put back.
    """
    name, within = make_namespace(cluster, data["run_id"]), float(data.get("within") or WITHIN)
    pod = f"undo-{secrets.token_hex(4)}"
    secret = bool(cluster.find("Secret", pull_secret.NAME, name))
    container = {
        "name": "main", "image": data.get("image") or Images().agnhost, "command": list(command),
        "env": [{"name": key, "value": value} for key, value in (env or {}).items()],
    }  # fmt: skip
    body: dict[str, Any] = {
        "os": {"name": "windows"}, "nodeName": data["node"], "nodeSelector": {"kubernetes.io/os": "windows"},
        "tolerations": [{"operator": "Exists"}], "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 1, "restartPolicy": "Never", "containers": [container], **spec,
    }  # fmt: skip
    if secret:
        body["imagePullSecrets"] = [{"name": pull_secret.NAME}]
    meta = {"name": pod, "namespace": name, "labels": run_labels(data["run_id"])}
    cluster.create({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": body})
    try:
        over = wait_for(cluster, "Pod", name, _over, name=pod, within=within)
        if over["status"]["phase"] != "Succeeded":
            raise NotUndone(f"on Node {data['node']}: {' '.join(command)[:200]}: {_said(cluster, pod, name, over)}")
    except WatchTimeout as error:
        raise NotUndone(f"on Node {data['node']}: {' '.join(command)[:200]}: Pod not over in {within:g} s") from error
    finally:
        cluster.delete("Pod", pod, name, grace=0)


def make_namespace(cluster: Cluster, run_id: str) -> str:
    """The Namespace of a replay, in which Pods can be made."""
    name = undo_namespace(run_id)
    with contextlib.suppress(Conflict):
        cluster.create(namespace(name, run_labels(run_id), "privileged"))
    wait_for(cluster, "ServiceAccount", name, lambda found: found or None, within=ACCOUNT_WITHIN)
    secret = cluster.find("Secret", pull_secret.NAME, own_namespace(run_id))
    if secret is not None:
        with contextlib.suppress(Conflict):
            pull_secret.put(cluster, secret, name, run_id)
    return name


def _over(pod: dict[str, Any] | None) -> dict[str, Any] | None:
    return pod if pod and (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed") else None


def _said(cluster: Cluster, pod: str, name: str, over: Mapping[str, Any]) -> str:
    try:
        text = cluster.logs(pod, name, "main").strip()[-200:]
    except ApiError:
        text = ""
    status = over["status"]
    ended = ((status.get("containerStatuses") or [{}])[0].get("state") or {}).get("terminated") or {}
    return text or ended.get("message") or status.get("message") or f"exit code {ended.get('exitCode')}"
