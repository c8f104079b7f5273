"""What the GMSA webhook decides: contents filled in, and each refusal with its code and words."""

from __future__ import annotations

import copy

import pytest

from op_readiness.simulator.domain import webhook
from op_readiness.simulator.domain.directory import Directory
from op_readiness.simulator.domain.manifests import credential_spec
from op_readiness.simulator.domain.webhook import Denied

SPECS = {"webapp01": credential_spec(Directory()), "empty": {"metadata": {"name": "empty"}}}


def pod(options=None, *, container=None):
    """A Pod with windowsOptions of its own or of its container."""
    main = {"name": "main", **({"securityContext": {"windowsOptions": container}} if container else {})}
    spec = {"containers": [main], **({"securityContext": {"windowsOptions": options}} if options else {})}
    return {"metadata": {"name": "p"}, "spec": {**spec, "serviceAccountName": "robot"}}


@pytest.mark.parametrize(
    ("made", "path"),
    [
        (pod({"gmsaCredentialSpecName": "webapp01"}), "/spec/securityContext/windowsOptions/gmsaCredentialSpec"),
        (
            pod(container={"gmsaCredentialSpecName": "webapp01"}),
            "/spec/containers/0/securityContext/windowsOptions/gmsaCredentialSpec",
        ),
    ],
)
def test_contents_are_filled_in_where_a_name_stands(made, path):
    """The Pod's or the container's; what has contents already is left to the check."""
    assert [one["path"] for one in webhook.additions(made, SPECS)] == [path]
    assert webhook.additions(pod({"gmsaCredentialSpecName": "webapp01", "gmsaCredentialSpec": "{}"}), SPECS) == []


@pytest.mark.parametrize(("name", "code", "words"), [
    ("stranger", 404, "cred spec stranger does not exist"),
    ("empty", 417, "cred spec empty does not have a credspec key"),
])  # fmt: skip
def test_a_spec_that_is_not_there_is_refused(name, code, words):
    """Before anything else is looked at."""
    with pytest.raises(Denied) as caught:
        webhook.additions(pod({"gmsaCredentialSpecName": name}), {**SPECS, "stranger": None})
    assert (caught.value.code, caught.value.why) == (code, words)


@pytest.mark.parametrize(("options", "rights", "code", "words"), [
    ({"gmsaCredentialSpecName": "webapp01"}, {}, 403,
     'service account "robot" is not authorized to `use` GMSA cred spec "webapp01"'),
    ({"gmsaCredentialSpecName": "webapp01", "gmsaCredentialSpec": "{}"}, {"webapp01": True}, 422,
     'the GMSA cred spec contents for pod "p" does not match the contents of GMSA resource "webapp01"'),
    ({"gmsaCredentialSpec": "{}"}, {}, 422,
     'pod "p" has a GMSA cred spec set, but does not define the name of the corresponding resource'),
])  # fmt: skip
def test_a_pod_that_may_not_is_refused(options, rights, code, words):
    """No right, other contents, no name."""
    with pytest.raises(Denied) as caught:
        webhook.check_create(pod(options), SPECS, rights)
    assert (caught.value.code, caught.value.why) == (code, words)


def test_a_pod_with_the_right_and_its_contents_passes():
    """Contents count as JSON, not as text."""
    text = webhook.contents(SPECS, "webapp01").replace(":", ": ")
    made = pod({"gmsaCredentialSpecName": "webapp01", "gmsaCredentialSpec": text})
    webhook.check_create(made, SPECS, {"webapp01": True})
    webhook.check_create(pod(), SPECS, {})


def test_the_settings_of_a_pod_do_not_change():
    """Names and contents stay as they were."""
    old = pod({"gmsaCredentialSpecName": "webapp01"})
    new = copy.deepcopy(old)
    webhook.check_update(new, old)
    new["spec"]["securityContext"]["windowsOptions"]["gmsaCredentialSpecName"] = "other"
    with pytest.raises(Denied, match=r"cannot update an existing pod's GMSA settings \(GMSA name modified on pod"):
        webhook.check_update(new, old)
