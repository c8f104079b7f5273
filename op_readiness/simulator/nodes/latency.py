"""How long the steps of a Pod's life take on a Node, in cluster seconds: one row for each profile and OS.

`quick` is what a small Linux cluster shows, on both. `realistic` is what Windows Nodes show: half of all Pods need
30 s and more to start. Every figure is spread by a quarter to both sides, drawn from the cluster's seed.
"""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Latency:
    """Cluster seconds of each step. `pull` is an image that is not yet on the Node."""

    pull: float
    sandbox: float
    start: float
    stop: float
    exec: float
    volume_update: float
    boot: float

    def of(self, step: str, drawn: random.Random) -> float:
        """The duration of one step, spread by a quarter."""
        return float(getattr(self, step)) * drawn.uniform(0.75, 1.25)


PROFILES: dict[tuple[str, str], Latency] = {
    ("quick", "linux"): Latency(pull=1.0, sandbox=0.4, start=0.4, stop=0.2, exec=0.1, volume_update=20.0, boot=20.0),
    ("quick", "windows"): Latency(pull=1.0, sandbox=0.6, start=0.6, stop=0.4, exec=0.2, volume_update=20.0, boot=20.0),
    ("realistic", "linux"): Latency(
        pull=15.0, sandbox=1.0, start=1.0, stop=0.5, exec=0.2, volume_update=75.0, boot=60.0
    ),
    ("realistic", "windows"): Latency(
        pull=240.0, sandbox=20.0, start=10.0, stop=5.0, exec=1.5, volume_update=75.0, boot=180.0
    ),
}
