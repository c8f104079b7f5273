"""Clusters that cannot be used: one line that says what was tried, what came back and what to do; no traceback."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from op_readiness.cluster.api import Cluster
from tests.product import SCALE, Ran, environment, run
from tests.readiness.conftest import objects_in, start_cluster

pytestmark = pytest.mark.cluster
READ = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list", "watch"]}
WRITE = {**READ, "verbs": ["*"]}


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A cluster without a Windows Node: nothing here gets so far as to use one."""
    with ExitStack() as stack:
        yield start_cluster(stack, tmp_path_factory.mktemp("linux"), "--nodes", "windows=0,linux=1")


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A cluster with a Windows Node."""
    with ExitStack() as stack:
        yield start_cluster(stack, tmp_path_factory.mktemp("mixed"), "--nodes", "windows=1,linux=1")


def one_line(ran: Ran, code: int, *said: str) -> None:
    """The command refused with `code` and one line that has all of `said`."""
    assert ran.code == code, ran.said
    lines = ran.err.strip().splitlines()
    assert len(lines) == 1, ran.said
    assert "Traceback" not in ran.said
    for words in said:
        assert words in lines[0], lines[0]


def changed(kubeconfig: str, folder: Path, **changes: dict[str, Any]) -> str:
    """A copy of a kubeconfig with other fields in its cluster and its user."""
    config = yaml.safe_load(Path(kubeconfig).read_text())
    config["clusters"][0]["cluster"] |= changes.get("cluster", {})
    config["users"][0]["user"] = changes.get("user", config["users"][0]["user"])
    path = folder / "changed.yaml"
    path.write_text(yaml.safe_dump(config))
    return str(path)


def ask(kubeconfig: str, folder: Path) -> Ran:
    return run("--kubeconfig", kubeconfig, *SCALE, "--ability", "net-pod-ip-windows", folder=folder)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "No such file"),
        ("", "is empty"),
        ("a: [b\n", "is no YAML"),
        ("just words\n", "is no kubeconfig"),
        ("\x00\x01", "is no YAML"),
        ("apiVersion: v1\nkind: Config\n", "no current-context"),
        ("current-context: a\ncontexts: [{name: a, context: {cluster: b}}]\n", "'b'"),
        ("current-context: a\ncontexts: 7\n", "contexts is no list"),
        ("current-context: a\ncontexts: [{name: a, context: {cluster: b}}]\nclusters: [{name: b, cluster: 7}]", "'b'"),
    ],
    ids=["missing", "empty", "broken", "words", "binary", "no context", "no cluster", "odd contexts", "odd cluster"],
)
def test_a_kubeconfig_that_is_none(tmp_path, text, said):
    """A file that cannot be used is a usage error that names it."""
    path = tmp_path / "kubeconfig"
    if text is not None:
        path.write_text(text)
    one_line(ask(str(path), tmp_path), 2, said, str(path))


def test_a_kubeconfig_that_cannot_be_read(tmp_path):
    """A directory; and a file without the right to read it, unless we are root, who may read everything."""
    one_line(ask(str(tmp_path), tmp_path), 2, str(tmp_path), "Is a directory")
    if os.geteuid():
        (path := tmp_path / "kubeconfig").touch(mode=0o000)
        one_line(ask(str(path), tmp_path), 2, str(path), "Permission denied", "make it readable")


def test_no_kubeconfig_at_all(tmp_path):
    """Where none is found it is said where was looked, and that a simulated cluster needs none."""
    kept = {name: value for name, value in environment(HOME=str(tmp_path)).items() if "KUBERNETES" not in name}
    one_line(run(folder=tmp_path, env=kept), 2, "--kubeconfig", "KUBECONFIG", str(tmp_path), "--provider simulated")


def test_nobody_listens(kubeconfig, tmp_path):
    """The address is named, and that it refused."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refused, and nobody else gets it meanwhile
        server = f"https://127.0.0.1:{taken.getsockname()[1]}"
        ran = ask(changed(kubeconfig, tmp_path, cluster={"server": server}), tmp_path)
    one_line(ran, 3, server, "refused")


def test_a_wrong_certificate_authority(kubeconfig, tmp_path, mixed):
    """A CA that did not sign the server's certificate is named as what to look at."""
    other = yaml.safe_load(Path(mixed).read_text())["clusters"][0]["cluster"]["certificate-authority"]
    ran = ask(changed(kubeconfig, tmp_path, cluster={"certificate-authority": other}), tmp_path)
    one_line(ran, 3, "https://127.0.0.1:", "certificate")


def test_a_refused_token(kubeconfig, tmp_path):
    """401 says who was refused."""
    one_line(ask(changed(kubeconfig, tmp_path, user={"token": "wrong"}), tmp_path), 3, "401", "https://127.0.0.1:")


def test_no_windows_node(kubeconfig, tmp_path):
    """A cluster of Linux Nodes alone has nothing to test."""
    one_line(ask(kubeconfig, tmp_path), 3, "no Windows Node", "kubernetes.io/os=windows")


@pytest.mark.parametrize(
    ("name", "rules", "missing"),
    [
        ("reader", [READ], "create namespaces, delete namespaces, create pods, create pods/exec, create services"),
        ("no-pods", [READ, {**WRITE, "resources": ["namespaces", "services", "configmaps", "leases"]}],
         "create pods, create pods/exec"),
    ],
    ids=["reader", "no Pods"],
)  # fmt: skip
def test_a_missing_right(mixed, tmp_path, name, rules, missing):
    """Rights without which nothing can be tested are named before anything is made."""
    before = objects_in(mixed)
    token = token_of(mixed, name, rules)
    before |= {f"ServiceAccount default/{name}", f"ClusterRole /{name}", f"ClusterRoleBinding /{name}"}
    user = f"system:serviceaccount:default:{name}"
    one_line(ask(changed(mixed, tmp_path, user={"token": token}), tmp_path), 3, user, f"may not {missing} on")
    assert objects_in(mixed) == before


def token_of(kubeconfig: str, name: str, rules: list[dict[str, Any]]) -> str:
    """A token of a new ServiceAccount with these rights."""
    cluster, meta, group = Cluster.open(kubeconfig), {"name": name}, "rbac.authorization.k8s.io"
    subject = {"kind": "ServiceAccount", "name": name, "namespace": "default"}
    role = {"apiGroup": group, "kind": "ClusterRole", "name": name}
    for manifest in (
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {**meta, "namespace": "default"}},
        {"apiVersion": f"{group}/v1", "kind": "ClusterRole", "metadata": meta, "rules": rules},
        {"apiVersion": f"{group}/v1", "kind": "ClusterRoleBinding", "metadata": meta, "subjects": [subject],
         "roleRef": role},
    ):  # fmt: skip
        cluster.create(manifest)
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    return str(cluster.post("ServiceAccount", body, "default", name, "token")["status"]["token"])
