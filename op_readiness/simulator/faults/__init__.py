"""Faults as data: what a file says, and how it changes the tables of the simulated world."""

from op_readiness.simulator.faults.words import FaultError

__all__ = ["FaultError", "Faults"]


def __getattr__(name: str) -> object:
    """`Faults` is imported when it is asked for: reading fault files must not load the simulator."""
    if name == "Faults":
        from op_readiness.simulator.faults.engine import Faults

        return Faults
    raise AttributeError(name)
