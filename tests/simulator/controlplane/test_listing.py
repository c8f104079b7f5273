"""Pages of a list show one moment, however long it takes to read them; moments that are forgotten are gone."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from op_readiness.simulator.api import Api, ApiError
from op_readiness.simulator.controlplane.serving.server import ControlPlane
from tests.simulator.controlplane.running import running

PATH = "/api/v1/namespaces/t/configmaps"


async def filled(api: Api) -> None:
    for name in "abc":
        await api.create(PATH, {"metadata": {"name": name}})


async def page(api: Api, query: str) -> tuple[list[str], dict[str, Any]]:
    found = await api.get(f"{PATH}?{query}")
    return [item["metadata"]["name"] for item in found["items"]], found["metadata"]


def forget(plane: ControlPlane) -> None:
    if plane.cluster is None:
        raise RuntimeError("not started")
    plane.cluster.store["", "configmaps"].forget_events()


def test_pages_show_what_was_there_when_the_first_was_asked_for(tmp_path: Path):
    """What is made and deleted between two pages is not seen; the rest is counted."""

    async def scene() -> tuple[Any, ...]:
        async with running(tmp_path) as (_, api):
            await filled(api)
            names, metadata = await page(api, "limit=1")
            await api.delete(f"{PATH}/c")
            await api.create(PATH, {"metadata": {"name": "bb"}})
            rest, end = await page(api, f"limit=5&continue={quote(metadata['continue'])}")
            exact, _ = await page(api, f"resourceVersionMatch=Exact&resourceVersion={metadata['resourceVersion']}")
            return names, metadata["remainingItemCount"], rest, end, exact, metadata["resourceVersion"]

    names, remaining, rest, end, exact, version = asyncio.run(scene())
    assert (names, remaining) == (["a"], 2)
    assert rest == ["b", "c"]
    assert end == {"resourceVersion": version}
    assert exact == ["a", "b", "c"]


def test_a_forgotten_moment_is_gone_but_reading_may_go_on(tmp_path: Path):
    """410 Expired with a token that goes on with what is there now; an exact list just ends."""

    async def scene() -> tuple[ApiError, ApiError, list[str]]:
        async with running(tmp_path) as (plane, api):
            await filled(api)
            _, metadata = await page(api, "limit=1")
            await api.delete(f"{PATH}/b")
            forget(plane)
            with pytest.raises(ApiError) as expired:
                await page(api, f"limit=5&continue={quote(metadata['continue'])}")
            with pytest.raises(ApiError) as old:
                await page(api, f"resourceVersionMatch=Exact&resourceVersion={metadata['resourceVersion']}")
            url = f"{api.server}{PATH}?continue={quote(metadata['continue'])}"
            async with api._session.get(url) as answer:
                token = (await answer.json())["metadata"]["continue"]
            names, _ = await page(api, f"limit=5&continue={quote(token)}")
            return expired.value, old.value, names

    expired, old, names = asyncio.run(scene())
    assert (expired.code, expired.reason) == (410, "Expired")
    assert "use the continue token in this response to retrieve the remainder" in expired.message
    assert (old.code, old.message) == (410, "The resourceVersion for the provided list is too old.")
    assert names == ["c"]
