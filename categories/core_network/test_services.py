"""Core.Network: Services by ClusterIP and by name, over TCP and UDP, between Windows and Linux."""

from op_readiness.suite import ability


@ability("net-linux-service-from-windows")
def test_windows_pods_reach_linux_pods_by_service_ip(linux_echo, windows_clients, reach):
    reach.every(windows_clients, linux_echo.every_way())


@ability("net-windows-service-from-linux")
def test_linux_pods_reach_windows_pods_by_service_ip(windows_echo, linux_clients, reach):
    reach.every(linux_clients, windows_echo.every_way())


@ability("net-windows-service-clusterip")
def test_windows_services_come_up_go_down_and_stay_apart(canary, named_services, clients, reach):
    first, second = named_services.up("up-down-1"), named_services.up("up-down-2")
    local = named_services.up("up-down-local", replicas=1, kind="NodePort", externalTrafficPolicy="Local")
    every = (canary, first, second, local)  # a policy for traffic from outside takes no cluster address away
    reach.every(clients, [exposed.by_cluster_ip() for exposed in every])

    named_services.down("up-down-1")
    reach.none(clients, [first.by_cluster_ip()])
    reach.every(clients, [second.by_cluster_ip()])

    third = named_services.up("up-down-3", target_port=None)
    named_services.must_have_another_address(third, second)
    reach.every(clients, [third.by_cluster_ip(), second.by_cluster_ip()])
