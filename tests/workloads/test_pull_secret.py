"""The Secret with which images are pulled reaches every Namespace of a run."""

from __future__ import annotations

import pytest

from op_readiness.model.errors import UsageError
from op_readiness.workloads import pull_secret
from tests.runner.fakes import FakeCluster


def secret(type: str = pull_secret.TYPES[0]) -> dict:
    meta = {"name": "mine", "namespace": "images"}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": type, "data": {".dockerconfigjson": "e30="}}


def test_a_secret_is_brought_and_copied_on():
    """Each copy has the data, our name and the run's label."""
    cluster = FakeCluster()
    cluster.create(secret())
    pull_secret.put(cluster, pull_secret.read(cluster, "images/mine"), "opr-r", "r")
    pull_secret.copy_to(cluster, "opr-r-x", "r")
    copy = cluster.get("Secret", pull_secret.NAME, "opr-r-x")
    assert copy["data"] == {".dockerconfigjson": "e30="}
    assert copy["metadata"]["labels"]["op-readiness.dev/run"] == "r"


@pytest.mark.parametrize("text", ["images/other", "mine"])
def test_a_secret_that_is_not_there_is_a_usage_error(text):
    """A misspelt name is found before anything is made."""
    cluster = FakeCluster()
    cluster.create(secret())
    with pytest.raises(UsageError, match="there is no Secret"):
        pull_secret.read(cluster, text)


def test_a_secret_of_another_kind_is_refused():
    """An Opaque Secret pulls nothing."""
    cluster = FakeCluster()
    cluster.create(secret("Opaque"))
    with pytest.raises(UsageError, match="Opaque"):
        pull_secret.read(cluster, "images/mine")
