"""The embedded API server answers a table of requests as a real one did, and as a real one still does."""

from __future__ import annotations

import asyncio
import json
import os
from typing import Any

import pytest

from op_readiness.simulator.clock import TurnedClock
from op_readiness.simulator.controlplane.serving.server import ControlPlane
from op_readiness.simulator.controlplane.store.requests import User
from tests.simulator.controlplane.answers import ADMIN, BOB, PAUSE, all_requests, ask_all, recorded_answers
from tests.simulator.controlplane.real import real_api_server

TOKENS = {
    ADMIN: User("admin", ("system:masters", "system:authenticated"), "admin"),
    BOB: User("bob", ("system:authenticated",), "bob"),
}


async def no_network(host: str, port: int) -> Any:
    raise ConnectionRefusedError(f"{host}:{port}")


async def embedded_answers(folder: Any) -> list[dict[str, Any]]:
    control_plane = ControlPlane()
    access = await control_plane.start(folder, TurnedClock(), 1, no_network, TOKENS)
    try:
        return await asyncio.to_thread(ask_all, access.server)
    finally:
        await control_plane.stop()


def differences(expected: list[dict[str, Any]], seen: list[dict[str, Any]]) -> list[str]:
    return [
        f"{row['do']} {json.dumps(row.get('body', ''))}\n  expected {json.dumps(want)}\n  seen     {json.dumps(got)}"
        for row, want, got in zip(all_requests(), expected, seen, strict=True)
        if want != got
    ]


def test_embedded_server_answers_as_the_recorded_one(tmp_path):
    """Every row of requests/*.yaml gets the recorded code, warnings and body."""
    seen = asyncio.run(embedded_answers(tmp_path))

    assert not differences(recorded_answers(), seen)


@pytest.mark.real_control_plane
@pytest.mark.skipif("KUBEBUILDER_ASSETS" not in os.environ, reason="needs KUBEBUILDER_ASSETS")
def test_recorded_answers_are_those_of_a_real_server():
    """A real kube-apiserver of today still answers what was recorded."""
    with real_api_server() as server:
        seen = ask_all(server, PAUSE)

    assert not differences(recorded_answers(), seen)
