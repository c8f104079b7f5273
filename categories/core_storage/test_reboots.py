"""Core.Storage: what Windows Pods are, keep and answer when their Nodes restart."""

from op_readiness.suite import ability


@ability("sto-reboot-all-nodes")
def test_windows_nodes_restart_and_their_pods_are_back(all_nodes):
    all_nodes.one_at_a_time()
    all_nodes.all_at_once()
    all_nodes.must_have_recovered()
