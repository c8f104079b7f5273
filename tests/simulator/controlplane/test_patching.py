"""Patches merge as the recorded keys say."""

from __future__ import annotations

import pytest

from op_readiness.simulator.controlplane.fields.patching import json_patch, merge_patch, strategic_patch
from op_readiness.simulator.controlplane.fields.quantity import canonical
from op_readiness.simulator.controlplane.store.selectors import label_match
from op_readiness.simulator.controlplane.wire.failures import Failure

POD = "io.k8s.api.core.v1.Pod"


def names(pod: dict) -> list[str]:
    return [container["name"] for container in pod["spec"]["containers"]]


def test_containers_merge_by_name():
    """A container of the same name is changed, the others stay."""
    pod = {"spec": {"containers": [{"name": "a", "image": "x"}, {"name": "b", "image": "x"}]}}
    patched = strategic_patch(pod, {"spec": {"containers": [{"name": "b", "image": "y"}]}}, POD)

    assert patched["spec"]["containers"] == [{"name": "a", "image": "x"}, {"name": "b", "image": "y"}]


def test_directives_delete_replace_and_order():
    """$patch and $setElementOrder do what kubectl means by them."""
    pod = {"spec": {"containers": [{"name": "a"}, {"name": "b"}], "nodeSelector": {"x": "1"}}}
    change = {
        "$setElementOrder/containers": [{"name": "c"}, {"name": "b"}],
        "containers": [{"name": "a", "$patch": "delete"}, {"name": "c"}],
        "nodeSelector": {"$patch": "replace", "y": "2"},
    }
    patched = strategic_patch(pod, {"spec": change}, POD)

    assert names(patched) == ["c", "b"]
    assert patched["spec"]["nodeSelector"] == {"y": "2"}


def test_merge_patch_removes_by_null():
    """RFC 7386."""
    assert merge_patch({"a": {"b": 1, "c": 2}}, {"a": {"b": None, "d": [1]}}) == {"a": {"c": 2, "d": [1]}}


def test_json_patch_that_fails_is_refused_as_a_whole():
    """A failed test is a 422."""
    with pytest.raises(Failure) as refused:
        json_patch({"a": 1}, [{"op": "test", "path": "/a", "value": 2}])

    assert refused.value.code == 422


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("0.5", "500m"),
        ("1000m", "1"),
        ("1024Mi", "1Gi"),
        ("2000", "2k"),
        ("1.5Gi", "1536Mi"),
        ("0", "0"),
        ("1e3", "1e3"),
    ],
)
def test_quantities_are_kept_in_canonical_form(given, kept):
    """The same text as a real API server stores."""
    assert canonical(given) == kept


@pytest.mark.parametrize(
    ("selector", "labels", "selects"),
    [
        ("a=b", {"a": "b"}, True),
        ("a!=b", {}, True),
        ("a in (b,c),!d", {"a": "c"}, True),
        ("a notin (b)", {"a": "b"}, False),
        ("a", {"b": ""}, False),
        ("n>3", {"n": "4"}, True),
    ],
)
def test_label_selectors_select(selector, labels, selects):
    """Equality, sets, existence and numbers."""
    match = label_match(selector)

    assert match is not None
    assert match({"metadata": {"labels": labels}}) is selects
