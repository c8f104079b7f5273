"""Core.Network: Services by NodePort. A Windows Node cannot reach its own NodePort by design, so no test judges it."""

from op_readiness.observe import paths
from op_readiness.suite import ability


@ability("net-linux-nodeport-from-windows")
def test_windows_pods_reach_linux_pods_by_node_port(
    linux_node_port, windows_clients, linux_nodes, windows_nodes, reach
):
    for_each = [
        pair
        for client in windows_clients
        for pair in paths.to_other_nodes(
            [client], linux_node_port, [*linux_nodes, *paths.neighbours(client, windows_nodes)]
        )
    ]
    reach.pairs(for_each)
    own = paths.to_own_node(windows_clients, linux_node_port, windows_nodes)
    reach.recorded_only(own, "its own Node: not promised, not judged")


@ability("net-windows-nodeport-from-linux")
def test_linux_pods_reach_windows_pods_by_node_port(
    windows_node_port, linux_clients, windows_nodes, linux_nodes, reach
):
    nodes = [*windows_nodes, *linux_nodes]
    reach.every(
        linux_clients, [*windows_node_port.by_node_ports(nodes), *windows_node_port.by_node_ports(nodes, "equal")]
    )


@ability("net-windows-nodeport-from-windows")
def test_windows_pods_reach_windows_pods_by_node_port(
    windows_node_port, windows_clients, other_nodes, reach, move_a_pod
):
    reach.pairs(paths.to_other_nodes(windows_clients, windows_node_port, other_nodes))
    moved = move_a_pod(windows_node_port)
    reach.pairs(
        paths.to_other_nodes(windows_clients, moved, other_nodes), within="endpoints_follow", after_change=True
    )
