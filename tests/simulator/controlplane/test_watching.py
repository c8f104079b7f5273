"""Watches: order, selectors, resumption, bookmarks, and the end of the window."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from op_readiness.simulator.controlplane.store.storage import WINDOW, Store
from tests.simulator.controlplane.running import running

CONFIG_MAPS = "/api/v1/namespaces/t/configmaps"


async def lines(api: Any, query: str, count: int) -> list[dict[str, Any]]:
    seen: list[dict[str, Any]] = []
    async with api._session.get(f"{api.server}{CONFIG_MAPS}?watch=1&{query}") as response:
        async for line in response.content:
            seen.append(json.loads(line))
            if len(seen) == count:
                break
    return seen


def shape(events: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(event["type"], event["object"].get("metadata", {}).get("name", "")) for event in events]


def test_watch_resumes_from_a_version_in_the_order_of_writes(tmp_path):
    """Everything after the version comes, once, in order."""

    async def scene() -> list[dict[str, Any]]:
        async with running(tmp_path) as (_, api):
            version = (await api.get(CONFIG_MAPS))["metadata"]["resourceVersion"]
            await api.create(CONFIG_MAPS, {"metadata": {"name": "a"}})
            await api.patch(f"{CONFIG_MAPS}/a", {"data": {"k": "v"}})
            await api.delete(f"{CONFIG_MAPS}/a")
            return await lines(api, f"resourceVersion={version}", 3)

    assert shape(asyncio.run(scene())) == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]


def test_object_that_leaves_the_selector_is_deleted_for_the_watch(tmp_path):
    """A label that changes makes DELETED and ADDED, as the selector sees it."""

    async def scene() -> list[dict[str, Any]]:
        async with running(tmp_path) as (_, api):
            version = (await api.get(CONFIG_MAPS))["metadata"]["resourceVersion"]
            await api.create(CONFIG_MAPS, {"metadata": {"name": "a", "labels": {"x": "1"}}})
            await api.patch(f"{CONFIG_MAPS}/a", {"metadata": {"labels": {"x": "2"}}})
            await api.patch(f"{CONFIG_MAPS}/a", {"metadata": {"labels": {"x": "1"}}})
            return await lines(api, f"resourceVersion={version}&labelSelector=x%3D1", 3)

    events = asyncio.run(scene())
    assert shape(events) == [("ADDED", "a"), ("DELETED", "a"), ("ADDED", "a")]
    assert events[1]["object"]["metadata"]["labels"] == {"x": "1"}


def test_watch_from_before_the_window_is_expired(tmp_path):
    """A forgotten version gets one ERROR line with 410."""

    async def scene() -> list[dict[str, Any]]:
        async with running(tmp_path) as (control_plane, api):
            await api.create(CONFIG_MAPS, {"metadata": {"name": "a"}})
            control_plane.cluster.store["", "configmaps"].forget_events()
            return await lines(api, "resourceVersion=1", 1)

    error = asyncio.run(scene())[0]
    assert (error["type"], error["object"]["code"], error["object"]["reason"]) == ("ERROR", 410, "Expired")


def test_initial_events_end_with_a_bookmark(tmp_path):
    """A streaming list says where the present ends."""

    async def scene() -> list[dict[str, Any]]:
        async with running(tmp_path) as (_, api):
            await api.create(CONFIG_MAPS, {"metadata": {"name": "a"}})
            query = "sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan"
            return await lines(api, query, 2)

    events = asyncio.run(scene())
    assert shape(events) == [("ADDED", "a"), ("BOOKMARK", "")]
    assert events[1]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


def test_window_keeps_the_newest_events_only():
    """The oldest events fall out, and the horizon says up to which version."""
    store = Store()
    for number in range(WINDOW + 5):
        store.put(("", "configmaps"), {"metadata": {"name": "a", "number": number}})

    collection = store["", "configmaps"]
    assert (len(collection.events), collection.horizon) == (WINDOW, 5)
