"""Lease, undo journal, clean-up and leftovers against a cluster of dictionaries."""

from __future__ import annotations

import pytest

from op_readiness.model.clock import TurnedClock
from op_readiness.model.errors import OpReadinessError
from op_readiness.runner import lease, leftovers
from op_readiness.runner.cleanup import remove_dead_runs, remove_run
from op_readiness.workloads.labels import own_namespace, run_labels
from op_readiness.workloads.services import namespace
from op_readiness.workloads.undo import journal

from .fakes import FakeCluster


@pytest.fixture
def undo(monkeypatch):
    """A kind of change that can be undone; gives what was undone."""
    undone: list = []
    monkeypatch.setitem(journal.UNDO, "taint", lambda cluster, data: undone.append(data["node"]))
    return undone


def run_of(cluster: FakeCluster, run_id: str) -> None:
    """What a run that was killed left."""
    own = own_namespace(run_id)
    cluster.create(namespace(own, run_labels(run_id)))
    cluster.create(lease.manifest(lease.NAME, own, run_id))
    journal.open_journal(cluster, run_id)
    cluster.create(namespace(f"{own}-abc", run_labels(run_id, "net-x")))
    pod = {"name": "p", "namespace": f"{own}-abc", "labels": run_labels(run_id)}
    cluster.create({"apiVersion": "v1", "kind": "Pod", "metadata": pod})


class Renewing(TurnedClock):
    """A clock on which somebody renews a Lease."""

    def __init__(self, cluster: FakeCluster, run_id: str) -> None:
        super().__init__()
        self.cluster, self.run_id = cluster, run_id

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        spec = {"spec": {"renewTime": f"t{self.now()}"}}
        self.cluster.patch("Lease", lease.NAME, own_namespace(self.run_id), spec)


def test_a_killed_run_is_removed_whole():
    """Nothing that carries the run's label stays, and a stranger's objects do."""
    cluster = FakeCluster(lingers=2)
    run_of(cluster, "dead")
    cluster.create(namespace("default", {}))
    said: list[str] = []
    remove_dead_runs(cluster, run_id="", force=False, within=60, say=said.append, clock=TurnedClock())
    assert list(cluster.objects) == [("namespaces", "", "default")]
    assert said[-1].startswith("run dead: ")


def test_a_run_whose_lease_is_renewed_is_left_alone():
    """A run that is alive keeps everything, whatever the clocks of two machines say."""
    cluster = FakeCluster()
    run_of(cluster, "alive")
    before, said = dict(cluster.objects), []
    clock = Renewing(cluster, "alive")
    remove_dead_runs(cluster, run_id="", force=False, within=60, say=said.append, clock=clock)
    assert cluster.objects.keys() == before.keys()
    assert "run alive is alive" in said[0]


def test_force_removes_a_run_that_is_alive():
    """Who says --force is believed."""
    cluster = FakeCluster()
    run_of(cluster, "alive")
    clock = Renewing(cluster, "alive")
    remove_dead_runs(cluster, run_id="alive", force=True, within=0, say=print, clock=clock)
    assert cluster.objects == {}


def test_what_does_not_go_is_left_with_its_command():
    """A Namespace that hangs is named, with what removes it by hand."""
    cluster = FakeCluster(lingers=10_000)
    run_of(cluster, "dead")
    done = remove_run(cluster, "dead", within=5, clock=TurnedClock())
    hanging = next(one for one in done.left if one.kind == "Namespace")
    assert "(being deleted)" in str(hanging)
    assert hanging.command == "kubectl delete namespaces opr-dead"


def test_changes_outside_are_put_back_newest_first(undo):
    """The journal is replayed backwards, and then the run's own Namespace goes."""
    cluster = FakeCluster()
    run_of(cluster, "dead")
    for number, node in enumerate(("win-1", "win-2")):
        journal.write_down(cluster, "dead", f"{number:03}", "taint", {"node": node})
    done = remove_run(cluster, "dead", within=60, clock=TurnedClock())
    assert undo == ["win-2", "win-1"]
    assert (done.problems, cluster.objects) == ([], {})


def test_a_journal_that_cannot_be_replayed_is_kept(undo, monkeypatch):
    """What could not be put back stays written down, in a Namespace that stays."""
    cluster = FakeCluster()
    run_of(cluster, "dead")
    journal.write_down(cluster, "dead", "1", "taint", {"node": "win-1"})
    monkeypatch.delitem(journal.UNDO, "taint")
    done = remove_run(cluster, "dead", within=60, clock=TurnedClock())
    assert len(done.problems) == 1
    assert cluster.find("ConfigMap", journal.NAME, "opr-dead")["data"].keys() == {"1"}


def test_a_change_that_nobody_can_undo_is_not_written_down():
    """A kind has to be registered before it is used."""
    cluster = FakeCluster()
    run_of(cluster, "x")
    with pytest.raises(KeyError, match="reboot"):
        journal.write_down(cluster, "x", "1", "reboot", {})


def test_leftovers_of_kinds_that_cannot_be_listed_stop_nothing():
    """An API that refuses one list is a problem that is told."""
    cluster = FakeCluster()
    run_of(cluster, "dead")
    cluster.refuses.add("storageclasses.storage.k8s.io")
    done = remove_run(cluster, "dead", within=60, clock=TurnedClock())
    assert any("storageclasses" in problem for problem in done.problems)


def test_a_lease_that_nobody_renews_is_nobodys():
    """Watched for its duration, then given up."""
    cluster, clock = FakeCluster(), TurnedClock()
    run_of(cluster, "dead")
    assert lease.is_renewed(cluster, lease.NAME, "opr-dead", clock=clock) is False
    assert clock.now() == lease.SECONDS


def test_the_exclusive_lease_of_a_dead_run_is_taken_over():
    """A run that was killed in its serial pass does not block the next for ever."""
    cluster = FakeCluster()
    cluster.create(lease.manifest(lease.EXCLUSIVE, lease.EXCLUSIVE_NAMESPACE, "dead"))
    held = lease.take_exclusive(cluster, "new", within=100, say=lambda _: None, clock=TurnedClock())
    spec = cluster.find("Lease", lease.EXCLUSIVE, lease.EXCLUSIVE_NAMESPACE)["spec"]
    held.release()
    assert spec["holderIdentity"].startswith("new@")
    assert cluster.objects == {}


def test_the_exclusive_lease_of_a_living_run_is_waited_for():
    """After the deadline it is an error that names the holder."""
    cluster = FakeCluster()
    cluster.create(lease.manifest(lease.EXCLUSIVE, lease.EXCLUSIVE_NAMESPACE, "other"))

    class Alive(TurnedClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            spec = {"spec": {"renewTime": str(self.now())}}
            cluster.patch("Lease", lease.EXCLUSIVE, lease.EXCLUSIVE_NAMESPACE, spec)

    with pytest.raises(OpReadinessError, match=r"other@.* holds the cluster"):
        lease.take_exclusive(cluster, "new", within=5, say=lambda _: None, clock=Alive())


def test_leftovers_are_found_by_label_and_named():
    """Kind, Namespace and name."""
    cluster = FakeCluster()
    run_of(cluster, "r")
    assert str(leftovers.find(cluster, "r")[0]) == "Namespace opr-r"
    assert "Pod opr-r-abc/p" in [str(one) for one in leftovers.find(cluster, "r")]
    assert leftovers.find(cluster, "other") == []
