"""Core.Network: Pods reached by their own IP, between Windows and Linux and among Windows Nodes."""

from op_readiness.observe import paths
from op_readiness.suite import ability


@ability("net-pod-ip-windows")
def test_windows_pods_are_reached_at_their_pod_ips(windows_servers, clients, reach, addresses):
    addresses.must_be_nobody_elses(windows_servers)
    reach.pairs(paths.mesh(clients, paths.pods(windows_servers)), within="warm_up")


@ability("net-linux-to-windows-pod-ip")
def test_linux_pods_reach_windows_pods_by_pod_ip(windows_servers, linux_clients, reach):
    reach.every(linux_clients, paths.pods_every_way(windows_servers), within="warm_up")


@ability("net-windows-to-linux-pod-ip")
def test_windows_pods_reach_linux_pods_by_pod_ip(linux_servers, windows_clients, reach):
    reach.every(windows_clients, paths.pods_every_way(linux_servers), within="warm_up")


@ability("net-distinct-pod-ips-same-node")
def test_ten_pods_on_a_node_have_ten_addresses_of_their_own(crowds, addresses, clients):
    addresses.must_be_distinct(crowds)
    addresses.must_be_what_the_pods_have(crowds)
    addresses.each_must_answer(crowds, clients)
