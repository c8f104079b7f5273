"""Field sets of objects, comparison, merging and removal, guided by the types of structure.py."""

from __future__ import annotations

from typing import Any

from op_readiness.simulator.controlplane.fields.fieldsets import MEMBER, Fields, insert
from op_readiness.simulator.controlplane.fields.structure import NOTHING, Type, below, element, items, of_value

Path = tuple[str, ...]


def _is_empty(value: Any) -> bool:
    return value is NOTHING or value is None or value in ({}, [])


def field_set(kind: Type, value: Any) -> Fields:
    """Every field that an applied configuration names."""
    found: Fields = {}
    _collect(of_value(kind, value), value, (), found)
    return found


def _collect(kind: Type, value: Any, path: Path, found: Fields) -> None:
    if kind.form == "scalar" or kind.atomic:
        insert(found, path)
    elif kind.form == "list":
        for name, item in items(kind, value).items():
            _collect(of_value(kind.element or kind, item), item, (*path, name), found)
            insert(found, (*path, name))
    else:
        for key, item in (value or {}).items():
            place = (*path, f"f:{key}")
            _collect(of_value(below(kind, key), item), item, place, found)
            if item is None or item == {} or key not in kind.fields:
                insert(found, place)


class Comparison:
    """What differs between two versions of an object: `changed` is added or modified, `removed` is gone."""

    def __init__(self, kind: Type, old: Any, new: Any) -> None:
        self.changed: Fields = {}
        self.removed: Fields = {}
        self._compare(kind, old, new, ())

    def _compare(self, kind: Type, old: Any, new: Any, path: Path) -> None:
        if old is not NOTHING and new is not NOTHING and old == new and type(old) is type(new):
            return
        kind = of_value(kind, old if new is NOTHING or new is None else new)
        if kind.form == "scalar" or kind.atomic or (_is_empty(old) and _is_empty(new)):
            insert(self.removed if new is NOTHING else self.changed, path)
            return
        if kind.form == "list":
            self._below_list(kind, old, new, path)
        else:
            self._below_map(kind, old, new, path)
        if old is NOTHING:
            insert(self.changed, path)
        elif new is NOTHING:
            insert(self.removed, path)

    def _below_list(self, kind: Type, old: Any, new: Any, path: Path) -> None:
        before, after = items(kind, _list(old)), items(kind, _list(new))
        for name in {**before, **after}:
            inner = kind.element or kind
            self._compare(inner, before.get(name, NOTHING), after.get(name, NOTHING), (*path, name))

    def _below_map(self, kind: Type, old: Any, new: Any, path: Path) -> None:
        before, after = _map(old), _map(new)
        for key in {**before, **after}:
            place = (*path, f"f:{key}")
            self._compare(below(kind, key), before.get(key, NOTHING), after.get(key, NOTHING), place)


def _map(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def merged(kind: Type, live: Any, config: Any) -> Any:
    """The live object with an applied configuration laid over it."""
    if config is NOTHING:
        return live
    kind = of_value(kind, config)
    if kind.form == "scalar" or kind.atomic or live is NOTHING or live is None or config is None:
        return config
    if kind.form == "list":
        return _merged_list(kind, items(kind, live), items(kind, config))
    result = dict(live) if isinstance(live, dict) else {}
    for key, value in config.items():
        result[key] = merged(below(kind, key), result.get(key, NOTHING), value)
    return result


def _merged_list(kind: Type, live: dict[str, Any], config: dict[str, Any]) -> list[Any]:
    """Items of both: the configuration's order, woven into the items that it does not name."""
    result: list[Any] = []
    theirs, ours = list(live), list(config)
    shared = [name for name in ours if name in live]
    done: set[str] = set()
    left = right = 0

    def take(name: str) -> None:
        result.append(merged(kind.element or kind, live.get(name, NOTHING), config.get(name, NOTHING)))
        done.add(name)

    while left < len(theirs) or right < len(ours):
        if left < len(theirs) and right < len(ours):
            if theirs[left] == ours[right]:
                take(ours[right])
                shared = shared[1:]
                left, right = left + 1, right + 1
                continue
            if theirs[left] in config and shared and shared[0] != theirs[left]:
                left += 1
                continue
        if left < len(theirs) and (theirs[left] not in config or theirs[left] in done):
            if theirs[left] not in done:
                take(theirs[left])
            left += 1
            continue
        if right < len(ours):
            take(ours[right])
            shared = shared[1:] if shared and shared[0] == ours[right] else shared
            right += 1
    return result


def removed(kind: Type, value: Any, fields: Fields) -> Any:
    """The value without the members of a set; None where nothing is left."""
    kind = of_value(kind, value)
    if kind.form == "list" and isinstance(value, list) and not kind.atomic:
        kept = []
        for index, item in enumerate(value):
            node = fields.get(element(kind, item, index))
            if node is None:
                kept.append(item)
            elif MEMBER not in node:
                kept.append(removed(kind.element or kind, item, node))
        return kept or None
    if kind.form in ("map", "free") and isinstance(value, dict):
        left = {key: _field_removed(kind, key, item, fields.get(f"f:{key}")) for key, item in value.items()}
        return {key: item for key, item in left.items() if item is not NOTHING} or None
    return value


def _field_removed(kind: Type, key: str, item: Any, node: Fields | None) -> Any:
    if node is None:
        return item
    if MEMBER in node:
        return NOTHING
    return removed(below(kind, key), item, node)


def with_structs(kind: Type, fields: Fields) -> Fields:
    """The set with every struct field on the way to a member made a member too."""
    found: Fields = {}
    for key, node in fields.items():
        if key == MEMBER:
            found[MEMBER] = True
            continue
        named = key.startswith("f:") and kind.form == "map" and key[2:] in kind.fields
        inner = below(kind, key[2:]) if key.startswith("f:") else (kind.element or kind)
        found[key] = with_structs(inner, node)
        if named:
            found[key][MEMBER] = True
    return found
