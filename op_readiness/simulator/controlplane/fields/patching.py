"""JSON, merge and strategic merge patches; merge keys come from the recorded schemas.

A patch is applied to a copy that its caller owns. Server-side apply is not here: it is refused at the door.
"""

from __future__ import annotations

import copy
import functools
from typing import Any

from op_readiness.simulator.controlplane.wire.failures import Failure, bad_request
from op_readiness.simulator.controlplane.wire.recorded import recorded

Object = dict[str, Any]
REJECTED = "the server rejected our request due to an error in our request"


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    merged = target if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged


def json_patch(target: Any, operations: Any) -> Any:
    """RFC 6902; 422 where an operation fails."""
    if not isinstance(operations, list):
        raise bad_request(
            "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"
        )
    try:
        for operation in operations:
            target = _operate(target, operation)
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise Failure(422, "Invalid", REJECTED, {}) from error
    return target


def _pointer(path: str) -> list[str]:
    if path and not path.startswith("/"):
        raise ValueError(path)
    return [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]


def _operate(target: Any, operation: Object) -> Any:
    path = _pointer(operation["path"])
    match operation["op"]:
        case "add":
            return _add(target, path, operation["value"])
        case "remove":
            return _remove(target, path)
        case "replace":
            _value_at(target, path)
            return _add(_remove(target, path), path, operation["value"])
        case "move":
            value = _value_at(target, _pointer(operation["from"]))
            return _add(_remove(target, _pointer(operation["from"])), path, value)
        case "copy":
            return _add(target, path, copy.deepcopy(_value_at(target, _pointer(operation["from"]))))
        case "test":
            if _value_at(target, path, missing=None) != operation.get("value"):
                raise ValueError("test failed")
            return target
    raise ValueError(operation["op"])


_RAISE = object()


def _value_at(target: Any, path: list[str], missing: Any = _RAISE) -> Any:
    for part in path:
        if isinstance(target, list):
            target = target[int(part)]
        elif missing is not _RAISE:
            target = target.get(part, missing)
        else:
            target = target[part]
    return target


def _add(target: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    parent = _value_at(target, path[:-1])
    if isinstance(parent, list):
        index = len(parent) if path[-1] == "-" else int(path[-1])
        if not 0 <= index <= len(parent):
            raise IndexError(path[-1])
        parent.insert(index, value)
    else:
        parent[path[-1]] = value
    return target


def _remove(target: Any, path: list[str]) -> Any:
    if not path:
        return None
    parent = _value_at(target, path[:-1])
    if isinstance(parent, list):
        del parent[int(path[-1])]
    else:
        del parent[path[-1]]
    return target


@functools.cache
def _properties(schema: str) -> Object:
    properties: Object = recorded()["schemas"].get(schema, {}).get("properties", {})
    return properties


def _below(field: Object) -> str:
    reference = field.get("$ref") or (field.get("allOf") or [{}])[0].get("$ref") or ""
    return str(reference).rsplit("/", 1)[-1]


def strategic_patch(target: Object, patch: Object, schema: str) -> Object:
    """The target with a strategic merge patch applied; `schema` names the target's schema (empty: a plain map)."""
    if patch.get("$patch") == "replace":
        return {key: value for key, value in patch.items() if key != "$patch"}
    if patch.get("$patch") == "delete":
        return {}
    properties, before = _properties(schema), {key: value for key, value in target.items() if isinstance(value, list)}
    for key, value in patch.items():
        if not key.startswith("$"):
            _merge_field(target, key, value, properties.get(key, {}))
    _directives(target, patch, properties, before)
    if "$retainKeys" in patch:
        return {key: value for key, value in target.items() if key in patch["$retainKeys"]}
    return target


def _merge_field(target: Object, key: str, value: Any, field: Object) -> None:
    if value is None:
        target.pop(key, None)
    elif isinstance(value, dict):
        if isinstance(target.get(key), dict) or value.get("$patch"):
            target[key] = strategic_patch(target.get(key) or {}, value, _below(field))
        else:
            target[key] = strategic_patch({}, value, _below(field))
    elif isinstance(value, list) and "merge" in field.get("x-kubernetes-patch-strategy", ""):
        target[key] = _merge_list(target.get(key) or [], value, field)
    else:
        target[key] = value


def _merge_list(current: list[Any], patch: list[Any], field: Object) -> list[Any]:
    merge_key = field.get("x-kubernetes-patch-merge-key", "")
    if any(isinstance(item, dict) and item.get("$patch") == "replace" for item in patch):
        return [item for item in patch if not (isinstance(item, dict) and "$patch" in item)]
    if not merge_key:
        return current + [item for item in patch if item not in current]
    merged, schema = list(current), _below(field["items"])
    for item in patch:
        if not isinstance(item, dict) or merge_key not in item:
            raise Failure(500, "", f"map: {item} does not contain declared merge key: {merge_key}")
        at = next((i for i, old in enumerate(merged) if old.get(merge_key) == item[merge_key]), None)
        if item.get("$patch") == "delete":
            merged = [old for old in merged if old.get(merge_key) != item[merge_key]]
        elif at is None:
            merged.append(strategic_patch({}, item, schema))
        else:
            merged[at] = strategic_patch(merged[at], item, schema)
    order = [item for item in patch if "$patch" not in item]
    return _ordered(merged, order, merge_key, current)


def _directives(target: Object, patch: Object, properties: Object, before: Object) -> None:
    for key, value in patch.items():
        directive, _, name = key.partition("/")
        if directive == "$deleteFromPrimitiveList" and name in target:
            target[name] = [item for item in target[name] if item not in value]
        elif directive == "$setElementOrder" and isinstance(target.get(name), list):
            merge_key = properties.get(name, {}).get("x-kubernetes-patch-merge-key", "")
            target[name] = _ordered(target[name], value, merge_key, before.get(name) or [])


def _ordered(items: list[Any], order: list[Any], merge_key: str, before: list[Any]) -> list[Any]:
    """Items that the patch names, in its order, woven into the others, which keep the server's order (`before`)."""

    def key(item: Any) -> str:
        return repr(item.get(merge_key) if merge_key and isinstance(item, dict) else item)

    ranks, places = _ranks(order, key), _ranks(before, key)
    named = sorted((item for item in items if key(item) in ranks), key=lambda item: ranks[key(item)])
    others = [item for item in items if key(item) not in ranks]
    woven: list[Any] = []
    while named and others:
        left, right = places.get(key(named[0]), -1), places.get(key(others[0]), -1)
        woven.append(others.pop(0) if left >= 0 and 0 <= right < left else named.pop(0))
    return woven + named + others


def _ranks(items: list[Any], key: Any) -> dict[str, int]:
    ranks: dict[str, int] = {}
    for item in items:
        ranks.setdefault(key(item), len(ranks))
    return ranks
