"""The catalogue's words: a category, its abilities, what each requires and owes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from op_readiness.model.findings import Record

CATEGORIES = (
    "Core.Network",
    "Core.Storage",
    "Core.Scheduling",
    "Core.Concurrent",
    "Extend.HostProcess",
    "Extend.ActiveDirectory",
    "Extend.NetworkPolicy",
    "Extend.Network",
    "Extend.Worker",
)
"""The nine categories of the Windows Operational Readiness Specification, in its order."""


@dataclass(frozen=True)
class Ability(Record):
    """One sentence of KEP-2578 with its stable id. `seconds` are expected cluster seconds on a warm cluster."""

    id: str
    category: str
    description: str
    kep: tuple[str, ...] = ()
    upstream: str = ""
    requires: dict[str, Any] = field(default_factory=dict)
    kubernetes_versions: str = ""
    seconds: float = 30.0
    tags: tuple[str, ...] = ()
    proof: str = "pods"
    judges: str = ""
    gating: bool = True
    changes: str = ""
    """What it changes outside its Namespaces, and puts back; empty for most."""
    planned: bool = False
    focus: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    skip_providers: tuple[str, ...] = ()
    """`focus` in place of a native test: upstream's form, specs of e2e.test; `skip` leaves out some of them."""


@dataclass(frozen=True)
class Category(Record):
    """A group of abilities."""

    name: str
    description: str
    abilities: tuple[Ability, ...]
