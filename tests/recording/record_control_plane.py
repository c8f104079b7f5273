"""Records what the embedded API server knows of Kubernetes' resources from a real kube-apiserver.

Discovery, OpenAPI (names, types, list-map and merge keys; descriptive texts are left out), Table columns and the
default RBAC roles are facts of a version, so they are recorded and never typed. Needs a running kube-apiserver:

    python -m tests.recording.record_control_plane https://127.0.0.1:6443 ADMIN_TOKEN

Writes op_readiness/simulator/controlplane/data/kubernetes.json.gz; the same server gives the same bytes.
"""

from __future__ import annotations

import gzip
import json
import ssl
import sys
import urllib.request
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parents[2] / "op_readiness/simulator/controlplane/data/kubernetes.json.gz"
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
SERVED = {
    "v1": "bindings configmaps endpoints events limitranges namespaces nodes persistentvolumeclaims persistentvolumes "
    "pods podtemplates replicationcontrollers resourcequotas secrets serviceaccounts services",
    "apps/v1": "controllerrevisions daemonsets deployments replicasets statefulsets",
    "batch/v1": "jobs",
    "discovery.k8s.io/v1": "endpointslices",
    "coordination.k8s.io/v1": "leases",
    "networking.k8s.io/v1": "networkpolicies",
    "rbac.authorization.k8s.io/v1": "clusterroles clusterrolebindings roles rolebindings",
    "authentication.k8s.io/v1": "selfsubjectreviews tokenreviews",
    "authorization.k8s.io/v1": "localsubjectaccessreviews selfsubjectaccessreviews selfsubjectrulesreviews "
    "subjectaccessreviews",
    "events.k8s.io/v1": "events",
    "node.k8s.io/v1": "runtimeclasses",
    "scheduling.k8s.io/v1": "priorityclasses",
    "storage.k8s.io/v1": "csidrivers csinodes storageclasses volumeattachments",
    "apiextensions.k8s.io/v1": "customresourcedefinitions",
    "policy/v1": "poddisruptionbudgets",
    "admissionregistration.k8s.io/v1": "mutatingwebhookconfigurations validatingwebhookconfigurations",
}
EXTRA_KINDS = ("Status", "DeleteOptions", "Scale", "Eviction", "TokenRequest", "Binding", "Table", "WatchEvent")


class Server:
    """GETs from one kube-apiserver, decoded."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._token = url.rstrip("/"), token
        self._context = ssl._create_unverified_context()

    def get(self, path: str, accept: str = "application/json") -> Any:
        headers = {"Authorization": f"Bearer {self._token}", "Accept": accept}
        request = urllib.request.Request(self._url + path, headers=headers)
        with urllib.request.urlopen(request, context=self._context, timeout=30) as response:
            return json.load(response)


def prefix(group_version: str) -> str:
    return f"/api/{group_version}" if "/" not in group_version else f"/apis/{group_version}"


def discovery(server: Server) -> dict[str, Any]:
    """Resource lists by group version, holding served resources alone, in the server's order."""
    lists = {}
    for group_version, names in SERVED.items():
        served = names.split()
        found = server.get(prefix(group_version))["resources"]
        kept = [resource for resource in found if resource["name"].split("/")[0] in served]
        missing = set(served) - {resource["name"] for resource in kept}
        if missing:
            raise SystemExit(f"{group_version} has no {', '.join(sorted(missing))}")
        lists[group_version] = kept
    return lists


def aggregated(server: Server) -> dict[str, Any]:
    """The two aggregated discovery documents, holding served resources alone."""
    documents = {}
    for path in ("/api", "/apis"):
        document = server.get(path, AGGREGATED)
        for item in document["items"]:
            item["metadata"].pop("creationTimestamp", None)
            group = item["metadata"].get("name", "")
            item["versions"] = [v for v in (of_version(group, version) for version in item["versions"]) if v]
        document["items"] = [item for item in document["items"] if item["versions"]]
        documents[path] = document
    return documents


def of_version(group: str, version: dict[str, Any]) -> dict[str, Any] | None:
    served = SERVED.get(f"{group}/{version['version']}".lstrip("/"), "").split()
    version["resources"] = [resource for resource in version["resources"] if resource["resource"] in served]
    return version if version["resources"] else None


def without_texts(node: Any, *, names: bool = False) -> Any:
    """A schema without its descriptions; `names` says that the keys are field names."""
    if isinstance(node, list):
        return [without_texts(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {key: value for key, value in node.items() if names or key != "description"}
    return {key: without_texts(value, names=not names and key == "properties") for key, value in kept.items()}


def references(node: Any) -> set[str]:
    """Names of all schemas that this one refers to."""
    if isinstance(node, list):
        return set().union(*map(references, node))
    if not isinstance(node, dict):
        return set()
    own = {node["$ref"].rsplit("/", 1)[1]} if isinstance(node.get("$ref"), str) else set()
    return own.union(*map(references, node.values()))


def schemas(server: Server, resources: dict[str, Any]) -> dict[str, Any]:
    """Every schema that a served kind needs, by its OpenAPI name."""
    known: dict[str, Any] = {}
    for group_version in SERVED:
        known.update(server.get(f"/openapi/v3{prefix(group_version)}")["components"]["schemas"])
    kinds = {resource["kind"] for found in resources.values() for resource in found} | set(EXTRA_KINDS)
    wanted = {name for name in known if name.rsplit(".", 1)[1] in kinds or name.rsplit(".", 1)[1][:-4] in kinds}
    kept: dict[str, Any] = {}
    while wanted:
        name = wanted.pop()
        kept[name] = without_texts(known[name])
        wanted |= references(known[name]) - kept.keys()
    return dict(sorted(kept.items()))


def columns(server: Server, resources: dict[str, Any]) -> dict[str, Any]:
    """Table columns as [name, type, format, priority] by `resource` or `resource.group`."""
    found = {}
    for group_version, listed in resources.items():
        group = group_version.rpartition("/")[0]
        for resource in listed:
            if "list" in resource["verbs"]:
                table = server.get(f"{prefix(group_version)}/{resource['name']}?limit=1", TABLE)
                key = f"{resource['name']}.{group}" if group else resource["name"]
                found[key] = [[c["name"], c["type"], c["format"], c["priority"]] for c in table["columnDefinitions"]]
    return found


def default_roles(server: Server) -> list[Any]:
    """The roles and bindings that a new cluster has, without what each cluster sets itself."""
    objects = []
    for kind, plural in (
        ("ClusterRole", "clusterroles"),
        ("ClusterRoleBinding", "clusterrolebindings"),
        ("Role", "roles"),
        ("RoleBinding", "rolebindings"),
    ):
        for item in server.get(f"/apis/rbac.authorization.k8s.io/v1/{plural}")["items"]:
            for field in ("uid", "resourceVersion", "creationTimestamp", "managedFields"):
                item["metadata"].pop(field, None)
            objects.append({"kind": kind, "apiVersion": "rbac.authorization.k8s.io/v1", **item})
    return objects


def main(url: str, token: str) -> None:
    server = Server(url, token)
    resources = discovery(server)
    recorded = {
        "version": server.get("/version"),
        "groups": [
            group for group in server.get("/apis")["groups"] if group["preferredVersion"]["groupVersion"] in SERVED
        ],
        "resources": resources,
        "aggregated": aggregated(server),
        "schemas": schemas(server, resources),
        "columns": columns(server, resources),
        "roles": default_roles(server),
    }
    text = json.dumps(recorded, separators=(",", ":"), sort_keys=False)
    TARGET.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    sys.stdout.write(f"{TARGET.name}: {len(recorded['schemas'])} schemas, {TARGET.stat().st_size} bytes\n")


if __name__ == "__main__":
    main(*sys.argv[1:3])
