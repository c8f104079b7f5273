"""--gate: what only warns decides all the same."""

from __future__ import annotations

import pytest

from op_readiness.model.abilities import Ability, Category
from op_readiness.model.errors import UsageError
from op_readiness.runner.selection import gated

CATALOGUE = [
    Category("Core.Network", "", (Ability("net-a", "Core.Network", ""),)),
    Category("Extend.Worker", "", tuple(Ability(id, "Extend.Worker", "", gating=False) for id in ("wk-a", "wk-b"))),
]


@pytest.mark.parametrize(
    ("names", "gates"),
    [
        ((), {"net-a"}),
        (("Extend.Worker",), {"net-a", "wk-a", "wk-b"}),
        (("Extend",), {"net-a", "wk-a", "wk-b"}),
        (("wk-b",), {"net-a", "wk-b"}),
    ],
)
def test_by_category_group_or_ability(names, gates):
    """The rest stays as the catalogue says."""
    abilities = [ability for category in gated(CATALOGUE, names) for ability in category.abilities]
    assert {ability.id for ability in abilities if ability.gating} == gates


@pytest.mark.parametrize(("name", "near"), [("Extend.Wroker", "Extend.Worker"), ("wk-aa", "wk-a")])
def test_a_misspelt_name_offers_the_nearest(name, near):
    """As every name that is typed."""
    with pytest.raises(UsageError, match=f"did you mean {near}"):
        gated(CATALOGUE, (name,))
