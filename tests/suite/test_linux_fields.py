"""Whether Windows was asked about fields of Linux at all: they may be gone before a Pod is stored."""

import pytest

from op_readiness.suite.subjects.active_directory.linux_fields import FIELD_SETS, kept


def pod(name):
    of_pod, of_container = FIELD_SETS[name]
    return {"spec": {"securityContext": dict(of_pod), "containers": [{"securityContext": dict(of_container)}]}}


@pytest.mark.parametrize("name", list(FIELD_SETS))
def test_fields_are_kept_with_others_beside_them(name):
    """What a policy adds is no matter of this."""
    stored = pod(name)
    stored["spec"]["securityContext"]["seccompProfile"] = {"type": "RuntimeDefault"}
    assert kept(name, stored)


@pytest.mark.parametrize("name", list(FIELD_SETS))
def test_a_pod_without_its_fields_shows_nothing(name):
    """A policy that takes them out leaves an ordinary Pod, which runs on any Node."""
    assert not kept(name, {"spec": {"containers": [{}]}})


def test_an_altered_field_is_not_kept():
    """As one that another value was put in for."""
    stored = pod("run-as-user")
    stored["spec"]["securityContext"]["runAsUser"] = 1000
    assert not kept("run-as-user", stored)
