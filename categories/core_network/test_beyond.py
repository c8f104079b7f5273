"""Core.Network beyond KEP-2578: hairpin, source addresses, session affinity, and Nodes and their Pods."""

from op_readiness.observe.client_ip import seen_by, through
from op_readiness.suite import ability


@ability("net-hairpin")
def test_windows_pods_reach_themselves_through_their_service(hairpin):
    hairpin.must_answer_themselves()
    hairpin.must_reach_themselves()


@ability("net-source-ip")
def test_windows_pods_see_the_source_address_of_other_pods(canary, clients, reach, asker, recorder):
    reach.pairs([(client, seen_by(pod, client)) for client in clients for pod in canary.pods], within="warm_up")
    seen = [f"{client.place.node} {client.ip} as {through(canary, asker, client) or 'nobody'}" for client in clients]
    recorder.note(f"through a Service its Pods see clients of {'; '.join(seen)}: recorded, not judged")


@ability("net-session-affinity")
def test_windows_clients_stay_with_a_pod_if_the_service_says_so(affinity):
    affinity.all_must_answer()
    affinity.must_stay()
    affinity.must_spread()


@ability("net-node-pod")
def test_windows_nodes_and_pods_reach_each_other(node_paths):
    node_paths.probes_must_arrive()
    node_paths.nodes_must_be_reached()
