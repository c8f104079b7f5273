"""What a run says that it will do: every image, every privileged Namespace, every change outside of its Namespaces."""

from op_readiness.runner.announce import acts
from op_readiness.runner.plan import make_plan
from op_readiness.workloads.images import Images

from .samples import ability, chosen, facts, selection


def told(*abilities):
    known = facts()
    plan = make_plan(selection(*abilities), known, chosen(known), workers="auto", disruptive=False)
    return list(acts(plan, Images.of("mirror.example/tests"), "abc123"))


def test_changes_outside_of_namespaces_are_told_with_the_runs_name():
    """So that whoever finds such a thing knows whose it is."""
    changes = "write files opr-RUN-* to the share gmsa.smbUncAllowed, and remove them"
    lines = told(ability("a-a"), ability("b-b", changes=changes, requires={"privileged": True}))
    assert "write files opr-abc123-* to the share gmsa.smbUncAllowed, and remove them (b-b)" in lines
    assert "make privileged Namespaces for b-b" in lines


def test_a_further_image_is_told_where_an_ability_needs_it():
    """From the registry that was named."""
    plain, more = told(ability("a-a")), told(ability("a-a", requires={"images": ["nonroot"]}))
    assert [line for line in plain if line.startswith("pull ")] == ["pull mirror.example/tests/agnhost:2.63.0"]
    assert "pull mirror.example/tests/nonroot:1.6.0" in more
