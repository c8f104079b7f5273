"""Core.Network: Services whose Pods change: EndpointSlices, recreated Services, recreated Pods of a StatefulSet."""

from op_readiness.suite import ability


@ability("net-endpointslice-routing")
def test_services_route_to_the_pods_of_their_endpoint_slices(slice_routing):
    slice_routing.slices_must_list()
    slice_routing.traffic_must_follow()
    slice_routing.slices_must_come_back()
    slice_routing.traffic_must_follow(after_change=True)
    slice_routing.removed_pod_must_get_no_more()


@ability("net-service-recreate")
def test_recreated_services_route_again(recreation):
    recreation.cycle(watch_sibling=True)
    recreation.cycle(same_address=True)
    recreation.cycle(same_address=True, new_pods=True)
    recreation.cycle(new_pods=True)
    recreation.cycle(same_address=True, watch_sibling=True)
    recreation.replace_pods()
    recreation.must_route()
    recreation.lose_a_pod()
    recreation.must_route()


@ability("net-statefulset-routed-endpoints")
def test_pods_of_a_statefulset_stay_routable_when_recreated(stateful):
    stateful.must_route()
    stateful.replace(1)
    stateful.must_route()
