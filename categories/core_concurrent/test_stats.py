"""Core.Concurrent: the kubelet's figures while ten Pods run."""

from op_readiness.suite import ability


@ability("con-stats-under-ten-pods")
def test_figures_of_ten_pods_come_in_time(stats_under_load):
    stats_under_load.must_answer_in_time()
