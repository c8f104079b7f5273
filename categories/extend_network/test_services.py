"""Extend.Network: Services of every IP family that the cluster has; one that it lacks is skipped by name."""

from op_readiness.suite import ability


@ability("xn-clusterip-linux-from-windows")
def test_windows_pods_reach_linux_pods_by_cluster_ip_of_every_family(linux_multi_port):
    linux_multi_port.must_be_reached()
    linux_multi_port.must_go_down()
    linux_multi_port.must_come_back()


@ability("xn-nodeport-linux-from-windows")
def test_windows_pods_reach_linux_pods_by_node_port_of_every_family(linux_node_ports):
    linux_node_ports.must_be_reached()


@ability("xn-clusterip-windows-from-linux")
def test_linux_pods_reach_windows_pods_by_cluster_ip_of_every_family(windows_multi_port):
    windows_multi_port.must_be_reached()
    windows_multi_port.must_go_down()
    windows_multi_port.must_come_back()


@ability("xn-nodeport-windows-from-linux")
def test_linux_pods_reach_windows_pods_by_node_port_of_every_family(windows_node_ports):
    windows_node_ports.must_be_reached()
