"""What several readiness tests of Core.Network are given."""

import pytest

from op_readiness.model.errors import NotTested, SkipReason
from op_readiness.observe.addresses import Addresses
from op_readiness.observe.targets import Exposed
from op_readiness.suite.subjects.network.beyond_services import Affinity, Hairpin
from op_readiness.suite.subjects.network.custom_dns import CustomRecords
from op_readiness.suite.subjects.network.names import ClusterNames, OutsideNames, cluster_dns_or_skip
from op_readiness.suite.subjects.network.nodes_and_pods import NodePaths
from op_readiness.suite.subjects.network.service_life import NamedServices, Recreation, with_a_pod_moved
from op_readiness.suite.subjects.network.slice_routing import SliceRouting
from op_readiness.suite.subjects.network.stateful import Stateful


@pytest.fixture
def windows_servers(workshop, windows_nodes):
    """A new echo Pod on each selected Windows Node, running; its readiness is left to those who judge it."""
    manifests = [
        workshop.echo_pod(f"windows-{n}", "windows", node, probed=False) for n, node in enumerate(windows_nodes)
    ]
    return workshop.pods(manifests, until_ready=False)


@pytest.fixture
def linux_servers(workshop, linux_nodes):
    """A new echo Pod on each of up to two Linux Nodes, running."""
    manifests = [workshop.echo_pod(f"linux-{n}", "linux", node, probed=False) for n, node in enumerate(linux_nodes)]
    return workshop.pods(manifests, until_ready=False)


@pytest.fixture
def linux_echo(workshop, linux_nodes):
    """Two Linux echo Pods behind a ClusterIP Service."""
    return workshop.echo("linux", linux_nodes, count=2)


@pytest.fixture
def windows_echo(workshop, windows_nodes):
    """Windows echo Pods, one on each selected Node and at least two, behind a ClusterIP Service."""
    return workshop.echo("windows", windows_nodes, count=max(2, len(windows_nodes)))


@pytest.fixture
def linux_node_port(workshop, linux_nodes):
    """Two Linux echo Pods behind a NodePort Service."""
    return workshop.echo("linux", linux_nodes, count=2, kind="NodePort")


@pytest.fixture
def windows_node_port(workshop, windows_nodes):
    """Windows echo Pods, on each selected Node one and two at least, behind NodePorts; one equals its port."""
    exposed = workshop.echo("windows", windows_nodes, count=max(2, len(windows_nodes)), kind="NodePort")
    return workshop.with_equal_ports(exposed)


@pytest.fixture
def move_a_pod(workshop, windows_nodes):
    """Makes the first Pod of a Service anew on another Windows Node, if there is one; the old one is gone."""
    return lambda exposed: with_a_pod_moved(workshop, exposed, windows_nodes)


@pytest.fixture
def other_nodes(windows_nodes, facts):
    """Nodes whose NodePort a Windows Pod asks: the selected Windows Nodes and one Linux Node that is Ready."""
    nodes = [*windows_nodes, *[node for node in facts.nodes if node.os == "linux" and node.ready][:1]]
    if len(nodes) < 2:
        raise NotTested("one Windows Node and no other: only its own NodePort is left", reason=SkipReason.TOO_FEW_NODES)
    return nodes


@pytest.fixture
def canary(context):
    """The standing Service over the standing Windows servers."""
    standing = context.standing["canary"]
    return Exposed(standing["service"], tuple(standing["pods"]), domain=context.facts.dns_domain)


@pytest.fixture
def named_services(workshop, windows_nodes):
    """Makes Services of three serve-hostname Pods."""
    return NamedServices(workshop, windows_nodes)


@pytest.fixture
def recreation(workshop, reach, clients, windows_nodes):
    """A Service to be recreated, answering."""
    made = Recreation(workshop, reach, clients, windows_nodes)
    made.start()
    return made


@pytest.fixture
def stateful(workshop, reach, clients):
    """A StatefulSet of three Windows Pods, Ready."""
    made = Stateful(workshop, reach, clients)
    made.start()
    return made


@pytest.fixture
def slice_routing(workshop, reach, clients, windows_nodes):
    """Pods and Services of the EndpointSlice tests, Ready."""
    made = SliceRouting(workshop, reach, clients, windows_nodes)
    made.start()
    return made


@pytest.fixture
def crowds(workshop, windows_nodes):
    """Ten new echo Pods on each selected Windows Node, fewer where it has no room, never below three."""
    return workshop.crowds(windows_nodes, size=10, least=3)


@pytest.fixture
def addresses(cluster, facts, asker, recorder, threads):
    """Observes addresses of many Pods."""
    return Addresses(cluster, facts, asker, recorder, threads)


@pytest.fixture
def hairpin(workshop, reach, asker, windows_nodes):
    """On each selected Windows Node a Pod alone behind its own Service, Ready."""
    made = Hairpin(workshop, reach, asker, windows_nodes)
    made.start()
    return made


@pytest.fixture
def affinity(workshop, reach, asker, windows_clients, windows_nodes):
    """Three Windows Pods behind a Service whose session affinity is turned on and off, Ready."""
    made = Affinity(workshop, reach, asker, windows_clients, windows_nodes)
    made.start()
    return made


@pytest.fixture
def node_paths(workshop, asker, windows_nodes, clients):
    """Ways between Windows Nodes and Pods."""
    return NodePaths(workshop, asker, windows_nodes, clients)


@pytest.fixture
def cluster_names(cluster, facts, asker, reach, recorder, context, windows_clients):
    """Looks up names of the cluster from every Windows client."""
    cluster_dns_or_skip(facts)
    return ClusterNames(cluster, facts, asker, reach, recorder, context.standing["namespace"], windows_clients)


@pytest.fixture
def outside_names(cluster_names, workshop, standing_linux):
    """Looks up names outside the cluster."""
    return OutsideNames(cluster_names, workshop, standing_linux)


@pytest.fixture
def custom_records(workshop, facts, windows_nodes, asker, reach):
    """Pods with DNS settings of their own, running."""
    cluster_dns_or_skip(facts)
    made = CustomRecords(workshop, facts, windows_nodes, asker, reach)
    made.start()
    return made
