"""The simulated agnhost on Windows, where documentation and sources say that it differs from Linux (agnhost.yaml)."""

from __future__ import annotations

from typing import Any

import pytest

from .agnhost_table import Place, normal, simulated_run, table


@pytest.mark.parametrize("row", table()["windows"], ids=[row["run"] for row in table()["windows"]])
def test_windows_differs_where_its_documentation_says_so(row: dict[str, Any]) -> None:
    """Texts of Windows, each with its source."""
    place = Place({"http": 8090, "udp": 8091, "tcp": 8092, "closed": 9999, "mute": 8093, "full": 8094}, "/files")
    seen = simulated_run(place, row, "windows")
    assert seen.status == row["code"] and row["source"]
    assert seen.body == normal(place.fill(row.get("out", "")), place)
    assert seen.err == normal(place.fill(row.get("err", "")), place)
