"""The named faults: the YAML files that ship in `library/`, each read once, and what people type to ask for one."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from op_readiness.simulator.faults.schema import Document, document
from op_readiness.simulator.faults.words import FaultError, nearest


@functools.cache
def library() -> Mapping[str, Document]:
    """Name -> document of every fault that ships, by name; raises FaultError for a file that does not hold."""
    return {name: _shipped(name) for name in _names()}


@functools.cache
def _names() -> tuple[str, ...]:
    files = [file.name for file in resources.files(__package__).joinpath("library").iterdir()]
    return tuple(sorted(name.removesuffix(".yaml") for name in files if name.endswith(".yaml")))


@functools.cache
def _shipped(name: str) -> Document:
    """One fault of the library: a simulated cluster is asked for a few, and reading all takes it most of a second."""
    file = resources.files(__package__).joinpath("library", f"{name}.yaml")
    fault = read(file.read_text(encoding="utf-8"), file.name)
    if fault.name != name:
        raise FaultError(f"{file.name}: holds the fault {fault.name!r}; name and file must agree")
    return fault


def read(text: str, where: str) -> Document:
    """The document in a YAML text; raises FaultError naming `where` and, for broken YAML, the line."""
    return document(parse(text, where), where)


def parse(text: str, where: str) -> Any:
    """The data of a YAML text; `on` stays a word (YAML 1.1 would read it as true). Raises FaultError."""
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}:" if mark is not None else ""
        raise FaultError(f"{where}:{line} not YAML: {getattr(error, 'problem', None) or error}") from None


class _Loader(yaml.SafeLoader):
    """SafeLoader with YAML 1.2's booleans: `on`, `off`, `yes` and `no` are words."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool" or first in "tTfF"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def named(name: str) -> Document:
    """The fault of that name; raises FaultError with the nearest one."""
    if name not in _names():
        raise FaultError(f"unknown fault {name!r}{nearest(name, _names())}")
    return _shipped(name)


def parse_request(text: str) -> dict[str, Any]:
    """`NAME` or `NAME:key=value,key=value` as {"name":, "parameters":}; raises FaultError for an unknown word."""
    name, _, rest = text.strip().partition(":")
    fault = named(name.strip())
    parameters = dict(_pair(fault, part) for part in rest.split(",") if part.strip())
    return {"name": fault.name, "parameters": parameters}


def _pair(fault: Document, text: str) -> tuple[str, str]:
    key, equals, value = (part.strip() for part in text.partition("="))
    if not equals or not value:
        raise FaultError(f"fault {fault.name}: {text.strip()!r} is not key=value")
    check_parameters(fault, [key])
    return key, value


def check_parameters(fault: Document, names: Iterable[str]) -> None:
    """Raise FaultError for a name that is no parameter of the fault, with the nearest one."""
    for name in names:
        if name not in fault.parameters:
            none = "" if fault.parameters else "; it has none"
            raise FaultError(f"fault {fault.name}: unknown parameter {name!r}{nearest(name, fault.parameters) or none}")


def read_file(path: str | Path) -> dict[str, Any]:
    """Somebody's own fault file as {"file": data, "parameters": {}}; raises FaultError if it cannot be used."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FaultError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    data = parse(text, str(path))
    document(data, str(path))
    return {"file": data, "parameters": {}}
