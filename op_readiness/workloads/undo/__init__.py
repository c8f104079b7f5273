"""Putting back what is changed outside a run's Namespaces: the journal, and what undoes each kind of change.

Whoever makes such a change writes down first how it is undone (`journal.write_down`; tests do it through
`Workshop.promise`). Importing this package registers every kind.
"""

from __future__ import annotations

from op_readiness.workloads.undo import host, journal, nodes, shares

__all__ = ["host", "journal", "nodes", "shares"]
