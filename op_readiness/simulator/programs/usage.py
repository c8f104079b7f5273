"""What a container uses of its Node: programs say what they would take, limits say what they get.

A job object holds a Windows container to its limits: CPU time is cut off, and memory beyond the limit is not given.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Usage:
    """One container's. `cores` is what its programs would compute with; `memory` (bytes) is what they have committed.

    `limit_cores` and `limit_memory` are 0 without a limit; `core_seconds` counts up to `since` (cluster time).
    """

    limit_cores: float = 0.0
    limit_memory: int = 0
    cores: float = 0.0
    memory: int = 0
    since: float = 0.0
    core_seconds: float = field(default=0.0)

    def given(self, machine_cores: float) -> float:
        """The cores that it really gets on a machine of so many."""
        return min(self.cores, self.limit_cores or machine_cores, machine_cores)

    def compute(self, cores: float, now: float, machine_cores: float) -> None:
        """From now on its programs want so many cores."""
        self.core_seconds = self.total(now, machine_cores)
        self.cores, self.since = cores, now

    def total(self, now: float, machine_cores: float) -> float:
        """Core seconds until now."""
        return self.core_seconds + self.given(machine_cores) * max(0.0, now - self.since)

    def commit(self, size: int) -> bool:
        """Take memory; False, and nothing is taken, beyond the limit."""
        if self.limit_memory and self.memory + size > self.limit_memory:
            return False
        self.memory += size
        return True
