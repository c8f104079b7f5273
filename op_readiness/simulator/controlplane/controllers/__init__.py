"""The controllers that readiness tests need, and the scheduler, behind one call."""

from __future__ import annotations

from op_readiness.simulator.api import Api
from op_readiness.simulator.clock import Clock

__all__ = ["run_controllers"]


async def run_controllers(api: Api, clock: Clock, *, root_ca: str) -> None:
    """Run scheduler and controllers against that API server until cancelled; `root_ca` is the CA's PEM text."""
    from op_readiness.simulator.controlplane.controllers.manager import Manager

    await Manager(api, clock, root_ca).run()
