"""The table of kinds, held against what a real API server said of itself."""

from __future__ import annotations

import pytest

from op_readiness.cluster.kinds import RESOURCES, Resource, resource, resource_of
from op_readiness.simulator.controlplane.wire.recorded import recorded


def discovered() -> dict[tuple[str, str], tuple[str, bool]]:
    """(groupVersion, kind) -> (plural, namespaced), subresources left out."""
    found = {}
    for group_version, entries in recorded()["resources"].items():
        for entry in entries["resources"] if isinstance(entries, dict) else entries:
            if "/" not in entry["name"]:
                found[group_version, entry["kind"]] = (entry["name"], entry["namespaced"])
    return found


def test_plurals_and_scopes_are_those_of_a_real_api_server():
    """For every kind of the table that was recorded."""
    known = discovered()
    compared = [r for r in RESOURCES.values() if (r.api_version, r.kind) in known]

    assert [r for r in compared if known[r.api_version, r.kind] != (r.plural, r.namespaced)] == []
    assert len(compared) > 15


def test_a_resource_is_found_by_kind_plural_and_full_name():
    """Whichever is at hand."""
    assert resource("Pod") is resource("pods")
    assert resource("deployments.apps") is resource("Deployment")
    assert resource("nodes").namespaced is False


def test_paths_are_those_of_the_api():
    """Core and groups, collections, objects and subresources, names escaped."""
    assert resource("Pod").path("ns", "p", "log") == "/api/v1/namespaces/ns/pods/p/log"
    assert resource("Deployment").path("ns") == "/apis/apps/v1/namespaces/ns/deployments"
    assert resource("Node").path("ignored", "win-1") == "/api/v1/nodes/win-1"
    assert resource("Pod").path() == "/api/v1/pods"
    assert resource("Pod").path("ns", "a b") == "/api/v1/namespaces/ns/pods/a%20b"


def test_other_kinds_are_named_in_full():
    """As kubectl takes them; a bare unknown kind is refused with what to write."""
    assert resource("widgets.v1beta1.example.com") == Resource("", "widgets", "example.com", "v1beta1")
    with pytest.raises(KeyError, match=r"unknown kind 'Widget': name it as plural.version.group"):
        resource("Widget")


def test_a_manifest_says_where_it_goes():
    """By apiVersion and kind; another version of a known group keeps its plural."""
    assert resource_of({"kind": "Ingress", "apiVersion": "networking.k8s.io/v1"}).plural == "ingresses"
    assert resource_of({"kind": "Lease", "apiVersion": "coordination.k8s.io/v1beta1"}).version == "v1beta1"
    policy = {"kind": "Policy", "apiVersion": "example.com/v1", "metadata": {"namespace": "ns"}}
    assert resource_of(policy).path("ns") == "/apis/example.com/v1/namespaces/ns/policies"
