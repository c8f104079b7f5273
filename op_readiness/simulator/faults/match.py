"""Filters of a fault file: does what is met at a table, in an event or in an API request fit what the step names?

A filter is a value, a pattern with `*` or `?`, a list of which one must fit, `{not: ...}`, `{over: n}` or `{under: n}`.
Everything is compared as text without regard to case, because YAML, Kubernetes and Python spell `true`, `TCP` and `80`
differently.
"""

from __future__ import annotations

import fnmatch
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from op_readiness.simulator.faults.words import FaultError, nearest

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge, "==": operator.eq,
}  # fmt: skip
RELATIONS = ("not", "over", "under")


def fits(wanted: Any, seen: Any) -> bool:
    """Whether `seen` is what the filter names; of a `seen` with several values one must fit."""
    if isinstance(wanted, Mapping):
        return all(_relation(word, value, seen) for word, value in wanted.items())
    if isinstance(wanted, list | tuple):
        return any(fits(one, seen) for one in wanted)
    if isinstance(seen, list | tuple | set | frozenset):
        return any(fits(wanted, one) for one in seen)
    if wanted is None:
        return seen is None or seen == ""
    return fnmatch.fnmatchcase(_text(seen), _text(wanted))


def _relation(word: str, value: Any, seen: Any) -> bool:
    if word == "not":
        return not fits(value, seen)
    if word not in RELATIONS:
        raise FaultError(f"unknown relation {word!r} in a filter{nearest(word, RELATIONS)}")
    number = float(seen or 0)
    return number > float(value) if word == "over" else number < float(value)


def _text(value: Any) -> str:
    return "" if value is None else str(value).lower()


def all_fit(filters: Mapping[str, Any], fields: Mapping[str, Any]) -> bool:
    """Whether every filter fits the field of its name; a missing field is None."""
    return all(fits(wanted, fields.get(name)) for name, wanted in filters.items())


def compared(condition: str, counts: Callable[[str], float | None]) -> bool:
    """The truth of `pods > 8`; `counts` gives the number by name, None where there is no such number."""
    what, sign, limit = parsed(condition)
    number = counts(what)
    return number is not None and COMPARISONS[sign](number, limit)


def parsed(condition: str) -> tuple[str, str, float]:
    """`pods > 8` in its three parts; raises FaultError."""
    found = re.fullmatch(r"\s*([a-z][a-z ]*?)\s*(<=|>=|==|<|>)\s*(\d+(?:\.\d+)?)\s*", condition)
    if not found:
        raise FaultError(f"cannot read the condition {condition!r}; write it like `pods > 8`")
    return found[1], found[2], float(found[3])
