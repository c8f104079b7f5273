"""What becomes of a request while an API fault is in; decided without any server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from fault_world import FakeWorld, fault

from op_readiness.simulator.apiproxy import WatchGate
from op_readiness.simulator.faults import Faults
from op_readiness.simulator.faults.apirules import PASS, ApiRequest, mutated

PODS = ApiRequest("GET", "/api/v1/namespaces/shop/pods", {}, "kubectl/v1.37")
WATCH = ApiRequest("GET", "/api/v1/pods", {"watch": "1"}, "OpenAPI-Generator/37.0.2/python")


def rule(**step: Any) -> dict[str, Any]:
    return fault({"state": "API", "point": "lookup", **step})


def put_in(*requests: dict[str, Any]) -> tuple[FakeWorld, Faults]:
    world = FakeWorld()
    faults = Faults(world)
    faults.put_in(list(requests))
    return world, faults


def test_requests_are_told_apart_as_the_api_server_does() -> None:
    """Verb, resource, Namespace, name and subresource follow from method, path and query."""
    exec_ = ApiRequest("POST", "/api/v1/namespaces/shop/pods/web-0/exec").fields()
    one = ApiRequest("PATCH", "/apis/apps/v1/namespaces/shop/deployments/web/status").fields()
    space = ApiRequest("GET", "/api/v1/namespaces/shop").fields()
    assert (exec_["verb"], exec_["resource"], exec_["name"], exec_["subresource"]) == (
        "connect",
        "pods",
        "web-0",
        "exec",
    )
    assert (one["verb"], one["resource"], one["namespace"], one["subresource"]) == (
        "patch",
        "deployments",
        "shop",
        "status",
    )
    assert (space["verb"], space["resource"], space["name"]) == ("get", "namespaces", "shop")
    assert (PODS.fields()["verb"], WATCH.fields()["verb"]) == ("list", "watch")


def test_500_for_a_while_and_then_no_more() -> None:
    """Every request of a tool fails for ten seconds; the simulator's own components go on."""

    async def scene() -> None:
        world, faults = put_in(rule(do="fail", value={"status": 500}, **{"for": "10s"}))
        verdict = faults.api.verdict(PODS)
        own = ApiRequest("GET", PODS.path, {}, "op-readiness-simulator")
        assert (verdict.status, json.loads(verdict.body)["reason"]) == (500, "InternalError")
        assert faults.api.verdict(own) == PASS
        await world.clock.turn(10)
        assert faults.api.verdict(PODS) == PASS
        faults.take_out_all()

    asyncio.run(scene())


def test_every_third_request_is_throttled_with_retry_after() -> None:
    """429, a Status, and the header in whole seconds."""

    async def scene() -> None:
        _, faults = put_in(rule(do="throttle", value={"retry_after": "2s"}, when={"every": 3}))
        verdicts = [faults.api.verdict(PODS) for _ in range(3)]
        assert [v.status for v in verdicts] == [0, 0, 429]
        assert verdicts[2].headers["Retry-After"] == "2"
        faults.take_out_all()

    asyncio.run(scene())


def test_delays_add_up_and_refusals_name_the_webhook() -> None:
    """Creating a Pod waits, then is refused; reading one waits only."""

    async def scene() -> None:
        refusal = {"status": 403, "message": 'admission webhook "w" denied the request'}
        _, faults = put_in(
            rule(do="delay", value="2s"), rule(do="fail", value=refusal, key={"verb": "create", "resource": "pods"})
        )
        create = faults.api.verdict(ApiRequest("POST", "/api/v1/namespaces/shop/pods"))
        assert (create.delay, create.status) == (2.0, 403)
        assert "webhook" in json.loads(create.body)["message"]
        assert faults.api.verdict(PODS).passes
        assert faults.api.verdict(PODS).delay == 2.0
        faults.take_out_all()

    asyncio.run(scene())


def watched(faults: Faults, feed: asyncio.Queue[bytes | None]) -> tuple[list[bytes], asyncio.Task[None]]:
    seen: list[bytes] = []

    async def chunks() -> AsyncIterator[bytes]:
        while (chunk := await feed.get()) is not None:
            yield chunk

    async def read() -> None:
        async for chunk in WatchGate(faults.api, WATCH).events(chunks()):
            seen.append(chunk)

    return seen, asyncio.get_running_loop().create_task(read())


def test_a_watch_falls_silent_and_stays_so() -> None:
    """Events before the fault arrive, later ones never, also when the fault is over."""

    async def scene() -> None:
        world = FakeWorld()
        faults, feed = Faults(world), asyncio.Queue[bytes | None]()
        seen, task = watched(faults, feed)
        feed.put_nowait(b"one")
        await world.clock.turn(0)
        faults.put_in([rule(do="silence", key={"verb": "watch"}, **{"for": "5s"})])
        await world.clock.turn(0)
        feed.put_nowait(b"two")
        await world.clock.turn(6)
        feed.put_nowait(b"three")
        feed.put_nowait(None)
        await asyncio.wait_for(task, 5)
        assert seen == [b"one"]
        faults.take_out_all()

    asyncio.run(scene())


def test_running_watches_end_when_they_are_cut_or_expire() -> None:
    """Cut: nothing more comes. Expired: a Status of 410 as an event, then the end."""

    async def scene() -> None:
        for deed, last in (("cut", b""), ("expire", b'"code": 410')):
            world = FakeWorld()
            faults, feed = Faults(world), asyncio.Queue[bytes | None]()
            seen, task = watched(faults, feed)
            await world.clock.turn(0)
            faults.put_in([rule(do=deed, key={"verb": "watch"}, when={"at": "3s"})])
            await world.clock.turn(2)
            assert not task.done()
            await world.clock.turn(1)
            await asyncio.wait_for(task, 5)
            assert last in b"".join(seen)
            faults.take_out_all()

    asyncio.run(scene())


def test_admission_changes_what_is_stored() -> None:
    """As a mutating webhook does it: fields merged, every container's too, null taken away; other bodies stay."""
    added = {"spec": {"containers": {"each": {"resources": {"limits": {"x/y": "1"}}}}, "os": None, "hostPID": True}}
    pod = {"spec": {"os": {"name": "windows"}, "containers": [{"name": "a"}, {"name": "b"}]}}
    stored = json.loads(mutated(json.dumps(pod).encode(), (added,)))
    limits = {"limits": {"x/y": "1"}}
    containers = [{"name": "a", "resources": limits}, {"name": "b", "resources": limits}]
    assert stored == {"spec": {"hostPID": True, "containers": containers}}
    assert mutated(b"k8s\x00...", (added,)) == b"k8s\x00..."


def test_changes_of_several_rules_add_up_and_pass() -> None:
    """A request that is only changed reaches the API server."""

    async def scene() -> None:
        key = {"verb": "create", "resource": "pods"}
        steps = [rule(key=key, do="alter", value=value) for value in ({"a": 1}, {"b": 2})]
        _, faults = put_in(*steps)
        verdict = faults.api.verdict(ApiRequest("POST", "/api/v1/namespaces/t/pods"))
        assert (verdict.passes, verdict.changes) == (True, ({"a": 1}, {"b": 2}))
        assert faults.api.verdict(PODS) is PASS

    asyncio.run(scene())
