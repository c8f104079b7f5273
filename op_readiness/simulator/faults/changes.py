"""How a value of a table changes: fields replaced, the entry gone, lost at a rate or in a square wave, frozen.

Values are frozen dataclasses of whoever owns the table, so everything here is by field name; a name that the value does
not have is an error when the fault is put in, not when a packet meets it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from op_readiness.simulator.faults.match import fits
from op_readiness.simulator.faults.words import FaultError, nearest, seconds

Field = Callable[[str], Any]
"""Gives a field of what is met, by name (`$key.port`)."""


def altered(value: Any, changes: Any, seen: Field, default: Callable[[], Any] | None) -> Any:
    """`value` with the fields of `changes` replaced; a missing entry starts from the table's default."""
    if value is None:
        if default is None:
            return None
        value = default()
    if not isinstance(changes, Mapping):
        return changes
    return replace(value, **{name: _given(value, name, change, seen) for name, change in changes.items()})


def _given(value: Any, name: str, change: Any, seen: Field) -> Any:
    """The new content of one field: a value, null for none, `$key.x`, or for a tuple {add:, remove:, each:}."""
    if change is None:
        return None
    old = getattr(value, name)
    if isinstance(change, str) and change.startswith("$key."):
        return seen(change.removeprefix("$key."))
    if isinstance(old, tuple | list | frozenset | set):
        return type(old)(_listed(list(old), change, seen))
    if isinstance(change, Mapping) and is_dataclass(old):
        return altered(old, change, seen, None)
    return change


def _listed(old: list[Any], change: Any, seen: Field) -> list[Any]:
    if not isinstance(change, Mapping):
        return list(change) if isinstance(change, list | tuple) else [change]
    if unknown := sorted(set(change) - {"add", "remove", "each", "keep"}):
        raise FaultError(
            f"unknown word {unknown[0]!r} in a change of a list{nearest(unknown[0], ('add', 'remove', 'each', 'keep'))}"
        )
    kept = [entry for entry in old if "remove" not in change or not _entry_fits(change["remove"], entry)]
    kept = kept[: int(change["keep"])] if "keep" in change else kept
    kept = [altered(entry, change["each"], seen, None) for entry in kept] if "each" in change else kept
    return [*kept, *change.get("add", [])]


def _entry_fits(wanted: Any, entry: Any) -> bool:
    if isinstance(wanted, Mapping) and is_dataclass(entry):
        return all(fits(value, getattr(entry, name, None)) for name, value in wanted.items())
    return fits(wanted, entry)


def check_changes(what: str, changes: Any, value_type: type[Any] | None) -> None:
    """Raise FaultError for a field that the table's values do not have."""
    if not isinstance(changes, Mapping) or value_type is None or not is_dataclass(value_type):
        return
    known = [field.name for field in fields(value_type)]
    for name in changes:
        if name not in known:
            raise FaultError(f"{what}: its values have no field {name!r}{nearest(name, known)}")


def in_low_half(wave: Any, since: float) -> bool:
    """Whether a square wave {pass: s, drop: s} drops at that many cluster seconds; it begins with passing."""
    good, bad = wave_times(wave)
    return since % (good + bad) >= good


def wave_times(wave: Any) -> tuple[float, float]:
    """Seconds of passing and of dropping; raises FaultError."""
    if not isinstance(wave, Mapping) or sorted(wave) != ["drop", "pass"]:
        raise FaultError(f"a square wave is {{pass: SECONDS, drop: SECONDS}}, not {wave!r}")
    good, bad = seconds(wave["pass"]), seconds(wave["drop"])
    if good + bad <= 0:
        raise FaultError("a square wave needs some time")
    return good, bad
