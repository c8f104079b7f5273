"""Core.Scheduling: limits of CPU and memory, honoured over time."""

from op_readiness.suite import ability


@ability("sch-memory-limit")
def test_a_pod_never_has_more_memory_than_its_limit(memory_limit, full_nodes):
    memory_limit.watch()
    memory_limit.must_be_honoured()

    full_nodes.must_refuse_more()


@ability("sch-cpu-limit")
def test_a_pod_never_computes_with_more_than_its_limit(cpu_limit):
    cpu_limit.measure()
    cpu_limit.must_be_honoured()
