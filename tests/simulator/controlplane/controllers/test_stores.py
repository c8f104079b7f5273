"""Caches that are never behind their own writes."""

from typing import Any

from op_readiness.simulator.api import Api
from op_readiness.simulator.controlplane.informers.kinds import POD
from op_readiness.simulator.controlplane.informers.stores import Store


def pod(version: int, uid: str = "u", **meta: Any) -> dict[str, Any]:
    return {"metadata": {"name": "p", "namespace": "t", "uid": uid, "resourceVersion": str(version), **meta}}


def store() -> Store:
    return Store(Api("https://127.0.0.1:1", ""), POD)


def test_an_older_version_never_replaces_what_a_write_gave_back():
    cache = store()
    cache.learn(pod(9))
    cache.learn(pod(7))
    assert cache.by("uid", "u")[0]["metadata"]["resourceVersion"] == "9"


def test_an_answer_that_comes_after_the_deletion_brings_no_ghost():
    cache = store()
    cache.learn(pod(7))
    cache._gone(pod(9))
    cache.learn(pod(8))
    assert cache.objects == {}


def test_the_deletion_of_a_predecessor_leaves_the_successor():
    cache = store()
    cache.learn(pod(9, "new"))
    cache._gone(pod(8, "old"))
    assert [each["metadata"]["uid"] for each in cache.by("namespace", "t")] == ["new"]


def test_indexes_follow_changes():
    cache = store()
    cache.index("label", lambda obj: (obj["metadata"].get("labels", {}).get("app", ""),))
    cache.learn(pod(1, labels={"app": "a"}))
    cache.learn(pod(2, labels={"app": "b"}))
    assert (cache.by("label", "a"), len(cache.by("label", "b"))) == ([], 1)
