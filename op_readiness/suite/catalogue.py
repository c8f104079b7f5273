"""The catalogue: categories/*/spec.yaml read, checked and made into `model.Category`.

What people type is checked where it enters: broken YAML, an unknown field or a duplicate id is one line with file,
line and field. Lines are looked up only when something is wrong, because `op-readiness list` should be quick.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

import op_readiness
from op_readiness.model.abilities import CATEGORIES, Ability, Category
from op_readiness.model.errors import UsageError

TAGS = ("slow", "serial", "disruptive", "beyond", "internet")
"""Tags that an ability may carry; `serial` and `disruptive` run alone."""

VERSIONS = r"^\s*(>=|<=|==|!=|~=|>|<)\s*\d+(\.\d+)*\s*(,\s*(>=|<=|==|!=|~=|>|<)\s*\d+(\.\d+)*\s*)*$"

try:
    _Loader: Any = yaml.CSafeLoader
except AttributeError:  # PyYAML without libyaml
    _Loader = yaml.SafeLoader


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Strict):
    """Where the sentence comes from: bullets of KEP-2578 (N.1 is the first of Basic Networking), upstream's case."""

    kep: tuple[str, ...] = ()
    upstream: str = ""


class Requires(_Strict):
    """What a cluster must have for the ability to be tested; its absence skips the test, with the reason."""

    windowsNodes: int = Field(1, ge=0)
    linuxNodes: int = Field(0, ge=0)
    nodes: int = Field(0, ge=0)
    freePods: int = Field(0, ge=0)
    dns: bool = False
    dualStack: bool = False
    privileged: bool = False
    nodesProxy: bool = False
    gmsa: bool = False
    networkPolicy: Literal["", "enforced"] = ""


class Entry(_Strict):
    """One entry of `testCases`."""

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)+$")
    description: str = Field(min_length=1)
    source: Source = Source()
    requires: Requires = Requires()  # type: ignore[call-arg]
    kubernetesVersions: str = Field("", pattern=rf"^$|{VERSIONS}")
    seconds: float = Field(30.0, gt=0)
    tags: tuple[Literal["slow", "serial", "disruptive", "beyond", "internet"], ...] = ()
    proof: Literal["pods", "node", "api"] = "pods"
    judges: Literal["", "start"] = ""
    gating: bool = True
    planned: bool = False

    def ability(self, category: str) -> Ability:
        """The entry in the model's words."""
        return Ability(
            id=self.id,
            category=category,
            description=self.description,
            kep=self.source.kep,
            upstream=self.source.upstream,
            requires=self.requires.model_dump(exclude_unset=True),
            kubernetes_versions=self.kubernetesVersions,
            seconds=self.seconds,
            tags=self.tags,
            proof=self.proof,
            judges=self.judges,
            gating=self.gating,
            planned=self.planned,
        )


class Spec(_Strict):
    """One spec.yaml."""

    category: str = Field(min_length=1)
    description: str = ""
    testCases: tuple[Entry, ...]


def shipped_folder() -> Path:
    """The folder `categories` that came with this package: beside it in a checkout, inside it in a wheel."""
    package = Path(op_readiness.__file__ or "").resolve().parent
    for folder in (package / "categories", package.parent / "categories"):
        if any(folder.glob("*/spec.yaml")):
            return folder
    raise UsageError(f"no catalogue found: neither {package / 'categories'} nor {package.parent / 'categories'} has one")


def load_catalogue(folders: Iterable[Path] | None = None) -> list[Category]:
    """Every category of the folders (default: what is shipped), the specification's nine first and in its order.

    Raises UsageError naming file, line and field.
    """
    categories: dict[str, Category] = {}
    seen: dict[str, str] = {}
    for path in _spec_files([shipped_folder()] if folders is None else folders):
        spec = read_spec(path)
        for index, entry in enumerate(spec.testCases):
            where = f"{path}:{_line(path, ('testCases', index, 'id'))}" if entry.id in seen else str(path)
            if entry.id in seen:
                raise UsageError(f"{where}: id: {entry.id} is taken already, in {seen[entry.id]}; ids are never reused")
            seen[entry.id] = where
        found = tuple(entry.ability(spec.category) for entry in spec.testCases)
        known = categories.get(spec.category)
        categories[spec.category] = (
            Category(known.name, known.description, known.abilities + found)
            if known
            else Category(spec.category, spec.description, found)
        )
    order = {name: place for place, name in enumerate(CATEGORIES)}
    return sorted(categories.values(), key=lambda category: order.get(category.name, len(order)))


def read_spec(path: Path) -> Spec:
    """One spec.yaml, checked. Raises UsageError naming file, line and field."""
    try:
        data = yaml.load(path.read_text("utf-8"), _Loader)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is not UTF-8: {error.reason} at byte {error.start}") from error
    except yaml.YAMLError as error:
        raise UsageError(_broken_yaml(path, error)) from error
    if not isinstance(data, dict):
        raise UsageError(f"{path}:1: a mapping with category, description and testCases is expected")
    try:
        return Spec.model_validate(data)
    except ValidationError as error:
        raise UsageError(_first_error(path, error)) from error


def _spec_files(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        files = sorted(folder.glob("*/spec.yaml"))
        if not files:
            raise UsageError(f"{folder}: no */spec.yaml here; a test directory has the shape of categories/")
        yield from files


def _broken_yaml(path: Path, error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    line = mark.line + 1 if mark else 1
    problem = getattr(error, "problem", None) or str(error)
    return f"{path}:{line}: not YAML: {problem}"


def _first_error(path: Path, error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    loc = first["loc"]
    field = re.sub(r"\.(\d+)", r"[\1]", ".".join(str(step) for step in loc))
    line = _line(path, loc)
    if first["type"] == "extra_forbidden":
        return f"{path}:{line}: {field}: unknown field"
    return f"{path}:{line}: {field}: {first['msg']}"


def _line(path: Path, loc: tuple[Any, ...]) -> int:
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
