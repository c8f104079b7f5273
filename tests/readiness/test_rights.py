"""The rights of a run: exactly those that `op-readiness rbac` prints are enough, and each that is missing is named."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from op_readiness.cli import code_of
from op_readiness.cluster.api import Cluster
from op_readiness.model.abilities import CATEGORIES
from op_readiness.runner.rbac import objects
from op_readiness.runner.rights import Right, recorded, rights_of
from tests.product import ROOT, SCALE, run, wait_for
from tests.readiness.conftest import start_cluster
from tests.readiness.test_unusable import changed

pytestmark = pytest.mark.cluster
USER = "system:serviceaccount:default:op-readiness"
NETWORK = "Core.Network"
REAL = pytest.param("real", marks=pytest.mark.skipif(
    not os.environ.get("KUBEBUILDER_ASSETS"), reason="no KUBEBUILDER_ASSETS: rights under the real API server left out"
))  # fmt: skip


@pytest.fixture(scope="module", params=["embedded", REAL])
def admin(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A kubeconfig of somebody who may do everything."""
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp(request.param)
        yield start_cluster(stack, folder, "--nodes", "windows=2,linux=2", "--control-plane", request.param)


@pytest.fixture(scope="module")
def limited(admin: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A kubeconfig of a ServiceAccount that has what `op-readiness rbac --category Core.Network` prints."""
    return with_rights(admin, tmp_path_factory.mktemp("limited"), NETWORK, "op-readiness")


def with_rights(admin: str, folder: Path, category: str, name: str) -> str:
    """A kubeconfig of a new ServiceAccount `default/NAME` that has what is printed for a category, as roles `NAME`."""
    printed = run("rbac", "--category", category, "--service-account", f"default/{name}", folder=folder)
    assert printed.code == 0, printed.said
    cluster = Cluster.open(admin)
    meta = {"name": name, "namespace": "default"}
    cluster.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta})
    for manifest in yaml.safe_load_all(printed.out):
        manifest["metadata"]["name"] = name
        if "roleRef" in manifest:
            manifest["roleRef"]["name"] = name
        cluster.create(manifest)
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 7200}}
    token = cluster.post("ServiceAccount", body, "default", name, "token")["status"]["token"]
    return changed(admin, folder, user={"token": str(token)})


def rights() -> list[Right]:
    return recorded(NETWORK) or []


def give(admin: str, limited: str, granted: list[Right], asked: Right, allowed: bool) -> None:
    """Let the rules be those of `granted`, and wait until the API server goes by them."""
    cluster, user = Cluster.open(admin), Cluster.open(limited)
    kept = {manifest["metadata"].get("namespace", ""): manifest for manifest in objects(granted)}
    for namespace in {right.namespace for right in rights()}:
        kind = "Role" if namespace else "ClusterRole"
        rules = kept.get(namespace, {"rules": []})["rules"]
        cluster.patch(kind, "op-readiness", namespace, {"rules": rules})
    wait_for(
        f"{asked} to be {allowed}",
        lambda: user.can_i(asked.verb, asked.resource, asked.namespace, name=asked.name) is allowed,
    )


def test_nothing_in_it_is_optional():
    """What follows takes every right away in turn."""
    assert not [right for right in rights() if right.optional]


@pytest.mark.parametrize("right", rights(), ids=str)
def test_each_right_that_is_missing_is_named(admin, limited, tmp_path, capsys, right):
    """One line, before anything is made: nothing was found out (3), nothing is said to have failed."""
    give(admin, limited, [one for one in rights() if one != right], right, False)
    try:
        before = {namespace["metadata"]["name"] for namespace in Cluster.open(admin).list("Namespace")}
        words = ["--kubeconfig", limited, *SCALE, "--category", NETWORK, "--report-dir", str(tmp_path / "report")]
        code, said = code_of(words), capsys.readouterr()
        assert code == 3, said
        lines = said.err.strip().splitlines()
        assert len(lines) == 1 and "Traceback" not in lines[0], said.err
        assert right.verb in lines[0] and right.resource.partition(".")[0] in lines[0], lines
        assert not (tmp_path / "report").exists()
        assert {namespace["metadata"]["name"] for namespace in Cluster.open(admin).list("Namespace")} == before
    finally:
        give(admin, limited, rights(), right, True)


def test_exactly_these_rights_are_enough(admin, limited, tmp_path, request):
    """The whole category passes under the real API server; two of its abilities do under the stand-in."""
    real = "real" in request.node.name
    words = ["--category", NETWORK] if real else ["--ability", "net-pod-ip-windows,net-dns-cluster"]
    ran = run("--kubeconfig", limited, *SCALE, *words, folder=tmp_path, patience=600)
    assert ran.code == 0, ran.said
    assert {result["outcome"] for result in ran.results.values()} == {"passed"}, ran.said
    assert ran.report["facts"]["user"] == USER
    assert (ran.report["warnings"], ran.report["leftovers"]) == ([], []), ran.said


@pytest.mark.parametrize(
    ("category", "abilities"),
    [
        ("Extend.HostProcess", "hp-hcn-rules,hp-admission-rejections"),
        ("Extend.ActiveDirectory", "ad-runasusername-defaults,ad-network-service-host-objects"),
    ],
)
def test_exactly_the_rights_of_other_categories_are_enough(admin, tmp_path, category, abilities):
    """Abilities that ask for what others do not: policies of HNS beside Services, privileged Namespaces, dry runs."""
    kubeconfig = with_rights(admin, tmp_path, category, category.lower().replace(".", "-"))
    words = ["--ability", abilities, "--disruptive", "--yes"]
    ran = run("--kubeconfig", kubeconfig, *SCALE, *words, folder=tmp_path, patience=300)
    assert {result["outcome"] for result in ran.results.values()} == {"passed"}, ran.said
    assert (ran.code, ran.report["warnings"], ran.report["leftovers"]) == (0, [], []), ran.said


def test_what_ships_is_what_the_command_prints(tmp_path):
    """The file in the repository, for everything whose rights are recorded."""
    categories = [name for name in CATEGORIES if recorded(name)]
    printed = run("rbac", "--category", ",".join(categories), folder=tmp_path)
    assert printed.out == (ROOT / "sonobuoy" / "rbac.yaml").read_text("utf-8"), printed.said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--category", "Core.Netwrok"], "did you mean Core.Network?"),
        (["--service-account", "op-readiness", "--category", NETWORK], "NAMESPACE/NAME"),
    ],
)
def test_what_cannot_be_printed_is_refused(tmp_path, words, said):
    """A usage error, and no half of a role."""
    ran = run("rbac", *words, folder=tmp_path)
    assert (ran.code, ran.out, said in ran.err) == (2, "", True), ran.said


def test_a_category_without_recorded_rights_is_refused(monkeypatch, capsys):
    """A role that is too small would be found out in the middle of a run."""
    monkeypatch.setattr("op_readiness.runner.rights.recorded", lambda category: None)
    assert rights_of([NETWORK]) == ([], [NETWORK])
    assert code_of(["rbac", "--category", NETWORK]) == 2
    assert "have not been recorded" in capsys.readouterr().err


def test_the_files_are_sound():
    """Every recorded file can be read, and names verbs that RBAC knows."""
    verbs = {"create", "delete", "deletecollection", "get", "list", "patch", "update", "use", "watch"}
    files = sorted(Path(ROOT / "categories").glob("*/rights.yaml"))
    assert files
    for file in files:
        entries: list[dict[str, Any]] = yaml.safe_load(file.read_text("utf-8"))
        assert {verb for entry in entries for verb in entry["verbs"]} <= verbs
        assert set().union(*entries) <= {"resource", "verbs", "namespace", "names", "optional"}
