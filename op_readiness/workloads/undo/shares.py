r"""Files on shares put back: by a Pod of the GMSA that may delete there, as long as the run's objects are still there.

The webhook wants the credential spec by its name, and the ServiceAccount's right to use it: the right is given for the
replay alone, and carries the run's label like everything else.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from typing import Any

from op_readiness.cluster.api import Cluster
from op_readiness.cluster.errors import ApiError, Conflict
from op_readiness.workloads.labels import run_labels
from op_readiness.workloads.undo.host import mark
from op_readiness.workloads.undo.journal import NotUndone, undoes
from op_readiness.workloads.undo.pods import make_namespace, run_to_end, undo_namespace

UNC = re.compile(r"\\\\[A-Za-z0-9_.:$\\-]+")
GROUP = "windows.k8s.io"
NOT_YET, SEEN_WITHIN, PAUSE = "is not authorized to `use`", 10.0, 0.5


@undoes("share file")
def remove_share_file(cluster: Cluster, data: dict[str, Any]) -> None:
    """`node`, `path` (UNC), `credential_spec` (name of the GMSACredentialSpec): the file goes."""
    path = str(data["path"])
    if not UNC.fullmatch(path) or mark(data["run_id"]) not in path or ".." in path:
        raise NotUndone(f"path {path!r} is no file of run {data['run_id']}")
    _run(cluster, data, removing(path))


def as_account(cluster: Cluster, data: Mapping[str, Any], command: str) -> bool:
    """Whether a command line of cmd ends well in a Pod of the account."""
    try:
        _run(cluster, data, command)
    except NotUndone:
        return False
    return True


def _run(cluster: Cluster, data: Mapping[str, Any], command: str) -> None:
    """Run it; the webhook may see the right that was just given a moment later, and refuses until then."""
    _give_right(cluster, data)
    spec = {"securityContext": {"windowsOptions": {"gmsaCredentialSpecName": data["credential_spec"]}}}
    until = cluster.clock.now() + SEEN_WITHIN
    while True:
        try:
            return run_to_end(cluster, data, ["cmd", "/S", "/C", command], spec)
        except ApiError as error:
            if NOT_YET not in error.message or cluster.clock.now() > until:
                raise
            cluster.clock.sleep(PAUSE)


def removing(path: str) -> str:
    """The command line that removes a file of a share; exit code 1 where it stays, or its folder is not reached."""
    folder = path.rpartition("\\")[0]
    return f"dir /b {folder} >NUL || exit 1 & del /f /q {path} & if exist {path} (exit 1) else (exit 0)"


def _give_right(cluster: Cluster, data: Mapping[str, Any]) -> None:
    namespace, name = undo_namespace(data["run_id"]), f"{mark(data['run_id'])}-undo"
    labels = run_labels(data["run_id"])
    rule = {
        "apiGroups": [GROUP], "resources": ["gmsacredentialspecs"], "verbs": ["use"],
        "resourceNames": [data["credential_spec"]],
    }  # fmt: skip
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": {"name": name, "labels": labels}, "rules": [rule]}  # fmt: skip
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": namespace}],
    }  # fmt: skip
    make_namespace(cluster, data["run_id"])
    for manifest in (role, binding):
        with contextlib.suppress(Conflict):
            cluster.create(manifest)
