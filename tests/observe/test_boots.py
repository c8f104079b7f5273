"""Whether a Node has restarted: by a boot id that differs, whatever it looks like, and by being the same Node."""

import pytest

from op_readiness.observe.boots import Fate, NodeState, fate_of, is_back, restarted, state_of

BEFORE = NodeState("uid-1", "21", "True")
GUID = "a73baaf1-cf07-420b-b57f-6ea4e8c9d8dc"


def test_a_node_object_is_read():
    """Its message is kept where it is not Ready; an object that says nothing is Unknown."""
    ready = {"type": "Ready", "status": "Unknown", "message": "Kubelet stopped posting node status."}
    node = {"metadata": {"uid": "u"}, "status": {"nodeInfo": {"bootID": "7"}, "conditions": [ready]}}
    assert state_of(node) == NodeState("u", "7", "Unknown", "Kubelet stopped posting node status.")
    assert str(state_of(node)) == "boot id 7, Ready Unknown (Kubelet stopped posting node status.)"
    assert state_of({"metadata": {}}) == NodeState("", "", "Unknown")


@pytest.mark.parametrize(("boot_id", "yes"), [("22", True), ("35", True), ("3", True), (GUID, True), ("21", False),
                                              ("", False)])  # fmt: skip
def test_any_other_boot_id_is_a_restart(boot_id, yes):
    """kubernetes/kubernetes#108886: not one more, but another one."""
    assert restarted(BEFORE, NodeState("uid-1", boot_id, "True")) is yes
    assert is_back(BEFORE, NodeState("uid-1", boot_id, "True")) is yes
    assert not is_back(BEFORE, NodeState("uid-1", boot_id, "False"))
    assert not restarted(BEFORE, NodeState("uid-2", boot_id, "True"))


@pytest.mark.parametrize(("now", "newcomers", "fate"), [
    (NodeState("uid-1", "22", "True"), (), Fate.BACK),
    (NodeState("uid-1", "22", "True"), ("win-9",), Fate.BACK),
    (NodeState("uid-1", "22", "False"), (), Fate.LOST),
    (NodeState("uid-1", "21", "Unknown"), (), Fate.LOST),
    (NodeState("uid-1", "21", "True"), (), Fate.NOT_RESTARTED),
    (NodeState("uid-2", "1", "True"), (), Fate.REPLACED),
    (NodeState("uid-1", "21", "Unknown"), ("win-9",), Fate.REPLACED),
    (None, ("win-9",), Fate.REPLACED),
    (None, (), Fate.LOST),
])  # fmt: skip
def test_what_became_of_a_node(now, newcomers, fate):
    """A Node that an autoscaler replaced is told apart from one that is lost, and from one that never went."""
    assert fate_of(BEFORE, now, newcomers) is fate
