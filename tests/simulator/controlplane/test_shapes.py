"""Every request that kubectl and a run were seen to send has its like in the table."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import yaml

from op_readiness.simulator.api import ApiError
from tests.simulator.controlplane.answers import all_requests
from tests.simulator.controlplane.running import running
from tests.simulator.controlplane.shapes import SHAPES, Shape, shape_of_row

REFUSED = {
    "/apis/autoscaling/v1/namespaces/NAMESPACE/horizontalpodautoscalers",
    "/apis/windows.k8s.io/v1/gmsacredentialspecs",
    "/metrics",
}
"""Shapes without a row: a cluster of another make may serve them, the embedded API server answers 404."""


def seen() -> list[Shape]:
    return [Shape.of_row(row) for rows in yaml.safe_load(SHAPES.read_text()).values() for row in rows]


def test_every_shape_has_a_row():
    """Method, path, query keys, media type and form of the answer are those of some row."""
    covered = {shape_of_row(row) for row in all_requests()}

    assert len(seen()) > 150
    assert not [shape.as_row() for shape in seen() if shape not in covered and shape.path not in REFUSED]


def test_shapes_without_a_row_were_seen():
    """Nothing is excused that nobody asks for."""
    assert {shape.path for shape in seen()} >= REFUSED


@pytest.mark.parametrize("path", sorted(REFUSED))
def test_shapes_without_a_row_are_refused(tmp_path: Path, path: str):
    """404, and nothing half."""

    async def scene() -> int:
        async with running(tmp_path) as (_, api):
            with pytest.raises(ApiError) as refused:
                await api.get(path.replace("NAMESPACE", "t"))
            return refused.value.code

    assert asyncio.run(scene()) == 404
