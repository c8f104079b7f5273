"""Extend.Worker: from Windows Nodes themselves to other Nodes and their node ports."""

from op_readiness.suite import ability


@ability("wk-node-ping")
def test_nodes_answer_one_another(node_pings):
    node_pings.must_come_back()


@ability("wk-node-nodeport-tcp-udp")
def test_nodes_reach_services_by_node_ports(node_ports):
    node_ports.must_answer()
