"""The catalogue: categories/*/spec.yaml read, checked and made into `model.Category`.

What people type is checked where it enters: broken YAML, an unknown field or a duplicate id is one line with file,
line and field. `op-readiness list` should be quick, so what is plainly in order is read without pydantic; whatever is
not, and everything a run or a proof reads, goes through `suite.spec`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

import op_readiness
from op_readiness.model.abilities import CATEGORIES, Ability, Category
from op_readiness.model.errors import UsageError

try:
    _Loader: Any = yaml.CSafeLoader
except AttributeError:  # PyYAML without libyaml
    _Loader = yaml.SafeLoader

_PLAIN: dict[str, type | tuple[type, ...]] = {
    "id": str,
    "description": str,
    "source": dict,
    "requires": dict,
    "kubernetesVersions": str,
    "seconds": (int, float),
    "tags": list,
    "proof": str,
    "judges": str,
    "gating": bool,
    "changes": str,
    "planned": bool,
}
"""Fields of an entry and their types in YAML, for reading without pydantic."""


def shipped_folder() -> Path:
    """The folder `categories` that came with this package: beside it in a checkout, inside it in a wheel."""
    package = Path(op_readiness.__file__ or "").resolve().parent
    places = (package / "categories", package.parent / "categories")
    for folder in places:
        if any(folder.glob("*/spec.yaml")):
            return folder
    raise UsageError(f"no catalogue found in {places[0]} or {places[1]}")


def load_catalogue(folders: Iterable[Path] | None = None, *, quick: bool = False) -> list[Category]:
    """Every category of the folders (default: what is shipped), the specification's nine first and in its order.

    `quick` checks names and types only. Raises UsageError naming file, line and field.
    """
    categories: dict[str, Category] = {}
    seen: dict[str, Path] = {}
    for path in _spec_files([shipped_folder()] if folders is None else folders):
        category = read_spec(path, quick=quick)
        for index, ability in enumerate(category.abilities):
            if ability.id in seen:
                line = line_of(path, ("testCases", index, "id"))
                raise UsageError(f"{path}:{line}: id: {ability.id} is taken already, in {seen[ability.id]}")
            seen[ability.id] = path
        if known := categories.get(category.name):
            category = Category(known.name, known.description, known.abilities + category.abilities)
        categories[category.name] = category
    order = {name: place for place, name in enumerate(CATEGORIES)}
    return sorted(categories.values(), key=lambda category: order.get(category.name, len(order)))


def read_spec(path: Path, *, quick: bool = False) -> Category:
    """One spec.yaml, checked. Raises UsageError naming file, line and field."""
    data = read_yaml(path)
    if quick and (category := _plainly(data)):
        return category
    from op_readiness.suite.spec import category_of, first_mistake

    if not isinstance(data, dict):
        raise UsageError(f"{path}:1: a mapping with category, description and testCases is expected")
    if mistake := first_mistake(data):
        loc, what = mistake
        field = re.sub(r"\.(\d+)", r"[\1]", ".".join(str(step) for step in loc))
        raise UsageError(f"{path}:{line_of(path, loc)}: {field}: {what}")
    return Category(*category_of(data))


def line_of(path: Path, loc: tuple[int | str, ...]) -> int:
    """The line on which the value at `loc` begins, or that of its nearest parent."""
    node = yaml.compose(path.read_text("utf-8"), _Loader)
    line = 1
    for step in loc:
        if isinstance(node, yaml.MappingNode):
            pair = next(((key, value) for key, value in node.value if key.value == str(step)), None)
            if pair is None:
                return line
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line + 1
        else:
            return line
    return line


def read_yaml(path: Path) -> Any:
    """The data of a YAML file. Raises UsageError naming file and line."""
    try:
        return yaml.load(path.read_text("utf-8"), _Loader)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is not UTF-8: {error.reason} at byte {error.start}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error)
        raise UsageError(f"{path}:{mark.line + 1 if mark else 1}: not YAML: {problem}") from error


def _spec_files(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        files = sorted(folder.glob("*/spec.yaml"))
        if not files:
            raise UsageError(f"{folder}: no */spec.yaml here; a test directory has the shape of categories/")
        yield from files


def _plainly(data: Any) -> Category | None:
    """The category, if every field is known and of its type; else None, and pydantic says what is wrong."""
    if not isinstance(data, dict) or not set(data) <= {"category", "description", "testCases"}:
        return None
    entries = data.get("testCases")
    if not isinstance(entries, list) or not all(_is_plain(entry) for entry in entries):
        return None
    name = data.get("category")
    return Category(name, data.get("description", ""), tuple(_ability(name, e) for e in entries)) if name else None


def _is_plain(entry: Any) -> bool:
    return (
        isinstance(entry, dict)
        and entry.keys() >= {"id", "description"}
        and all(name in _PLAIN and isinstance(value, _PLAIN[name]) for name, value in entry.items())
    )


def _ability(category: str, entry: dict[str, Any]) -> Ability:
    source = entry.get("source", {})
    same = ("requires", "seconds", "proof", "judges", "gating", "changes", "planned")
    rest = {name: entry[name] for name in same if name in entry}
    return Ability(
        id=entry["id"],
        category=category,
        description=entry["description"],
        kep=tuple(source.get("kep", ())),
        upstream=source.get("upstream", ""),
        kubernetes_versions=entry.get("kubernetesVersions", ""),
        tags=tuple(entry.get("tags", ())),
        **rest,
    )
