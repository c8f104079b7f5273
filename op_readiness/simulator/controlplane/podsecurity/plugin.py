"""Applies a Namespace's Pod Security labels."""

from __future__ import annotations

from typing import Any

from op_readiness.simulator.controlplane.requests import Request
from op_readiness.simulator.controlplane.storage import Store

Object = dict[str, Any]


class PodSecurity:
    """The plugin, over one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def judge(self, request: Request, obj: Object, old: Object | None) -> None:
        """Refuse a Pod that violates the enforced level; warn where the Namespace asks for warnings."""
