"""Installs the GMSA kind, a credential spec and the webhook's hooks into a real API server, as administrators do."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from op_readiness.simulator.api import Api, ApiError
from op_readiness.simulator.domain.directory import Directory
from op_readiness.simulator.domain.manifests import CRD_NAME, CRDS, SPECS, credential_spec, kind
from op_readiness.simulator.processes import StartFailed

ESTABLISHED_SECONDS, PAUSE = 30.0, 0.05


async def install(api: Api, directory: Directory, installed: Sequence[tuple[str, dict[str, Any]]]) -> None:
    """Apply everything, the `installed` hooks too; raises StartFailed when the kind is not served."""
    await api.create(CRDS, kind())
    for path, hook in installed:
        await api.create(path, hook)
    deadline = asyncio.get_running_loop().time() + ESTABLISHED_SECONDS
    while not _established(await api.get(f"{CRDS}/{CRD_NAME}")) or not await _created(api, credential_spec(directory)):
        if asyncio.get_running_loop().time() > deadline:
            raise StartFailed(f"{CRD_NAME} is not served after {ESTABLISHED_SECONDS:g} s")
        await asyncio.sleep(PAUSE)


async def restore(api: Api, installed: Sequence[tuple[str, dict[str, Any]]]) -> None:
    """The hooks as they were installed, whatever was changed of them."""
    for path, hook in installed:
        await api.patch(f"{path}/{hook['metadata']['name']}", {"webhooks": hook["webhooks"]})


def _established(crd: dict[str, Any]) -> bool:
    conditions = (crd.get("status") or {}).get("conditions") or []
    return any(one["type"] == "Established" and one["status"] == "True" for one in conditions)


async def _created(api: Api, spec: dict[str, Any]) -> bool:
    """Whether the spec is there now; a kind that is new is not served everywhere at once."""
    try:
        await api.create(SPECS, spec)
    except ApiError as error:
        if error.code != 404:
            raise
        return False
    return True
