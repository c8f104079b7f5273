"""IP families: addresses by family, and overlays told by a Node's annotations."""

import pytest

from op_readiness.observe.families import in_family, is_overlay, pod_addresses


def test_the_first_address_of_a_family_is_found():
    """Empty where there is none."""
    assert in_family(["10.0.0.1", "fd00::1", "fd00::2"], "IPv6") == "fd00::1"
    assert in_family(["10.0.0.1"], "IPv6") == ""


def test_a_pods_addresses_are_those_of_its_status():
    """podIPs, or podIP alone, or none yet."""
    assert pod_addresses({"status": {"podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}]}}) == [
        "10.0.0.1",
        "fd00::1",
    ]
    assert pod_addresses({"status": {"podIP": "10.0.0.1"}}) == ["10.0.0.1"]
    assert pod_addresses({"status": {}}) == []


@pytest.mark.parametrize(
    ("annotations", "overlay"),
    [
        ({"flannel.alpha.coreos.com/backend-type": "vxlan"}, True),
        ({"flannel.alpha.coreos.com/backend-type": "host-gw"}, False),
        ({"projectcalico.org/IPv4VXLANTunnelAddr": "10.244.1.1"}, True),
        ({}, False),
    ],
)
def test_an_overlay_is_told_by_annotations(annotations, overlay):
    """By design an overlay has no IPv6 on Windows; nothing else excuses its lack."""
    assert is_overlay({"metadata": {"annotations": annotations}}) is overlay
