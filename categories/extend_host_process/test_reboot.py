"""Extend.HostProcess: a Windows Node that restarts takes part in the cluster again."""

from op_readiness.suite import ability


@ability("hp-rejoin-after-reboot")
def test_a_node_takes_part_again_after_its_restart(rejoining):
    rejoining.must_rejoin()
