"""Which client asks which target."""

from __future__ import annotations

from op_readiness.model.facts import NodeFact
from op_readiness.observe import paths
from op_readiness.observe.shell import Client
from op_readiness.observe.targets import Exposed

NODES = [NodeFact(f"win-{n}", "windows", "10.0.20348", internal_ips=(f"10.240.0.{10 + n}",)) for n in (1, 2, 3)]
CLIENTS = [Client.at("ns", f"client-{node.name}", node) for node in NODES]
SERVICE = {
    "metadata": {"name": "echo", "namespace": "ns"},
    "spec": {"clusterIP": "10.96.0.7", "ports": [{"name": "http", "port": 80, "nodePort": 30080}]},
}


def asked(pairs):
    return {(client.place.node, target.host) for client, target in pairs}


def test_no_client_is_judged_by_the_node_port_of_its_own_node():
    """Each asks every other Node; its own is asked apart, to be recorded."""
    exposed = Exposed(SERVICE, ())
    ips = {node.name: node.internal_ips[0] for node in NODES}
    others = asked(paths.to_other_nodes(CLIENTS, exposed, NODES))
    assert others == {(mine, ip) for mine in ips for other, ip in ips.items() if other != mine}
    assert asked(paths.to_own_node(CLIENTS, exposed, NODES)) == set(ips.items())
