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
    number = len(category.abilities)
    count = f"{number} {'ability' if number == 1 else 'abilities'}" + (f", {planned} planned" if planned else "")
    lines = [f"{category.name} ({count})", f"  {category.description}"]
    width = max(len(ability.id) for ability in category.abilities)
    for ability in category.abilities:
        marks = [*ability.tags, *(["does not gate"] if not ability.gating else []), *(["planned"] * ability.planned)]
        tail = f"  [{', '.join(marks)}]" if marks else ""
        lines.append(f"  {ability.id:<{width}}  {ability.description}{tail}")
    return "\n".join(lines)


def faults_command(format: str) -> str:
    """The named faults of the simulator, each with its public report and the cells declared for it."""
    from op_readiness.runner.simulated import known_faults

    faults: list[dict[str, Any]] = known_faults()
    declared = _declared([fault["name"] for fault in faults])
    for fault in faults:
        fault["declared"] = declared.get(fault["name"], [])
    if format == "json":
        return json.dumps({"faults": faults}, indent=2)
    return "\n".join(_fault_text(fault) for fault in faults)


def _declared(names: Sequence[str]) -> dict[str, list[dict[str, str]]]:
    """Fault -> what the categories' faults.yaml declare: outcome, ability and why."""
    from op_readiness.runner import matrix
    from op_readiness.suite.catalogue import shipped_folder

    found: dict[str, list[dict[str, str]]] = {}
    ids = {category.name: [ability.id for ability in category.abilities] for category in catalogue_of(quick=True)}
    known = [id for category in ids.values() for id in category]
    for path in sorted(shipped_folder().glob(f"*/{matrix.FILE}")):
        of = matrix.read(path, known, names)
        for fault in of.faults:
            cells = [{"outcome": c.expected.value, "ability": c.ability, "why": c.why} for c in of.of_fault(fault)]
            green = [{"outcome": "green", "ability": "", "why": of.green[fault]}] if fault in of.green else []
            found[fault] = [*found.get(fault, []), *cells, *green]
    return found


def _fault_text(fault: dict[str, Any]) -> str:
    names = ", ".join(fault["parameters"])
    lines = [f"{fault['name']}{f' ({names})' if names else ''}", f"    {fault['title']}"]
    report = ", ".join(filter(None, (fault.get("report", ""), fault.get("case", ""))))
    lines += [f"    report: {report}"] if report else []
    for outcome in ("red", "error", "either", "green"):
        cells = [cell for cell in fault["declared"] if cell["outcome"] == outcome]
        if abilities := [cell["ability"] for cell in cells if cell["ability"]]:
            lines.append(f"    {outcome}: {', '.join(abilities)}")
        lines += [f"    green: {cell['why']}" for cell in cells if not cell["ability"]]
    return "\n".join(lines)
