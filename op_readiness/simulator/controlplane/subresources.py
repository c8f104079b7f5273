"""Subresources other than status, and the kinds that are questions rather than objects."""

from __future__ import annotations

from aiohttp import web

from op_readiness.simulator.controlplane.failures import no_resource
from op_readiness.simulator.controlplane.operations import Cluster
from op_readiness.simulator.controlplane.requests import Request


class Subresources:
    """Answers for subresources and reviews."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    async def answer(self, request: Request, http: web.Request) -> web.StreamResponse:
        """Answer a request for a subresource."""
        raise no_resource()

    def review(self, request: Request, data: bytes, media: str) -> web.Response | None:
        """Answer a review, or None where the resource is stored."""
        return None
