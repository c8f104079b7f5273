"""Builds Tables: one row an object, from the recorded columns and the kind's own cells."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from op_readiness.simulator.controlplane.store.requests import Request
from op_readiness.simulator.controlplane.store.storage import Stored
from op_readiness.simulator.controlplane.tables.kinds import cells_of, has_no_printer

Object = dict[str, Any]


def partial(obj: Object) -> Object:
    """The object's metadata alone."""
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}


class TableView:
    """Shows objects of one request as Tables; in a watch, only the first one carries column definitions."""

    def __init__(self, request: Request) -> None:
        self._key = (request.served.group, request.served.plural)
        self._columns = [
            {"name": name, "type": kind, "format": form, "description": "", "priority": priority}
            for name, kind, form, priority in request.served.columns
        ]
        self._include = request.query.get("includeObject", "Metadata")
        self._sent = False

    def _row(self, obj: Object) -> Object:
        row: Object = {"cells": cells_of(self._key, obj, len(self._columns))}
        if self._include == "Object":
            row["object"] = obj
        elif self._include == "Metadata":
            row["object"] = partial(obj)
        else:
            row["object"] = None
        return row

    def _table(self, objects: Iterable[Object], metadata: Object) -> Object:
        table: Object = {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata}
        table["columnDefinitions"] = None if self._sent else self._columns
        table["rows"] = [self._row(obj) for obj in objects] or (None if has_no_printer(self._key) else [])
        return table

    def of(self, items: list[Stored], metadata: Object) -> Object:
        """The Table of a list; `metadata` is the list's."""
        return self._table((item.object for item in items), metadata)

    def event(self, obj: Object) -> Object:
        """The Table of one event of a watch."""
        version = {"resourceVersion": obj["metadata"]["resourceVersion"]}
        table = self._table([obj] if "uid" in obj["metadata"] else [], version)
        if "uid" not in obj["metadata"]:
            table["rows"] = [{"cells": [""] * len(self._columns), "object": partial(obj)}]
        self._sent = True
        return table
