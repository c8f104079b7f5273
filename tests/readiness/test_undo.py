"""A run that is killed between a change outside its Namespaces and its undoing: `cleanup` puts it back."""

from __future__ import annotations

import json
import secrets
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Any

import pytest

from op_readiness.cluster.api import Cluster
from op_readiness.cluster.watching import wait_for
from op_readiness.runner import lease
from op_readiness.workloads import scripts
from op_readiness.workloads.images import Images
from op_readiness.workloads.labels import own_namespace, run_labels
from op_readiness.workloads.services import namespace
from op_readiness.workloads.undo import journal, shares
from op_readiness.workloads.undo.host import HOST_PROCESS
from op_readiness.workloads.undo.pods import make_namespace, run_to_end
from tests.product import ROOT, run
from tests.readiness.conftest import objects_in

pytestmark = [pytest.mark.cluster, pytest.mark.skipif(sys.platform != "linux", reason="kills a process by its number")]
RUN, NODE = "k9k9k9", "win-1"
MARK = f"opr-{RUN}"


@dataclass(frozen=True)
class Change:
    """A change of one kind: its data for the journal, and the commands that make it and look for it on a Node."""

    kind: str
    data: dict[str, Any]
    make: str = ""
    look: str = ""
    patch: dict[str, Any] = field(default_factory=dict)


TAINT = {"key": f"{MARK}/t", "effect": "NoSchedule"}
FOLDER, KEY = rf"C:\{MARK}-folder", rf"HKLM\SOFTWARE\{MARK}"
CHANGES = [
    Change("taint", {"node": NODE, **TAINT}, patch={"taints": [TAINT]}),
    Change("cordon", {"node": NODE}, patch={"unschedulable": True}),
    Change("host folder", {"node": NODE, "path": FOLDER}, f"mkdir {FOLDER} && echo x> {FOLDER}\\f",
           f"if not exist {FOLDER} exit 1"),
    Change("host file", {"node": NODE, "path": f"C:\\{MARK}.txt"}, f"echo x> C:\\{MARK}.txt",
           f"if not exist C:\\{MARK}.txt exit 1"),
    Change("local group", {"node": NODE, "name": f"{MARK}-g"}, f"net localgroup {MARK}-g /add",
           f"net localgroup {MARK}-g"),
    Change("registry key", {"node": NODE, "key": KEY}, f"reg add {KEY} /v nonce /t REG_SZ /d 1 /f", f"reg query {KEY}"),
    Change("firewall rule", {"node": NODE, "name": f"{MARK}-r"},
           f"netsh advfirewall firewall add rule name={MARK}-r dir=in action=allow protocol=TCP localport=20001",
           f"netsh advfirewall firewall show rule name={MARK}-r"),
]  # fmt: skip

OTHER_KINDS = ("HNS policy", "share file")
"""Kinds that have a test of their own here, since more than a command on the Node makes and finds them."""

KILLED = """
import json, os, signal, sys
from op_readiness.cluster.api import Cluster
from op_readiness.workloads.undo import journal
from tests.readiness import test_undo
kubeconfig, kind, data, act, words = sys.argv[1], sys.argv[2], *map(json.loads, sys.argv[3:])
cluster = Cluster.open(kubeconfig)
journal.write_down(cluster, test_undo.RUN, journal.new_key(), kind, data)
getattr(test_undo, act)(cluster, *words)
os.kill(os.getpid(), signal.SIGKILL)
"""


def kill_after(kubeconfig: str, kind: str, data: dict[str, Any], act: str, *words: Any) -> None:
    """A process of a run writes a change down, makes it by `act` of this file, and is killed with -9."""
    argv = [sys.executable, "-c", KILLED, kubeconfig, kind, *map(json.dumps, (data, act, words))]
    killed = subprocess.run(argv, check=False, timeout=120, cwd=ROOT, capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr


def make(cluster: Cluster, node: str, patch: dict[str, Any], line: str) -> None:
    """Change a Node: its object by a patch, or itself by a line of cmd."""
    if patch:
        cluster.patch("Node", node, "", {"spec": patch})
    else:
        run_to_end(cluster, {"node": node, "run_id": RUN}, ["cmd.exe", "/c", line], HOST_PROCESS)


def test_every_kind_of_change_is_killed_and_put_back_here() -> None:
    """Who registers another kind adds its test."""
    assert {change.kind for change in CHANGES} | set(OTHER_KINDS) == set(journal.UNDO)


def changed(cluster: Cluster, change: Change) -> bool:
    """Whether it is there now."""
    if change.patch:
        spec = cluster.get("Node", NODE)["spec"]
        return all(spec.get(key) == value for key, value in change.patch.items())
    try:
        run_to_end(cluster, {"node": NODE, "run_id": "looks"}, ["cmd.exe", "/c", change.look], HOST_PROCESS)
    except journal.NotUndone:
        return False
    return True


def begin(cluster: Cluster) -> None:
    """What a run makes first."""
    cluster.create(namespace(own_namespace(RUN), run_labels(RUN)))
    cluster.create(lease.manifest(lease.NAME, own_namespace(RUN), RUN))
    journal.open_journal(cluster, RUN)


@pytest.mark.parametrize("change", CHANGES, ids=[change.kind for change in CHANGES])
def test_a_change_of_a_killed_run_is_put_back(kubeconfig, tmp_path, change):
    """Written down, made, killed with -9; then `cleanup` undoes it, and nothing of the run is left."""
    cluster = Cluster.open(kubeconfig)
    before, nodes = objects_in(kubeconfig), cluster.get("Node", NODE)["spec"]
    begin(cluster)
    kill_after(kubeconfig, change.kind, change.data, "make", NODE, change.patch, change.make)
    assert changed(cluster, change)
    cleaned = run("cleanup", "--kubeconfig", kubeconfig, "--run", RUN, "--force", folder=tmp_path)
    assert cleaned.code == 0, cleaned.said
    assert not changed(cluster, change)
    assert cluster.get("Node", NODE)["spec"] == nodes
    run("cleanup", "--kubeconfig", kubeconfig, "--force", folder=tmp_path)
    assert objects_in(kubeconfig) == before


def on_the_share(cluster: Cluster, run_id: str, command: str) -> bool:
    """Whether a command of a Pod with the domain's account ends well; made in a Namespace of a run's undoing."""
    data = {"node": NODE, "run_id": run_id, "credential_spec": "webapp01"}
    return shares.as_account(cluster, data, command)


def test_a_file_on_a_share_is_removed_by_the_account_that_may(kubeconfig, tmp_path):
    """Written, killed with -9; `cleanup` makes a Pod of the same account, which alone may delete there."""
    cluster, path = Cluster.open(kubeconfig), rf"\\files.corp.example\apps\{MARK}.txt"
    begin(cluster)
    data = {"node": NODE, "path": path, "credential_spec": "webapp01"}
    kill_after(kubeconfig, "share file", data, "on_the_share", RUN, f"echo x> {path}")
    assert on_the_share(cluster, RUN, f"type {path}")
    cleaned = run("cleanup", "--kubeconfig", kubeconfig, "--run", RUN, "--force", folder=tmp_path)
    assert cleaned.code == 0, cleaned.said
    assert not on_the_share(cluster, "looks", f"type {path}")
    assert on_the_share(cluster, "looks", r"dir /b \\files.corp.example\apps")
    run("cleanup", "--kubeconfig", kubeconfig, "--force", folder=tmp_path)


VIP, PORT = "192.0.2.77", 25077


def of_hns(cluster: Cluster, act: str, endpoint: str = "") -> dict[str, Any]:
    """What hns-policy.ps1 says in a HostProcess Pod of an onlooker."""
    where, name = make_namespace(cluster, "looks"), f"hns-{act}-{secrets.token_hex(2)}"
    env = scripts.environment({"OPR_ACT": act, "OPR_VIP": VIP, "OPR_PORT": PORT, "OPR_ENDPOINT": endpoint})
    command = scripts.command("hns-policy", on_host=True)
    main = {"name": "main", "image": Images().agnhost, "command": command, "env": env}
    spec = {**HOST_PROCESS, "os": {"name": "windows"}, "nodeName": NODE, "restartPolicy": "Never", "containers": [main]}
    meta = {"name": name, "namespace": where, "labels": run_labels("looks")}
    cluster.create({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})
    over = ("Succeeded", "Failed")
    wait_for(cluster, "Pod", where, lambda pod: pod and pod["status"].get("phase") in over, name=name, within=60)
    return json.loads(cluster.logs(name, where, "main"))


def test_a_load_balancer_of_hns_is_put_back(kubeconfig, tmp_path):
    """Made for the endpoint of a Pod, killed with -9; `cleanup` removes it, and no other."""
    cluster = Cluster.open(kubeconfig)
    begin(cluster)
    where = make_namespace(cluster, "looks")
    main = {"name": "main", "image": Images().agnhost, "args": ["pause"]}
    meta = {"name": "end", "namespace": where, "labels": run_labels("looks")}
    spec = {"os": {"name": "windows"}, "nodeName": NODE, "containers": [main], "terminationGracePeriodSeconds": 0}
    cluster.create({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})
    end = wait_for(cluster, "Pod", where, lambda pod: pod and pod["status"].get("podIP"), name="end", within=60)
    before = of_hns(cluster, "list")
    kill_after(kubeconfig, "HNS policy", {"node": NODE, "vip": VIP, "port": PORT}, "of_hns", "create", end)
    made = of_hns(cluster, "list")
    assert (made["error"], len(made["ours"])) == ("", 1), made
    cleaned = run("cleanup", "--kubeconfig", kubeconfig, "--run", RUN, "--force", folder=tmp_path)
    assert cleaned.code == 0, cleaned.said
    after = of_hns(cluster, "list")
    assert (after["ours"], after["lists"]) == ([], before["lists"])
    run("cleanup", "--kubeconfig", kubeconfig, "--force", folder=tmp_path)


def test_what_was_never_made_is_undone_too(kubeconfig, tmp_path):
    """Killed between writing down and changing: there is nothing to remove, and the journal ends empty all the same."""
    cluster = Cluster.open(kubeconfig)
    begin(cluster)
    for change in CHANGES:
        journal.write_down(cluster, RUN, journal.new_key(), change.kind, change.data)
    cleaned = run("cleanup", "--kubeconfig", kubeconfig, "--run", RUN, "--force", folder=tmp_path)
    assert (cleaned.code, cluster.find("Namespace", own_namespace(RUN))) == (0, None), cleaned.said


def test_what_does_not_carry_the_runs_name_is_never_removed(kubeconfig, tmp_path):
    """Whoever can edit a journal cannot have a folder of the Node removed; the entry stays, and is told."""
    cluster = Cluster.open(kubeconfig)
    begin(cluster)
    journal.write_down(cluster, RUN, journal.new_key(), "host folder", {"node": NODE, "path": r"C:\k"})
    cleaned = run("cleanup", "--kubeconfig", kubeconfig, "--run", RUN, "--force", folder=tmp_path)
    assert (cleaned.code, "is no name of run" in cleaned.said) == (3, True), cleaned.said
    cluster.delete("Namespace", own_namespace(RUN))
    wait_for(cluster, "Namespace", "", lambda found: found is None, name=own_namespace(RUN), within=30)
