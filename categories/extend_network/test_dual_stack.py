"""Extend.Network: both IP families at once, on Nodes, Pods and Services."""

from op_readiness.suite import ability


@ability("xn-dual-stack")
def test_windows_nodes_run_dual_stack(dual_stack):
    dual_stack.nodes_must_have_both()
    dual_stack.pods_must_have_both()
    dual_stack.pods_must_reach_each_other()
    dual_stack.services_must_have_their_families()
