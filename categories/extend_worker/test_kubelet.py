"""Extend.Worker: what kubelets tell of their Nodes and Pods."""

from op_readiness.suite import ability


@ability("wk-node-log-query")
def test_logs_of_services_are_queried_through_the_kubelet(node_logs):
    node_logs.must_be_answered()


@ability("wk-kubelet-metrics")
def test_figures_of_pods_agree(metrics):
    metrics.must_agree()
