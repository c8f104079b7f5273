"""Facts about GMSA: the kind's served versions and the webhook, told apart from not being allowed to look."""

from __future__ import annotations

import pytest

from op_readiness.cluster.errors import Call, Forbidden, NotFound
from op_readiness.runner.facts import _gmsa_versions, _gmsa_webhook

GROUP = {"versions": [{"version": "v1alpha1"}, {"version": "v1"}], "preferredVersion": {"version": "v1"}}
CALL = Call("get", "x")


class Cluster:
    """Answers or raises what it was given."""

    def __init__(self, answer):
        self.answer = answer

    def raw(self, path):
        assert path == "/apis/windows.k8s.io"
        return self.told()

    def list(self, kind):
        assert kind == "MutatingWebhookConfiguration"
        return self.told()

    def told(self):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    ("answer", "versions"),
    [(GROUP, ("v1", "v1alpha1")), (NotFound(CALL, status=404), ()), ({"versions": []}, ())],
)
def test_the_preferred_version_comes_first(answer, versions):
    """None where the kind is not installed."""
    assert _gmsa_versions(Cluster(answer)) == versions


def hooks(name, *webhooks):
    return {"metadata": {"name": name}, "webhooks": [{"name": one} for one in webhooks]}


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        ([hooks("other", "a.example"), hooks("ours", "admission-webhook.windows-gmsa.sigs.k8s.io")], "ours"),
        ([hooks("other", "a.example"), {"metadata": {"name": "empty"}}], ""),
        (Forbidden(CALL, status=403), "unknown"),
    ],
)
def test_the_webhook_is_known_by_its_hook(answer, name):
    """Whatever its configuration is called; where we may not look, that is said."""
    assert _gmsa_webhook(Cluster(answer)) == name
