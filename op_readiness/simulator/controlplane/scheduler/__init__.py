"""The scheduler: gives each Pod without a Node the best Node that fits, or says exactly why there is none."""

from op_readiness.simulator.controlplane.scheduler.decide import Decision, schedule
from op_readiness.simulator.controlplane.scheduler.scheduler import Scheduler

__all__ = ["Decision", "Scheduler", "schedule"]
