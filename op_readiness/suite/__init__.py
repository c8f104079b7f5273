"""The pytest side: the ability mark, fixtures, hook specifications, outcomes made into Results, the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from op_readiness.suite.mark import ability as ability

__all__ = ["ability"]


def __getattr__(name: str) -> Any:
    """`ability`, imported when asked for: `op-readiness list` reads the catalogue and should not import pytest."""
    if name == "ability":
        from op_readiness.suite.mark import ability

        return ability
    raise AttributeError(name)
