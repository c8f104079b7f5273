"""What a network cannot have by design, or was not set up for, is told with its reason; the rest is judged."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from op_readiness.cluster.errors import Call, Invalid
from op_readiness.model.errors import NotApplicable, NotTested
from op_readiness.model.facts import Facts, NodeFact
from op_readiness.model.findings import Outcome
from op_readiness.observe.recorder import Recorder
from op_readiness.observe.shell import Answer, Client
from op_readiness.suite.subjects.concurrent.at_once import AtOnce
from op_readiness.suite.subjects.network.beyond_services import Affinity
from op_readiness.suite.subjects.network.by_family import Families
from op_readiness.suite.subjects.network.dual_stack import DualStack
from op_readiness.suite.subjects.network.names import OutsideNames, cluster_dns_or_skip
from op_readiness.suite.subjects.network.nodes_and_pods import FIREWALL, Met, NodePaths, Try

from ..storage.bench import NODES, Bench, bench, client_on

ONE, TWO = NODES
OVERLAY = {"flannel.alpha.coreos.com/backend-type": "vxlan"}


def skipped(recorder: Recorder) -> list[tuple[str, str]]:
    return [(part.path, part.reason) for part in recorder.parts if part.outcome is Outcome.SKIPPED]


def with_families(made: Bench, *families: str, overlay: bool) -> None:
    """A cluster whose Services have these families, and whose Nodes are in an overlay or not."""
    def create(manifest: dict[str, Any], dry_run: bool = False) -> dict[str, Any]:
        spec = manifest["spec"]
        asked = ["IPv4", "IPv6"] if spec.get("ipFamilyPolicy") == "RequireDualStack" else spec["ipFamilies"]
        if set(asked) - set(families):
            raise Invalid(Call("POST", "services"), status=422)
        return manifest

    made.cluster.create = create  # type: ignore[method-assign]
    for n, node in enumerate(NODES):
        address = "fd00::1" if families == ("IPv6",) else f"10.0.0.{n}"
        made.cluster.objects["Node", node.name] = {
            "metadata": {"annotations": OVERLAY if overlay else {}},
            "status": {"addresses": [{"type": "InternalIP", "address": address}]},
        }


@pytest.mark.parametrize(("families", "overlay", "there", "left_out"), [
    (("IPv4", "IPv6"), False, ["IPv4", "IPv6"], []),
    (("IPv4",), True, ["IPv4"], ["not configured: the API server refuses IPv6 Services"]),
    (("IPv4", "IPv6"), True, ["IPv4"], ["not applicable: the Pods of win-1, win-2 are in an overlay network"]),
])  # fmt: skip
def test_a_family_that_services_or_an_overlay_cannot_have_is_left_out(families, overlay, there, left_out):
    """The other one is tested."""
    with bench() as made:
        with_families(made, *families, overlay=overlay)
        assert Families(made.workshop).usable(NODES) == there
        reasons = [reason for _, reason in skipped(made.workshop.recorder)]
        assert all(reason.startswith(words) for reason, words in zip(reasons, left_out, strict=True))


def test_where_no_family_is_left_nothing_applies():
    """Services of IPv6 alone, and an overlay that has none."""
    with bench() as made, pytest.raises(NotApplicable, match="overlay network of the Windows Nodes has no IPv6"):
        with_families(made, "IPv6", overlay=True)
        Families(made.workshop).usable(NODES)


@pytest.mark.parametrize(("families", "overlay", "why"), [
    (("IPv4",), False, "the cluster is not dual-stack: Services and Linux Nodes have one family, Windows Nodes IPv4"),
    (("IPv4", "IPv6"), True, "in an overlay network, which has no IPv6"),
])  # fmt: skip
def test_dual_stack_does_not_apply_to_one_family_or_to_an_overlay(families, overlay, why):
    """The source says so."""
    with bench() as made, pytest.raises(NotApplicable, match=why):
        with_families(made, *families, overlay=overlay)
        DualStack(made.workshop, None, NODES, [], []).start()  # type: ignore[arg-type]


def test_builds_without_session_affinity_are_left_out_and_where_all_are_nothing_applies():
    """Server 2019 has none."""
    old = client_on(NodeFact("win-9", "windows", "10.0.17763"))
    with bench() as made:
        made.workshop.echo = lambda *args, **more: None  # type: ignore[method-assign, assignment, return-value]
        both = Affinity(made.workshop, None, None, [old, client_on(ONE)], NODES)  # type: ignore[arg-type]
        both.start()
        assert both.clients == [client_on(ONE)]
        (path, reason), = skipped(made.workshop.recorder)
        assert path == "ClusterIP with affinity" and reason.startswith("build 10.0.17763 has no session affinity")
        with pytest.raises(NotApplicable, match="no Windows Node has a build with session affinity"):
            Affinity(made.workshop, None, None, [old], NODES).start()  # type: ignore[arg-type]


def test_a_port_that_a_firewall_may_close_is_not_judged():
    """It is told as a warning."""
    with bench() as made:
        node = NodeFact("win-2", "windows", "10.0.20348", internal_ips=("10.0.0.2",))
        closed = Try(client_on(ONE), node, Met.SILENCE, "TIMEOUT", tries=3)
        paths = NodePaths.__new__(NodePaths)
        paths.workshop = made.workshop
        paths._record(closed, [closed])
        assert skipped(made.workshop.recorder) == [("Node IP", FIREWALL)]
        assert made.workshop.recorder.notes.texts == [f"warning: win-2:10250: {FIREWALL}"]


@pytest.mark.parametrize(("dns_ip", "api", "why"), [
    ("", "10.96.0.1", "the cluster has no DNS Service"),
    ("fd00::a", "fd00::1", "the API's Service has an IPv6 address"),
])  # fmt: skip
def test_names_are_not_asked_in_many_pods_without_a_dns_of_ipv4(dns_ip, api, why):
    """The Pods were asked by their addresses."""
    with bench() as made:
        made.workshop.context = SimpleNamespace(facts=Facts("", "", nodes=(), dns_ip=dns_ip))  # type: ignore[assignment]
        made.cluster.objects["Service", "kubernetes"] = {"spec": {"clusterIP": api}}
        AtOnce(made.workshop, None, None, NODES, [client_on(ONE)]).each_must_resolve()  # type: ignore[arg-type]
        assert skipped(made.workshop.recorder) == [("DNS A", why)]


def test_a_cluster_without_a_dns_service_has_no_names_to_test():
    """With one they are."""
    cluster_dns_or_skip(Facts("", "", nodes=(), dns_ip="10.96.0.10"))
    with pytest.raises(NotTested, match="no DNS Service"):
        cluster_dns_or_skip(Facts("", "", nodes=()))


@pytest.mark.parametrize("linux", [True, False])
def test_names_outside_are_not_judged_where_linux_does_not_reach_them_either(linux):
    """Nor where there is no Linux Pod to compare with."""
    recorder = Recorder()
    asker = SimpleNamespace(ask=lambda client, asks: {"outside": [Answer(6, "Could not resolve host")]})
    names: Any = SimpleNamespace(clients=[client_on(ONE)], recorder=recorder, asker=asker)
    other = Client.at("n", "client-linux-1", NodeFact("linux-1", "linux", "6.8"))
    OutsideNames(names, None, [other] if linux else []).outside_must_be_reached()
    ((path, reason),) = skipped(recorder)
    assert path == "outside name" and ("not reached from a Linux Pod either" if linux else "no Linux Node") in reason
