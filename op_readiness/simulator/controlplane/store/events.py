"""Events have two faces over one object: core/v1 as stored, events.k8s.io/v1 as a view of the same fields."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]
NEW_NAMES = {
    "involvedObject": "regarding",
    "message": "note",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
    "reportingComponent": "reportingController",
}
OLD_NAMES = {new: old for old, new in NEW_NAMES.items()}
NEW_VERSION = "events.k8s.io/v1"


def to_new(obj: Object) -> Object:
    """A stored Event as events.k8s.io/v1 shows it."""
    shown = {NEW_NAMES.get(key, key): value for key, value in obj.items() if value != "" or key not in OPTIONAL}
    return {**shown, "apiVersion": NEW_VERSION}


OPTIONAL = ("reportingComponent", "reportingInstance")


def to_stored(obj: Object) -> Object:
    """An events.k8s.io/v1 body as it is stored."""
    return {**{OLD_NAMES.get(key, key): value for key, value in obj.items()}, "apiVersion": "v1"}
