"""The refusals that are asked of the GMSA webhook: each with its own code and words."""

import json

import pytest

from op_readiness.cluster.errors import ApiError, Call
from op_readiness.suite.subjects.active_directory.gmsa_admission import is_unchangeable, refusals
from op_readiness.suite.subjects.active_directory.inline_specs import LEFT_OUT, inline


def test_each_refusal_is_told_apart():
    """By code and words together, so that one cannot stand for another."""
    asked = refusals("webapp01")
    assert len({(one.status, one.words) for one in asked}) == len(asked) == 4
    assert [one.allowed for one in asked] == [False, True, True, True]
    assert all("gmsaCredentialSpecName" in one.options for one in asked if one.name != "no-name")


def test_an_inline_spec_names_its_domain_throughout():
    """As the credential specs that Microsoft's module writes."""
    spec = json.loads(inline("acme.com")["windowsOptions"]["gmsaCredentialSpec"])
    assert (spec["DomainJoinConfig"]["DnsName"], spec["DomainJoinConfig"]["NetBiosName"]) == ("acme.com", "ACME")
    scopes = [one["Scope"] for one in spec["ActiveDirectoryConfig"]["GroupManagedServiceAccounts"]]
    assert scopes == ["acme.com", "ACME"]


def test_both_installations_leave_the_namespace_out():
    """The Helm chart's label and the script's."""
    assert LEFT_OUT == {"windows.k8s.io/disabled": "true", "gmsa-webhook": "disabled"}


@pytest.mark.parametrize(
    ("status", "message", "good"),
    [
        (422, "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`", True),
        (403, 'admission webhook "admission-webhook.windows-gmsa.sigs.k8s.io" denied the request: ...', True),
        (403, 'pods "gmsa-0-0" is forbidden: User "ci" cannot patch resource "pods"', False),
        (422, 'Pod "gmsa-0-0" is invalid: metadata.labels: Invalid value', False),
        (409, "the object has been modified", False),
    ],
)
def test_only_a_refusal_of_the_change_counts(status, message, good):
    """That the asker may not patch Pods says nothing of what may be changed."""
    error = ApiError(Call("PATCH", "Pod"), status=status, message=message)
    assert is_unchangeable(error) is good
