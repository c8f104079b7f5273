"""The undo journal: how to put back what is changed outside a run's Namespaces, written down before it is changed.

It is a ConfigMap of the run's own Namespace, which is deleted last. A clean-up, also that of a later process, replays
it backwards and strikes out what it has put back. What kinds of changes there are is registered by those who undo them.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from typing import Any

from op_readiness.cluster.api import Cluster
from op_readiness.workloads.labels import own_namespace, run_labels

NAME = "undo-journal"

Undo = Callable[[Cluster, dict[str, Any]], None]
UNDO: dict[str, Undo] = {}
"""Kind of change -> what puts it back, given the data that was written down and the run's id as `run_id`. Has to be
safe to repeat, and safe where the change was never made."""


class NotUndone(Exception):
    """A change could not be put back; the message says what there was to do, and what came of it."""


def undoes(kind: str) -> Callable[[Undo], Undo]:
    """Registers what puts a kind of change back."""

    def register(undo: Undo) -> Undo:
        UNDO[kind] = undo
        return undo

    return register


def open_journal(cluster: Cluster, run_id: str) -> None:
    """Make the journal, empty."""
    meta = {"name": NAME, "namespace": own_namespace(run_id), "labels": run_labels(run_id)}
    cluster.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {}})


def new_key() -> str:
    """A key that sorts by time, and that no other worker makes."""
    return f"{time.time_ns():020d}-{secrets.token_hex(3)}"


def write_down(cluster: Cluster, run_id: str, key: str, kind: str, data: dict[str, Any]) -> None:
    """Write down how to undo a change that is about to be made; `key` is unique in the run and sorts by time."""
    if kind not in UNDO:
        raise KeyError(f"nothing is registered that undoes {kind!r}")
    entry = json.dumps({"kind": kind, "data": data})
    cluster.patch("ConfigMap", NAME, own_namespace(run_id), {"data": {key: entry}})


def strike_out(cluster: Cluster, run_id: str, key: str) -> None:
    """The change is put back."""
    cluster.patch("ConfigMap", NAME, own_namespace(run_id), {"data": {key: None}})


def undo_now(cluster: Cluster, run_id: str, kind: str, data: dict[str, Any]) -> None:
    """Put one change back; raises what keeps it from being put back."""
    UNDO[kind](cluster, {**data, "run_id": run_id})


def entries(cluster: Cluster, run_id: str) -> dict[str, str]:
    """What the journal still holds, by key; nothing when there is no journal."""
    found = cluster.find("ConfigMap", NAME, own_namespace(run_id))
    return dict((found or {}).get("data") or {})


def replay(cluster: Cluster, run_id: str) -> list[str]:
    """Put back what the journal still holds, newest first; gives a line for each that could not be put back."""
    problems: list[str] = []
    for key, text in sorted(entries(cluster, run_id).items(), reverse=True):
        try:
            entry = json.loads(text)
            undo_now(cluster, run_id, entry["kind"], entry["data"])
            strike_out(cluster, run_id, key)
        except Exception as error:  # whatever one entry does, the others are still put back
            problems.append(f"undo {key}: {type(error).__name__}: {error}")
    return problems
