"""Kinds of CustomResourceDefinitions: recorded from a real API server that has them, served or not in this process."""

from __future__ import annotations

import json
from typing import Any

from op_readiness.simulator.controlplane.fields import schema
from op_readiness.simulator.controlplane.store import registry
from op_readiness.simulator.controlplane.verbs import discovery
from op_readiness.simulator.controlplane.wire import recorded


def gmsa() -> dict[str, Any]:
    """GMSACredentialSpec as tests/recording/record_custom_kind.py wrote it down."""
    loaded: dict[str, Any] = json.loads(recorded.document("gmsa.json"))
    return loaded


def serve(*kinds: dict[str, Any]) -> None:
    """Serve these kinds from now on, and no other custom ones. Everything that was made of a recording is forgotten."""
    if kinds == tuple(recorded.custom()):
        return
    recorded.serve_also(*kinds)
    for made in (
        recorded.recorded, recorded.schema_of_kind, registry.resources, schema.walk_of, discovery.openapi_v2,
        discovery.openapi_v3,
    ):  # fmt: skip
        made.cache_clear()
