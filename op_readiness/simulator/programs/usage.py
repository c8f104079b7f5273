"""What a container uses of its Node: programs say what they would take, limits say what they get.

A job object holds a Windows container to its limits: CPU time is cut off, and a commit beyond the limit is refused
(there is no OOM killer). Whether a limit is in force is looked up each time, so that one that was lost holds nobody.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field


def base_bytes(image: str) -> int:
    """What the processes of a container have committed before its programs ask for more: 20 to 36 MiB, by the image."""
    return (20 + hashlib.sha256(image.encode()).digest()[0] % 16) * 1024**2


def _unlimited(resource: str) -> float:
    return 0.0


@dataclass
class Usage:
    """One container's. `cores` is what its programs would compute with; `memory` (bytes) is what they have committed.

    `limit` gives the limit in force of `cpu` (cores) or `memory` (bytes), 0 for none; `left` what the machine can still
    commit, None where it overcommits. `core_seconds` counts up to `since` (cluster time).
    """

    limit: Callable[[str], float] = _unlimited
    base: int = 0
    left: Callable[[], int] | None = None
    cores: float = 0.0
    memory: int = 0
    since: float = 0.0
    core_seconds: float = field(default=0.0)

    @property
    def committed(self) -> int:
        """Bytes that the container has committed altogether."""
        return self.base + self.memory

    def given(self, machine_cores: float) -> float:
        """The cores that it really gets on a machine of so many."""
        return min(self.cores, self.limit("cpu") or machine_cores, machine_cores)

    def compute(self, cores: float, now: float, machine_cores: float) -> None:
        """From now on its programs want so many cores."""
        self.core_seconds = self.total(now, machine_cores)
        self.cores, self.since = cores, now

    def total(self, now: float, machine_cores: float) -> float:
        """Core seconds until now."""
        return self.core_seconds + self.given(machine_cores) * max(0.0, now - self.since)

    def commit(self, size: int) -> bool:
        """Take memory; False, and nothing is taken, beyond the limit or where the machine has no more."""
        limit = self.limit("memory")
        if limit and self.committed + size > limit:
            return False
        if self.left is not None and size > self.left():
            return False
        self.memory += size
        return True

    def release(self, size: int) -> None:
        """Give memory back."""
        self.memory = max(0, self.memory - size)
