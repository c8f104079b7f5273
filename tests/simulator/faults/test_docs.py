"""What docs/faults.md shows can be used as it stands."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import get_args

import pytest
from fault_world import FakeWorld

from op_readiness.simulator.faults import Faults
from op_readiness.simulator.faults.library import parse
from op_readiness.simulator.faults.schema import Deed, Kind
from op_readiness.simulator.faults.states import SHAPES

TEXT = (Path(__file__).parents[3] / "docs" / "faults.md").read_text(encoding="utf-8")
BLOCKS = [block for block in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL) if block.startswith("name:")]


@pytest.mark.parametrize("block", BLOCKS, ids=[block.splitlines()[0][6:40].split()[0] for block in BLOCKS])
def test_each_file_shown_can_be_put_in(block: str) -> None:
    """Copied into a file, it loads and fits the simulated cluster."""

    async def scene() -> None:
        faults = Faults(FakeWorld())
        assert faults.put_in([{"file": parse(block, "docs"), "parameters": {}}])[0]["nodes"]
        faults.take_out_all()

    asyncio.run(scene())


def test_the_five_cases_are_written_out() -> None:
    """C06, C08, C34, C44 and C103 have a heading and a file each."""
    assert re.findall(r"^### (C\d+):", TEXT, re.MULTILINE) == ["C06", "C08", "C34", "C44", "C103"]
    assert len(BLOCKS) == 6


def test_every_word_of_the_schema_is_explained() -> None:
    """Deeds, kinds of parameters, and each field of each table's keys and values stand in the text."""
    fields = {name for shapes in SHAPES.values() for shape in shapes for name in shape.key_fields}
    missing = [word for word in (*get_args(Deed), *get_args(Kind), *sorted(fields)) if f"`{word}`" not in TEXT]
    assert [word for word in missing if f"do: {word}" not in TEXT] == []
