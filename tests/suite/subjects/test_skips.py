"""What cannot be tested on a cluster is told with its reason, and nothing breaks on the way there."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from op_readiness.cluster.errors import ApiError, Call, Forbidden, NotFound
from op_readiness.model.errors import NotApplicable, NotTested, SkipReason
from op_readiness.model.facts import Facts, NodeFact
from op_readiness.model.findings import Outcome
from op_readiness.observe.checks import Checks
from op_readiness.observe.recorder import Recorder
from op_readiness.observe.shell import Answer
from op_readiness.suite.subjects.active_directory.gmsa import Domain, nodes_with_account
from op_readiness.suite.subjects.active_directory.gmsa_admission import GmsaAdmission
from op_readiness.suite.subjects.active_directory.inline_specs import InlineSpecs
from op_readiness.suite.subjects.active_directory.linux_fields import LinuxFields
from op_readiness.suite.subjects.active_directory.network_service import NetworkService
from op_readiness.suite.subjects.host_process.hns import HnsRules
from op_readiness.suite.subjects.host_process.network import ApiAccess
from op_readiness.suite.subjects.host_process.running import Ended, HostProcess
from op_readiness.suite.subjects.network_policy.policed import Policed
from op_readiness.suite.subjects.reboot import all_nodes
from op_readiness.suite.subjects.reboot.rejoin import Rejoin
from op_readiness.suite.subjects.scheduling.cpu_limit import CpuLimit
from op_readiness.suite.subjects.scheduling.full_node import FullNodes
from op_readiness.suite.subjects.worker.host_facts import Defender, must_not_be_closed
from op_readiness.suite.subjects.worker.leftovers import Leftovers
from op_readiness.suite.subjects.worker.node_paths import NodePings

from .storage.bench import NODES, bench, client_on

ONE, TWO = NODES
CALL = Call("POST", "pods")


def skipped(recorder: Recorder) -> list[tuple[str, str, str]]:
    """Path, Node and reason of each part that was not tested."""
    return [(p.path, p.source.node, p.reason) for p in recorder.parts if p.outcome is Outcome.SKIPPED]


def raises(error: Exception) -> Any:
    def raise_it(*_: Any, **__: Any) -> Any:
        raise error

    return raise_it


class Saying:
    """Nodes whose scripts say what was laid out, by Node."""

    def __init__(self, said: dict[str, Any], workshop: Any = None) -> None:
        self.nodes, self.said, self.workshop = list(NODES), said, workshop

    def ask(self, script: str, turn: int = 0) -> dict[str, Any]:
        return {node.name: self.said[node.name] for node in self.nodes}

    def nothing_may_be_unknown(self) -> None:
        """Each has spoken."""


SCANS = {"missing": "", "error": "", "realTime": False, "mode": "Passive"}
ABSENT = {"missing": "there is no command Get-MpPreference", "realTime": False, "mode": ""}


def test_a_node_without_defender_is_left_out_and_where_none_has_it_nothing_applies():
    """Another product may scan there."""
    recorder, hosts = Recorder(), Saying({"win-1": SCANS, "win-2": ABSENT})
    Defender(hosts, recorder).must_leave_out_containerd()  # type: ignore[arg-type]
    assert skipped(recorder) == [("Defender", "win-2", ABSENT["missing"])]
    none: Any = Saying({"win-1": ABSENT, "win-2": ABSENT})
    with pytest.raises(NotApplicable, match="no Windows Node has Microsoft Defender: there is no command"):
        Defender(none, Recorder()).must_leave_out_containerd()


def test_nodes_that_are_closed_by_design_are_not_asked():
    """As their operator says."""
    must_not_be_closed({})
    must_not_be_closed({"nodes": {"closed": False}})
    with pytest.raises(NotApplicable, match="log on to no Node"):
        must_not_be_closed({"nodes": {"closed": True}})


def test_a_node_without_another_is_not_pinged():
    """One without an IPv4 address is no other."""
    alone = NodeFact("win-1", "windows", "10.0.20348", internal_ips=("10.0.0.1",))
    other = NodeFact("linux-1", "linux", "6.8", internal_ips=("fd00::2",))
    hosts: Any = SimpleNamespace(nodes=[alone])
    with pytest.raises(NotTested, match="no other Node with an IPv4 address") as raised:
        NodePings(hosts, Facts("", "", nodes=(alone, other)), Recorder()).must_come_back()
    assert raised.value.reason is SkipReason.TOO_FEW_NODES


TOLD = {"missing": "", "error": "", "endpoints": [{"ip": "10.1.0.2", "remote": False}], "loadBalancers": 1,
        "vips": [], "shims": 1}  # fmt: skip
NO_HNS = {"missing": "there is no command Get-HnsEndpoint", "error": "", "endpoints": [], "loadBalancers": 0,
          "vips": [], "shims": 0}  # fmt: skip


def leftovers(one: dict[str, Any], two: dict[str, Any]) -> tuple[Leftovers, Recorder]:
    recorder = Recorder()
    pod = {"spec": {"nodeName": "win-1"}, "status": {"phase": "Running", "podIP": "10.1.0.2"}}
    cluster = SimpleNamespace(list=lambda kind: [pod] if kind == "Pod" else [])
    workshop = SimpleNamespace(cluster=cluster, recorder=recorder)
    hosts: Any = Saying({"win-1": one, "win-2": two}, workshop)
    return Leftovers(hosts), recorder


def test_a_node_whose_hns_cannot_be_asked_is_left_out_and_the_others_are_judged():
    """Where all are, nothing applies; a test that has more to ask goes on."""
    left, recorder = leftovers(TOLD, NO_HNS)
    left.count()
    left.must_be_none()
    assert skipped(recorder) == [("leftovers", "win-2", NO_HNS["missing"])]
    assert [p.source.node for p in recorder.parts if p.outcome is Outcome.PASSED] == ["win-1"]
    none, _ = leftovers(NO_HNS, NO_HNS)
    with pytest.raises(NotApplicable, match="HNS cannot be asked: there is no command"):
        none.count()
    none, recorder = leftovers(NO_HNS, NO_HNS)
    assert not none.count_where_one_may()
    assert [(node, why.partition(": ")[0]) for _, node, why in skipped(recorder)] == [
        ("win-1", "not applicable"), ("win-2", "not applicable"),
    ]  # fmt: skip


def test_load_balancers_that_hns_never_tells_of_are_not_judged():
    """The proxy of the Node keeps them elsewhere."""
    left, recorder = leftovers({**TOLD, "vips": ["10.96.0.7"]}, TOLD)
    left._wait = lambda: None  # type: ignore[method-assign]
    left._look_while_there({"10.96.0.7"})
    assert [(path, node) for path, node, _ in skipped(recorder)] == [("leftovers", "win-2")]


class Acting(HostProcess):
    """HostProcess Pods whose script says what was laid out, by Node."""

    said_by: dict[str, str]

    def script(self, name: str, script: str, given: Any) -> list[Ended]:
        pod = {"metadata": {"name": name, "namespace": "n"}}
        return [Ended(node, pod, 0, "exit code 0", self.said_by[node.name]) for node in self.nodes if given(node)]


def acting(said: dict[str, str]) -> tuple[HnsRules, Recorder]:
    recorder = Recorder()
    workshop: Any = SimpleNamespace(recorder=recorder, promise=lambda kind, data: None)
    pods = Acting(workshop, NODES, list(NODES))
    pods.said_by = said
    reach: Any = SimpleNamespace(every=lambda *_, **__: [])
    rules = HnsRules(pods, reach, [], ends={"win-1": "10.1.0.2", "win-2": "10.1.0.3"})
    rules.service = SimpleNamespace(by_cluster_ip=lambda: "10.96.0.9:80")  # type: ignore[assignment]
    return rules, recorder


WITHOUT = '{"missing": "vmcompute.dll is not there", "error": "", "created": "", "ours": [], "lists": []}'
WITH = '{"missing": "", "error": "", "created": "", "ours": [], "lists": []}'


def test_rules_of_hns_are_not_met_where_hns_can_be_asked_on_no_node():
    """That nothing was made, and traffic was well, shows nothing; a Node of several is left out once."""
    rules, recorder = acting({"win-1": WITHOUT, "win-2": WITHOUT})
    with pytest.raises(NotApplicable, match="on any Windows Node: vmcompute"):
        rules._managed(0, Checks(recorder))
    rules, recorder = acting({"win-1": WITH, "win-2": WITHOUT})
    checks = Checks(recorder)
    rules._managed(0, checks)
    assert skipped(recorder) == [("HNS", "win-2", "vmcompute.dll is not there")]
    taken = [(check.place.node, check.path.split()[0]) for check in checks.taken]
    assert taken == [("win-1", "list"), ("win-1", "create")]


def test_an_api_server_that_does_not_say_who_asks_is_too_old():
    """Any other refusal is something else."""
    pods: Any = SimpleNamespace(workshop=SimpleNamespace(cluster=SimpleNamespace(raw=lambda path: "")))
    pods.workshop.cluster.post = raises(NotFound(CALL, status=404))
    with pytest.raises(NotTested, match="requires SelfSubjectReview") as raised:
        ApiAccess(pods).must_be_known()
    assert raised.value.reason is SkipReason.VERSION
    pods.workshop.cluster.post = raises(Forbidden(CALL, status=403))
    with pytest.raises(Forbidden):
        ApiAccess(pods).must_be_known()


def policed(found: Any) -> Policed:
    workshop: Any = SimpleNamespace(cluster=SimpleNamespace(list=found))
    return Policed(workshop, None, NODES, [], {})  # type: ignore[arg-type]


def test_where_no_policy_takes_effect_and_no_engine_is_seen_nothing_applies():
    """One that may not look for an engine has found out nothing."""
    nothing = policed(lambda kind: [])._nowhere([])
    assert isinstance(nothing, NotApplicable) and "on no Windows Node, and no policy engine" in str(nothing)
    blind = policed(raises(Forbidden(CALL, status=403)))._nowhere([])
    assert isinstance(blind, NotTested) and blind.reason is SkipReason.MISSING_RIGHT


def test_nodes_that_cannot_use_the_account_are_not_asked():
    """By the labels that the operator gave."""
    with bench() as made:
        made.workshop.context.inputs["gmsa"] = {}
        assert nodes_with_account(made.workshop, NODES) == NODES
        made.workshop.context.inputs["gmsa"] = {"nodeSelector": {"domain": "joined"}}
        with pytest.raises(NotTested, match="none of the selected Windows Nodes has domain=joined"):
            nodes_with_account(made.workshop, NODES)


def test_without_a_webhook_its_refusals_do_not_apply():
    """As the facts of the run have it."""
    with bench() as made, pytest.raises(NotApplicable, match="no GMSA webhook"):
        GmsaAdmission(made.workshop, Domain("d", "s", "a"), ONE).must_refuse()


def test_a_webhook_that_takes_in_the_namespace_leaves_inline_specs_untested():
    """It refuses them before any kubelet sees one."""
    said = "the container spec does not define the name of the corresponding resource"
    with bench() as made, pytest.raises(NotTested, match="in spite of its labels"):
        made.cluster.create = raises(ApiError(CALL, status=422, message=said))  # type: ignore[method-assign]
        InlineSpecs(made.workshop, made.told, NODES).start()  # type: ignore[arg-type]


def altered(manifest: dict[str, Any], os: str = "") -> dict[str, Any]:
    spec = {**manifest["spec"], "securityContext": {}, "containers": [{"name": "main"}]}
    return {**manifest, "spec": {**spec, "os": {"name": os}} if os else spec}


@pytest.mark.parametrize(("os", "why"), [("windows", "adds spec.os"), ("", "alters the fields of Linux of container")])
def test_fields_of_linux_that_a_policy_takes_out_or_forbids_are_not_asked_about(os, why):
    """Windows never sees them."""
    with bench() as made, pytest.raises(NotTested, match=why):
        made.cluster.create = lambda manifest, **_: altered(manifest, os)  # type: ignore[method-assign]
        LinuxFields(made.workshop, made.told, NODES).start()  # type: ignore[arg-type]


def test_a_host_without_a_cmdlet_is_not_asked_for_what_it_tells():
    """The other cmdlets are judged."""
    told = ('{"addresses": {"missing": "no Get-NetIPAddress", "error": "", "value": []}, '
            '"routes": {"missing": "", "error": "", "value": ["0.0.0.0/0"]}, '
            '"dns": {"missing": "", "error": "", "value": ["10.0.0.53"]}, '
            '"hns": {"missing": "no Get-HnsNetwork", "error": "", "value": []}}')  # fmt: skip
    with bench() as made:
        asker: Any = SimpleNamespace(answer=lambda client, argv: Answer(0, told))
        checks = NetworkService(made.workshop, asker, [ONE])._objects(client_on(ONE), "10.0.0.1")
        assert [(check.path, check.good) for check in checks] == [
            ("Get-NetRoute", True), ("Get-DnsClientServerAddress", True),
        ]  # fmt: skip
        recorder = made.workshop.recorder
        assert skipped(recorder) == [("Get-NetIPAddress", "win-1", "no Get-NetIPAddress")]
        assert "no Get-HnsNetwork (recorded)" in recorder.notes.texts[-1]


def test_a_node_with_one_cpu_is_too_small_for_a_limit_of_half_a_core():
    """Where all are, nothing is tested."""
    with bench() as made:
        cpus = {"win-1": "4", "win-2": "1"}
        made.cluster.get = lambda kind, name: {"status": {"capacity": {"cpu": cpus[name]}}}  # type: ignore[method-assign]
        limit = CpuLimit(made.workshop, None, NODES)  # type: ignore[arg-type]
        assert limit._large_enough() == [ONE]
        assert skipped(made.workshop.recorder) == [
            ("CPU limit", "win-2", "1 CPU: a limit of half a core needs a Node with 2 or more")
        ]
        cpus["win-1"] = "1900m"
        with pytest.raises(NotTested, match="no Windows Node has 2 CPUs or more"):
            limit._large_enough()


def test_whole_nodes_are_filled_only_where_that_was_asked_for():
    """The part says how."""
    with bench() as made:
        FullNodes(made.workshop, NODES).must_refuse_more()
        assert skipped(made.workshop.recorder)[0][2].endswith("add --disruptive") and made.cluster.did == []


def test_many_pods_are_not_asked_of_a_node_that_has_no_room_for_them():
    """Before any is made."""
    small = NodeFact("win-1", "windows", "10.0.20348", pods_allocatable=12, pods_running=9)
    with bench() as made, pytest.raises(NotTested, match="Node win-1 has room for fewer than 5 more Pods"):
        made.workshop.crowds([small, TWO], size=10, least=5)


def test_a_node_that_was_replaced_when_it_restarted_does_not_rejoin():
    """It is told, and not judged."""
    recorder = Recorder()
    pods: Any = HostProcess(SimpleNamespace(recorder=recorder), NODES, list(NODES))  # type: ignore[arg-type]
    joins = Rejoin(pods, None, None, [])  # type: ignore[arg-type]
    joins.node, taken = ONE, []
    joins.kept = SimpleNamespace(had=lambda nodes: [])  # type: ignore[assignment]
    joins.restarting = SimpleNamespace(  # type: ignore[assignment]
        restart=lambda nodes: [SimpleNamespace(replaced=True)], take=lambda one, checks, when: taken.append(when)
    )
    with pytest.raises(NotApplicable, match="win-1 was replaced"):
        joins.must_rejoin()
    assert taken == ["after the restart"]


@pytest.mark.parametrize("nodes", [[ONE], [ONE, TWO]])
def test_without_linux_nobody_asks_the_service_while_nodes_restart(monkeypatch, nodes):
    """Pods of Nodes that are up ask those of the one that restarted, and with one Node only itself."""
    asked: list[Any] = []

    class Kept:
        """One Pod a Node, by its name."""

        def __init__(self, workshop: Any, asker: Any, nodes: Any) -> None:
            """Nothing is made."""

        def start(self) -> None:
            """Nothing is made."""

        def client(self, node: NodeFact) -> str:
            return f"Pod on {node.name}"

        def by_pod_ip(self, node: NodeFact) -> str:
            return f"IP on {node.name}"

        def name(self) -> list[str]:
            return ["kubernetes.default"]

    def note(reach: Any, pairs: Any, *_: Any) -> None:
        asked[:] = pairs

    monkeypatch.setattr(all_nodes, "Kept", Kept)
    monkeypatch.setattr(all_nodes, "must_be_well_before", note)
    monkeypatch.setattr(all_nodes, "must_be_well_after", note)
    with bench() as made:
        pods: Any = SimpleNamespace(start=lambda: None, workshop=made.workshop, nodes=nodes)
        restarting = SimpleNamespace(start=lambda: None)
        monkeypatch.setattr(all_nodes.Restarting, "of", lambda pods: restarting)
        test = all_nodes.AllNodes(pods, None, None, [])  # type: ignore[arg-type]
        test.start()
        names = [(f"Pod on {node.name}", "kubernetes.default") for node in nodes]
        across = [("Pod on win-2", "IP on win-1"), ("Pod on win-1", "IP on win-2")] if len(nodes) > 1 else []
        assert sorted(asked) == sorted([*names, *across])
        assert [(path, why[:34]) for path, _, why in skipped(made.workshop.recorder)] == [
            ("from Linux", "no Linux Node takes Pods: nobody a")
        ]
        assert test._look() is None
        test._traffic([ONE], ["win-1"])
        assert sorted(asked) == sorted([names[0], *across[:1]])
        test.hurt = {node.name for node in nodes}
        test.all_at_once()
        assert [path for path, _, _ in skipped(made.workshop.recorder)] == ["from Linux", "all at once"]
