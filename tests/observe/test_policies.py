"""What NetworkPolicies say: computed as the API defines them, and refused where a rule is of a kind not known."""

import pytest

from op_readiness.observe.policies import Door, Member, egress_allowed, ingress_allowed, is_engine
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


@pytest.mark.parametrize("rule", [{"to": []}, {"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}])
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


WEB, SECOND, DNS = Door(8080, "http"), Door(8082, "second"), Door(53, "dns", "UDP")


def test_egress_is_told_from_ingress_and_asks_the_clients_policies():
    """Deny-all of egress keeps x from everywhere, and nobody from x."""
    rules = applied(policies.deny_all_egress())
    assert not egress_allowed(rules, XA, YA, WEB)
    assert egress_allowed(rules, YA, XA, WEB)
    assert ingress_allowed(rules, YA, XA, WEB)


def test_an_egress_rule_with_a_port_allows_neither_other_ports_nor_dns():
    """DNS has a rule of its own, which opens nothing else."""
    rules = applied(policies.deny_all_egress(), policies.allow_egress_to("b", 8080))
    assert egress_allowed(rules, XA, XB, WEB)
    assert not egress_allowed(rules, XA, XB, SECOND)
    assert not egress_allowed(rules, XA, YA, WEB)
    assert not egress_allowed(rules, XA, member("kube-system", ""), DNS)
    rules += applied(policies.allow_dns())
    assert egress_allowed(rules, XA, member("kube-system", ""), DNS)
    assert not egress_allowed(rules, XA, YA, WEB)


@pytest.mark.parametrize(
    ("rule", "web", "second"),
    [
        (policies.allow_port(8080, to="a"), True, False),
        (policies.allow_port(8081, to="a", last=8082), False, True),
        (policies.allow_port("http", to="a"), True, False),
    ],
)
def test_ports_by_number_range_and_name(rule, web, second):
    """Each allows what it names, to the end of a range; UDP of the same number is another port."""
    rules = applied(rule)
    assert ingress_allowed(rules, YA, XA, WEB) is web
    assert ingress_allowed(rules, YA, XA, SECOND) is second
    assert not ingress_allowed(rules, YA, XA, Door(8080, "http", "UDP"))
    with pytest.raises(ValueError, match="ports"):
        ingress_allowed(rules, YA, XA)
