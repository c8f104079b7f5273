"""YAML bodies as a real API server reads them: a key that is there twice is told, the last one counts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import yaml


class Loader(yaml.SafeLoader):
    """Reads a document and lists its doubled keys in `doubled`, as lines of text."""

    def __init__(self, stream: Any) -> None:
        super().__init__(stream)
        self.doubled: list[str] = []

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """The mapping; its doubled keys are noted."""
        seen: set[Any] = set()
        for key, _ in node.value:
            if key.value in seen:
                self.doubled.append(f'line {key.start_mark.line + 1}: key "{key.value}" already set in map')
            seen.add(key.value)
        return super().construct_mapping(node, deep)


Loader.bool_values = {**yaml.SafeLoader.bool_values, "y": True, "n": False}  # YAML 1.1, as Go reads it
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("[yYnN]$"), list("yYnN"))


class Unreadable(ValueError):
    """No YAML; the text is the server's."""


def load(data: bytes) -> tuple[Any, list[str]]:
    """The document, and a line of text for each doubled key."""
    loader = Loader(data)
    try:
        return loader.get_single_data(), loader.doubled
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problem = (error.problem or "").partition(", but")[0]
        raise Unreadable(f"yaml: line {line}: did not find {problem}") from error
    except yaml.YAMLError as error:
        raise Unreadable(f"yaml: {error}") from error
    finally:
        loader.dispose()


def unmarshal_errors(doubled: Iterable[str]) -> str:
    """Doubled keys as strict decoding names them."""
    return "yaml: unmarshal errors:" + "".join(f"\n  {line}" for line in doubled)
