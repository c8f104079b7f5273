"""What NetworkPolicies say: computed as the API defines them, and refused where a rule is of a kind not known."""

import pytest

from op_readiness.observe.policies import Member, ingress_allowed, is_engine
from op_readiness.workloads import policies


def member(space, who):
    return Member(space, {"pod": who}, {"kubernetes.io/metadata.name": space})


def applied(*manifests):
    return [{**one, "metadata": {**one["metadata"], "namespace": "x"}} for one in manifests]


XA, XB, YA = member("x", "a"), member("x", "b"), member("y", "a")


def test_without_policies_everybody_is_let_in():
    """A Pod that no policy selects takes everybody."""
    assert ingress_allowed([], YA, XA)


def test_deny_all_denies_its_own_namespace_alone():
    """Nobody reaches x, everybody reaches y."""
    rules = applied(policies.deny_all())
    assert not ingress_allowed(rules, XB, XA)
    assert not ingress_allowed(rules, YA, XA)
    assert ingress_allowed(rules, XA, YA)


def test_policies_add_up():
    """What one denies another allows: a is open to all Namespaces, b stays closed."""
    rules = applied(policies.deny_all(), policies.allow_everyone(to="a"))
    assert ingress_allowed(rules, YA, XA)
    assert not ingress_allowed(rules, YA, XB)


def test_one_policy_lets_in_all_or_nobody():
    """Either form has the same name, so that one replaces the other; both are of x alone."""
    everyone, nobody = (applied(policies.all_or_nobody(allow)) for allow in (True, False))
    assert everyone[0]["metadata"] == nobody[0]["metadata"]
    assert ingress_allowed(everyone, YA, XA) and ingress_allowed(everyone, YA, XB)
    assert not ingress_allowed(nobody, YA, XA) and not ingress_allowed(nobody, XA, XB)
    assert ingress_allowed(nobody, XA, YA)


def test_a_pod_selector_alone_means_the_policys_own_namespace():
    """b of x reaches a, b of y does not."""
    rules = applied(policies.allow_only("b", to="a"))
    assert ingress_allowed(rules, XB, XA)
    assert not ingress_allowed(rules, member("y", "b"), XA)
    assert not ingress_allowed(rules, XA, XA)
    assert ingress_allowed(rules, YA, XB)


def test_other_namespaces_are_denied():
    """Within x everybody, from y nobody."""
    rules = applied(policies.deny_other_namespaces())
    assert ingress_allowed(rules, XB, XA)
    assert not ingress_allowed(rules, YA, XA)


@pytest.mark.parametrize("rule", [{"ports": []}, {"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}])
def test_a_rule_of_an_unknown_kind_is_refused(rule):
    """A truth computed from half a rule would be no truth."""
    with pytest.raises(ValueError, match="not known here"):
        ingress_allowed(applied(policies.policy("p", ingress=[rule])), YA, XA)


@pytest.mark.parametrize(
    ("name", "image", "engine"),
    [("calico-node", "x", True), ("agent", "antrea/antrea-windows:v2", True), ("kube-proxy", "kube-proxy:v1", False)],
)
def test_engines_are_known_by_name_or_image(name, image, engine):
    """A DaemonSet enforces policies if its name or an image says so."""
    spec = {"template": {"spec": {"containers": [{"image": image}]}}}
    assert is_engine({"metadata": {"name": name}, "spec": spec}) is engine
