"""`op-readiness list` and `simulate faults`: what there is, as text or JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from op_readiness.model.abilities import Category
from op_readiness.runner.names import must_be_known


def catalogue_of(test_directories: Sequence[str | Path] = (), *, quick: bool = False) -> list[Category]:
    """What is shipped, and what the folders add."""
    from op_readiness.suite.catalogue import load_catalogue, shipped_folder

    return load_catalogue([shipped_folder(), *(Path(folder) for folder in test_directories)], quick=quick)


def list_command(
    format: str,
    *,
    categories: Sequence[str] = (),
    abilities: Sequence[str] = (),
    tags: Sequence[str] = (),
    skip_tags: Sequence[str] = (),
    test_directories: Sequence[str] = (),
) -> str:
    """The abilities asked for, planned ones included. Raises UsageError for unknown names and an empty list."""
    chosen = chosen_for_listing(catalogue_of(test_directories, quick=True), categories, abilities, tags, skip_tags)
    if format == "json":
        return json.dumps({"categories": [category.to_dict() for category in chosen]}, indent=2)
    return "\n\n".join(_category_text(category) for category in chosen)


def chosen_for_listing(
    catalogue: Sequence[Category],
    categories: Sequence[str],
    abilities: Sequence[str],
    tags: Sequence[str],
    skip_tags: Sequence[str],
) -> list[Category]:
    """Like a run's selection, but planned abilities count and tags hide. Raises UsageError."""
    from op_readiness.model.errors import UsageError
    from op_readiness.runner.selection import TAGS, expand

    names = expand(catalogue, categories)
    known = [ability.id for category in catalogue for ability in category.abilities]
    for id in abilities:
        must_be_known("ability", id, known)
    for tag in (*tags, *skip_tags):
        must_be_known("tag", tag, TAGS)
    chosen = []
    for category in catalogue:
        kept = tuple(
            a
            for a in category.abilities
            if (not abilities or a.id in abilities)
            and (not tags or set(tags) & set(a.tags))
            and not set(skip_tags) & set(a.tags)
        )
        if kept and (not names or category.name in names):
            chosen.append(Category(category.name, category.description, kept))
    if not chosen:
        raise UsageError("nothing to list: no ability has all that was asked for")
    return chosen


def _category_text(category: Category) -> str:
    planned = sum(ability.planned for ability in category.abilities)
    count = f"{len(category.abilities)} abilities" + (f", {planned} planned" if planned else "")
    lines = [f"{category.name} ({count})", f"  {category.description}"]
    width = max(len(ability.id) for ability in category.abilities)
    for ability in category.abilities:
        marks = [*ability.tags, *(["does not gate"] if not ability.gating else []), *(["planned"] * ability.planned)]
        tail = f"  [{', '.join(marks)}]" if marks else ""
        lines.append(f"  {ability.id:<{width}}  {ability.description}{tail}")
    return "\n".join(lines)


def faults_command(format: str) -> str:
    """The named faults of the simulator."""
    from op_readiness.runner.simulated import known_faults

    faults: list[dict[str, Any]] = known_faults()
    if format == "json":
        return json.dumps({"faults": faults}, indent=2)
    return "\n".join(_fault_text(fault) for fault in faults)


def _fault_text(fault: dict[str, Any]) -> str:
    parameters = fault.get("parameters") or {}
    names = ", ".join(parameters) if isinstance(parameters, dict) else ", ".join(str(p) for p in parameters)
    lines = [f"{fault['name']}{f' ({names})' if names else ''}"]
    for field in ("title", "description", "report", "reports", "source", "case"):
        if value := fault.get(field):
            lines.append(f"    {', '.join(map(str, value)) if isinstance(value, list | tuple) else value}")
    return "\n".join(lines)
