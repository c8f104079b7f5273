"""Whether a Node has restarted: by a boot id that differs, whatever it looks like, and by being the same Node."""

import pytest

from op_readiness.observe.boots import Fate, NodeState, fates_of, is_back, restarted, state_of

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
    (NodeState("uid-1", "22", "True"), 0, Fate.BACK),
    (NodeState("uid-1", "22", "True"), 1, Fate.BACK),
    (NodeState("uid-1", "22", "False"), 0, Fate.LOST),
    (NodeState("uid-1", "21", "Unknown"), 0, Fate.LOST),
    (NodeState("uid-1", "21", "True"), 0, Fate.NOT_RESTARTED),
    (NodeState("uid-2", "1", "True"), 0, Fate.REPLACED),
    (NodeState("uid-1", "21", "Unknown"), 1, Fate.LOST),
    (NodeState("uid-1", "22", "False"), 1, Fate.LOST),
    (NodeState("uid-1", "21", "True"), 1, Fate.NOT_RESTARTED),
    (None, 1, Fate.REPLACED),
    (None, 0, Fate.LOST),
])  # fmt: skip
def test_what_became_of_a_node(now, newcomers, fate):
    """A Node that an autoscaler replaced is told apart from one that is lost, and from one that never went."""
    assert fates_of({"win-1": BEFORE}, {"win-1": now}, newcomers) == {"win-1": fate}


@pytest.mark.parametrize(("newcomers", "fates"), [
    (0, [Fate.LOST, Fate.LOST, Fate.LOST]),
    (1, [Fate.REPLACED, Fate.LOST, Fate.LOST]),
    (2, [Fate.REPLACED, Fate.LOST, Fate.REPLACED]),
    (3, [Fate.REPLACED, Fate.LOST, Fate.REPLACED]),
])  # fmt: skip
def test_a_new_node_stands_for_one_that_is_gone_and_for_no_other(newcomers, fates):
    """One whose object is still there, and down, is lost however many came."""
    now = {"win-1": None, "win-2": NodeState("uid-1", "21", "Unknown"), "win-3": None}
    assert list(fates_of(dict.fromkeys(now, BEFORE), now, newcomers).values()) == fates
