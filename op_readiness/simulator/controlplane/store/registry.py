"""Which resources are served: from the recorded discovery, never from a list typed here."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any

from op_readiness.simulator.controlplane.wire.recorded import recorded, schema_of_kind

Key = tuple[str, str]


@dataclass(frozen=True)
class Subresource:
    """A subresource as discovery shows it; `group_version` is that of its own kind."""

    name: str
    kind: str
    group_version: str
    verbs: frozenset[str]


@dataclass(frozen=True, eq=False)
class Resource:
    """A served resource; `schema` is the name of its kind's schema."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool
    verbs: frozenset[str]
    schema: str
    subresources: dict[str, Subresource] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        """Where its objects are kept: the two kinds of events share one place, as in a real cluster."""
        return ("", "events") if self.plural == "events" else (self.group, self.plural)

    @property
    def api_version(self) -> str:
        """`v1` or `apps/v1`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def columns(self) -> list[list[Any]]:
        """Recorded Table columns as [name, type, format, priority]."""
        name = f"{self.plural}.{self.group}" if self.group else self.plural
        columns: list[list[Any]] = recorded()["columns"].get(name, [])
        return columns


@functools.cache
def resources() -> dict[tuple[str, str, str], Resource]:
    """All served resources by (group, version, plural)."""
    found: dict[tuple[str, str, str], Resource] = {}
    for group_version, listed in recorded()["resources"].items():
        group, _, version = group_version.rpartition("/")
        for entry in listed:
            name, _, sub = entry["name"].partition("/")
            if sub:
                found[group, version, name].subresources[sub] = _subresource(sub, entry, group_version)
            else:
                found[group, version, name] = _resource(group, version, entry)
    return found


def _resource(group: str, version: str, entry: dict[str, Any]) -> Resource:
    schema = schema_of_kind(group, version, entry["kind"])
    return Resource(
        group, version, entry["name"], entry["kind"], entry["namespaced"], frozenset(entry["verbs"]), schema
    )


def _subresource(name: str, entry: dict[str, Any], group_version: str) -> Subresource:
    own = f"{entry['group']}/{entry['version']}" if entry.get("group") else entry.get("version", group_version)
    return Subresource(name, entry["kind"], own, frozenset(entry["verbs"]))


def resource(group: str, plural: str) -> Resource:
    """The resource of that name; every served group has the version v1 alone."""
    return resources()[group, "v1", plural]
