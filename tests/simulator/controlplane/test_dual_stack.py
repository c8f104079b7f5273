"""Services of an API server with two ranges: families, addresses and refusals are those of the real one."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

from op_readiness.simulator.clock import TurnedClock
from op_readiness.simulator.controlplane.serving.server import ControlPlane
from tests.simulator.controlplane.answers import (
    DUAL_STACK,
    PAUSE,
    RANGES,
    ask_all,
    recorded_file,
    requests,
)
from tests.simulator.controlplane.real import real_api_server
from tests.simulator.controlplane.running import no_network
from tests.simulator.controlplane.test_answers import TOKENS

ROWS = requests(DUAL_STACK)


def recorded() -> list[dict[str, Any]]:
    return list(json.loads(recorded_file(DUAL_STACK).read_text()))


async def embedded(folder: Path) -> list[dict[str, Any]]:
    control_plane = ControlPlane()
    access = await control_plane.start(folder, TurnedClock(), 1, no_network, TOKENS, service_ranges=RANGES)
    try:
        return await asyncio.to_thread(ask_all, access.server, 0, ROWS)
    finally:
        await control_plane.stop()


def differences(seen: list[dict[str, Any]]) -> list[str]:
    return [
        f"{row['do']} {json.dumps(row.get('body', ''))}\n  expected {json.dumps(want)}\n  seen     {json.dumps(got)}"
        for row, want, got in zip(ROWS, recorded(), seen, strict=True)
        if want != got
    ]


def test_embedded_server_answers_as_the_recorded_one(tmp_path):
    """Every row of requests/dual-stack gets the recorded code, warnings and body."""
    assert not differences(asyncio.run(embedded(tmp_path)))


@pytest.mark.real_control_plane
@pytest.mark.skipif("KUBEBUILDER_ASSETS" not in os.environ, reason="needs KUBEBUILDER_ASSETS")
def test_recorded_answers_are_those_of_a_real_server():
    """A real kube-apiserver of today still answers what was recorded."""
    with real_api_server(*RANGES) as server:
        assert not differences(ask_all(server, PAUSE, ROWS))
