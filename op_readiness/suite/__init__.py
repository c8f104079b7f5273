"""The pytest side: the ability mark, fixtures, hook specifications, outcomes made into Results, the catalogue."""

from op_readiness.suite.mark import ability

__all__ = ["ability"]
