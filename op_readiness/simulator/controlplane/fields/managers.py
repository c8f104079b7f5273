"""Field managers: who set which field, kept in metadata.managedFields for updates and for server-side apply.

The steps are those of a real API server's field manager: what an update adds or changes becomes its manager's and is
taken from all others; an apply owns exactly what its configuration names, takes out what it named before and nobody
else owns, and is refused where it would change what another manager owns.
"""

from __future__ import annotations

import calendar
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from op_readiness.simulator.controlplane.fields import fieldsets
from op_readiness.simulator.controlplane.fields.comparing import Comparison, field_set, merged, removed, with_structs
from op_readiness.simulator.controlplane.fields.emptiness import empty
from op_readiness.simulator.controlplane.fields.fieldsets import Fields
from op_readiness.simulator.controlplane.fields.structure import Type, check, type_of
from op_readiness.simulator.controlplane.wire.failures import Failure

Object = dict[str, Any]
APPLY, UPDATE = "Apply", "Update"
MOST_UPDATERS = 10
ANCIENT, BEFORE_APPLY = "ancient-changes", "before-first-apply"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
REPLICAS: Fields = {"f:spec": {"f:replicas": {fieldsets.MEMBER: True}}}
NEVER_OWNED = tuple(
    tuple(f"f:{part}" for part in path.split("."))
    for path in (
        "apiVersion",
        "kind",
        "metadata.name",
        "metadata.namespace",
        "metadata.creationTimestamp",
        "metadata.selfLink",
        "metadata.uid",
        "metadata.generation",
        "metadata.managedFields",
        "metadata.resourceVersion",
    )
)


@dataclass(frozen=True)
class Manager:
    """Who writes: name, operation, the version that was written in, and the subresource."""

    name: str
    operation: str
    api_version: str
    subresource: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """What tells managers apart: the version counts for updates alone."""
        version = "" if self.operation == APPLY else self.api_version
        return self.name, self.operation, version, self.subresource


@dataclass
class Entry:
    """One manager's fields, and when it last took some."""

    manager: Manager
    fields: Fields
    time: str = ""


@dataclass
class Managed:
    """The entries of one object by their managers' keys."""

    entries: dict[tuple[str, ...], Entry] = field(default_factory=dict)

    def drop_empty(self) -> None:
        """Managers that own nothing any more are gone."""
        self.entries = {key: entry for key, entry in self.entries.items() if entry.fields}

    def all_fields(self) -> Fields:
        """What anybody owns."""
        found: Fields = {}
        for entry in self.entries.values():
            found = fieldsets.union(found, entry.fields)
        return found


def decoded(obj: Object | None) -> Managed:
    """The entries of an object; none where they cannot be read."""
    managed = Managed()
    for item in ((obj or {}).get("metadata") or {}).get("managedFields") or ():
        if item.get("operation") not in (APPLY, UPDATE) or item.get("fieldsType") != "FieldsV1":
            return Managed()
        name, version = item.get("manager", ""), item.get("apiVersion", "")
        manager = Manager(name, item["operation"], version, item.get("subresource", ""))
        fields = fieldsets.read(item.get("fieldsV1") or {})
        managed.entries[manager.key] = Entry(manager, fields, item.get("time", ""))
    return managed


def encoded(managed: Managed) -> list[Object]:
    """The entries as managedFields holds them, applied ones first, then by time and name."""
    ordered = sorted(managed.entries.values(), key=_order)
    return [_item(entry) for entry in ordered]


def _order(entry: Entry) -> tuple[Any, ...]:
    manager = entry.manager
    return manager.operation, _seconds(entry.time), manager.name, manager.api_version, manager.subresource


def _seconds(text: str) -> int:
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ")) if text else 0


def _item(entry: Entry) -> Object:
    manager = entry.manager
    item: Object = {"manager": manager.name, "operation": manager.operation, "apiVersion": manager.api_version}
    if entry.time:
        item["time"] = entry.time
    item |= {"fieldsType": "FieldsV1", "fieldsV1": fieldsets.written(entry.fields)}
    return item | ({"subresource": manager.subresource} if manager.subresource else {})


def _bare(obj: Object) -> Object:
    metadata = {key: value for key, value in (obj.get("metadata") or {}).items() if key != "managedFields"}
    return {**obj, "metadata": metadata}


def _reset(obj: Object) -> bool:
    """True where a client asks to forget all managers: one empty entry."""
    return (obj.get("metadata") or {}).get("managedFields") == [{}]


def update(old: Object | None, new: Object, manager: Manager, schema: str, ignored: tuple[str, ...], now: str) -> None:
    """Set managedFields of `new`, which `manager` wrote over `old` (None: created)."""
    managed = _known(old, new, manager)
    if manager.subresource == "scale" and not _owned(managed, REPLICAS):
        return
    new["metadata"].pop("managedFields", None)
    if managed.entries or old is None:
        before = empty(schema) if old is None else _bare(old)
        _updated(managed, before, new, manager, type_of(schema), _paths(ignored), now)
    _set(new, managed)


def _owned(managed: Managed, fields: Fields) -> bool:
    return any(fieldsets.intersection(entry.fields, fields) for entry in managed.entries.values())


def _known(old: Object | None, new: Object, manager: Manager) -> Managed:
    if not manager.subresource:
        if _reset(new):
            return Managed()
        sent = decoded(new)
        if sent.entries:
            return sent
    return decoded(old)


def _set(obj: Object, managed: Managed) -> None:
    if managed.entries:
        obj["metadata"]["managedFields"] = encoded(managed)


def _paths(names: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    ignored = tuple(tuple(f"f:{part}" for part in name.split(".")) for name in names)
    return (*NEVER_OWNED, *ignored)


def _updated(managed: Managed, old: Object, new: Object, manager: Manager, kind: Type, ignored: Any, now: str) -> None:
    compared = Comparison(kind, old, new)
    changed = fieldsets.without(compared.changed, ignored)
    _taken(managed, changed, compared.removed)
    if changed:
        own = managed.entries.get(manager.key)
        fields = fieldsets.union(own.fields, changed) if own else changed
        managed.entries[manager.key] = Entry(manager, fields, now)
    _cap(managed)


def _taken(managed: Managed, changed: Fields, gone: Fields, but: tuple[str, ...] | None = None) -> None:
    """Take from every manager what somebody else changed or removed."""
    lost = fieldsets.union(changed, gone)
    if not lost:
        return
    for key, entry in managed.entries.items():
        if key != but:
            managed.entries[key] = replace(entry, fields=fieldsets.difference(entry.fields, lost))
    managed.drop_empty()


def _cap(managed: Managed) -> None:
    """More than ten updating managers: the oldest are merged into one."""
    updaters = sorted((e for e in managed.entries.values() if e.manager.operation == UPDATE), key=_order)
    first: dict[str, Entry] = {}
    count = len(updaters)
    for entry in updaters:
        if count <= MOST_UPDATERS:
            return
        version = entry.manager.api_version
        if version not in first:
            first[version] = entry
            continue
        bucket = Manager(ANCIENT, UPDATE, version)
        before = managed.entries.get(bucket.key) or managed.entries.pop(first[version].manager.key)
        managed.entries.pop(entry.manager.key, None)
        fields = fieldsets.union(before.fields, entry.fields)
        managed.entries[bucket.key] = Entry(bucket, fields, entry.time)
        count -= 1


def apply(
    live: Object | None,
    config: Object,
    manager: Manager,
    schema: str,
    ignored: tuple[str, ...],
    now: str,
    *,
    force: bool,
) -> Object:
    """What an applied configuration makes of the live object (None: it is created), managedFields set."""
    kind, hidden = type_of(schema), _paths(ignored)
    check(kind, config)
    managed, before = decoded(live), empty(schema) if live is None else _bare(live)
    if not managed.entries and live is not None:
        first = Manager(BEFORE_APPLY, UPDATE, manager.api_version)
        _updated(managed, empty(schema), before, first, kind, hidden, now)
    result: Object = merged(kind, {} if live is None else before, config)
    last = managed.entries.get(manager.key)
    managed.entries[manager.key] = own = Entry(manager, field_set(kind, config), last.time if last else "")
    if last is not None:
        result = _pruned(kind, result, managed, last.fields)
    own.fields = fieldsets.without(own.fields, hidden)
    compared = Comparison(kind, before, result)
    changed = fieldsets.without(compared.changed, hidden)
    conflicts = _conflicts(managed, changed, manager)
    if conflicts and not force and not _allowed(kind, live, conflicts, manager):
        raise conflict(conflicts)
    _taken(managed, changed, compared.removed, manager.key)
    if result != before and manager.key in managed.entries:
        managed.entries[manager.key] = replace(managed.entries[manager.key], time=now)
    managed.drop_empty()
    _set(result, managed)
    _last_applied(live, result, config, manager)
    return result


def _pruned(kind: Type, result: Object, managed: Managed, last: Fields) -> Object:
    """The merged object without what this manager named before and nobody names now."""
    whole = with_structs(kind, field_set(kind, result))
    first: Object = removed(kind, result, with_structs(kind, last)) or {}
    left = with_structs(kind, field_set(kind, first))
    owned = with_structs(kind, managed.all_fields())
    second: Object = removed(kind, result, fieldsets.difference(whole, fieldsets.union(left, owned))) or {}
    left = with_structs(kind, field_set(kind, second))
    dangling = fieldsets.intersection(fieldsets.difference(whole, left), with_structs(kind, last))
    return removed(kind, result, dangling) or {}


def _conflicts(managed: Managed, changed: Fields, manager: Manager) -> list[tuple[Entry, Fields]]:
    found = []
    for key, entry in managed.entries.items():
        common = fieldsets.intersection(entry.fields, changed) if key != manager.key else {}
        if common:
            found.append((entry, common))
    return sorted(found, key=lambda pair: shown(pair[0]))


def _allowed(kind: Type, live: Object | None, conflicts: list[tuple[Entry, Fields]], manager: Manager) -> bool:
    """kubectl may take over what its own client-side apply set: the annotation says what that was."""
    text = (((live or {}).get("metadata") or {}).get("annotations") or {}).get(LAST_APPLIED)
    if manager.name != "kubectl" or not text:
        return False
    owned = field_set(kind, json.loads(text))
    return not any(fieldsets.difference(common, owned) for _, common in conflicts)


def _last_applied(live: Object | None, result: Object, config: Object, manager: Manager) -> None:
    annotations = ((live or {}).get("metadata") or {}).get("annotations") or {}
    if manager.name == "kubectl" and LAST_APPLIED in annotations:
        text = json.dumps(config, separators=(",", ":"), sort_keys=True) + "\n"
        result["metadata"]["annotations"] = {**result["metadata"]["annotations"], LAST_APPLIED: text}


def shown(entry: Entry) -> str:
    """A manager as conflicts name it."""
    manager = entry.manager
    text = json.dumps(manager.name, ensure_ascii=False)
    if manager.subresource:
        text += f" with subresource {json.dumps(manager.subresource)}"
    if manager.operation == UPDATE:
        text += f" using {manager.api_version}"
    return text


def conflict(conflicts: list[tuple[Entry, Fields]]) -> Failure:
    """409: the fields that others own, by manager."""
    listed = [(shown(entry), list(fieldsets.paths(common))) for entry, common in conflicts]
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {name}", "field": path}
        for name, found in listed
        for path in found
    ]
    if len(causes) == 1:
        text = f"Apply failed with 1 conflict: conflict with {listed[0][0]}: {listed[0][1][0]}"
    else:
        lines = [line for name, found in listed for line in (f"conflicts with {name}:", *(f"- {p}" for p in found))]
        text = f"Apply failed with {len(causes)} conflicts: " + "\n".join(lines)
    return Failure(409, "Conflict", text, {"causes": causes})


def same_but_times(new: Object, old: Object) -> bool:
    """True where two versions differ in the times of their managers alone."""
    return _timeless(new) == _timeless(old)


def _timeless(obj: Object) -> Object:
    entries = (obj.get("metadata") or {}).get("managedFields") or ()
    timeless = [{key: value for key, value in item.items() if key != "time"} for item in entries]
    return {**obj, "metadata": {**(obj.get("metadata") or {}), "managedFields": timeless}}
