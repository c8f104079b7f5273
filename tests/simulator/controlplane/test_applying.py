"""What server-side apply means for several managers of one object."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from op_readiness.simulator.api import Api, ApiError
from op_readiness.simulator.controlplane.fields import fieldsets
from tests.simulator.controlplane.running import running

APPLY = "application/apply-patch+yaml"
PATH = "/api/v1/namespaces/t/configmaps/c"


async def apply(api: Api, manager: str, data: dict[str, str], options: str = "") -> Any:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, **({"data": data} if data else {})}
    return await api.request("PATCH", f"{PATH}?fieldManager={manager}{options}", body, APPLY)


def owned(obj: dict[str, Any]) -> dict[str, list[str]]:
    entries = obj["metadata"]["managedFields"]
    return {entry["manager"]: list(fieldsets.paths(fieldsets.read(entry["fieldsV1"]))) for entry in entries}


def test_what_is_applied_no_more_is_gone_unless_another_wants_it(tmp_path: Path):
    """Each manager owns what it named; a field goes with its last owner."""

    async def scene() -> tuple[Any, Any]:
        async with running(tmp_path) as (_, api):
            await apply(api, "a", {"k": "v", "l": "w"})
            await apply(api, "b", {"k": "v"})
            return await apply(api, "a", {}), await apply(api, "b", {})

    first, second = asyncio.run(scene())
    assert first["data"] == {"k": "v"}
    assert owned(first) == {"b": [".data.k"]}
    assert "data" not in second


def test_a_field_of_another_is_refused_until_it_is_forced(tmp_path: Path):
    """409 names owner and field and changes nothing; force takes it over."""

    async def scene() -> tuple[ApiError, Any, Any]:
        async with running(tmp_path) as (_, api):
            await apply(api, "a", {"k": "v"})
            with pytest.raises(ApiError) as refused:
                await apply(api, "b", {"k": "other"})
            kept = await api.get(PATH)
            return refused.value, kept, await apply(api, "b", {"k": "other"}, "&force=true")

    refusal, kept, forced = asyncio.run(scene())
    assert (refusal.code, refusal.message) == (409, 'Apply failed with 1 conflict: conflict with "a": .data.k')
    assert kept["data"] == {"k": "v"}
    assert owned(forced) == {"b": [".data.k"]}


def test_the_eleventh_updater_makes_the_oldest_one_nameless(tmp_path: Path):
    """More than ten managers of updates are kept as ten and one called ancient-changes."""

    async def scene() -> Any:
        async with running(tmp_path) as (_, api):
            body = {"metadata": {"name": "c"}, "data": {"k0": "v"}}
            await api.create("/api/v1/namespaces/t/configmaps?fieldManager=m0", body)
            for number in range(1, 13):
                changed = await api.patch(f"{PATH}?fieldManager=m{number}", {"data": {f"k{number}": "v"}})
            return changed

    managers = owned(asyncio.run(scene()))
    assert len(managers) == 10
    assert "ancient-changes" in managers
    assert sum(map(len, managers.values())) == 13 + 1
