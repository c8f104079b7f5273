"""Core.Concurrent: ten Pods behind one Service, and ten Pods started at once."""

from op_readiness.suite import ability


@ability("con-ten-clusterip")
def test_traffic_reaches_ten_pods_behind_a_cluster_ip(ten_pods, clients):
    ten_pods.must_hold(clients)

    ten_pods.remove_three()
    ten_pods.must_answer(clients)

    ten_pods.add_three_elsewhere()
    ten_pods.must_answer(clients)


@ability("con-ten-nodeport")
def test_traffic_reaches_ten_pods_behind_a_node_port(ten_node_port, ways_in):
    ten_node_port.must_answer_through(ways_in)

    ten_node_port.remove_three()
    ten_node_port.must_answer_through(ways_in)

    ten_node_port.add_three_elsewhere()
    ten_node_port.must_answer_through(ways_in)


@ability("con-ten-pods-at-once")
def test_ten_pods_start_at_once_on_each_node(at_once):
    at_once.must_start()
    at_once.each_must_answer()
    at_once.each_must_resolve()
    at_once.must_go()

    at_once.successors_must_be_well()
