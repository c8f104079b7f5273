"""What the runner hands to the workers: one JSON file, read once a worker."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from op_readiness.model.abilities import Ability
from op_readiness.model.clock import SYSTEM_CLOCK, Clock
from op_readiness.model.facts import Facts
from op_readiness.model.timeouts import Timeouts
from op_readiness.workloads.images import Images


@dataclass(frozen=True)
class RunContext:
    """One run, as a worker needs to know it. `windows_nodes` are the selected ones, by name."""

    run_id: str
    kubeconfig: str
    abilities: dict[str, Ability]
    selected: list[str]
    facts: Facts
    timeouts: Timeouts
    standing: dict[str, Any]
    events_dir: Path
    windows_nodes: list[str]
    images: Images = field(default_factory=Images)
    pull_secret: str = ""
    attempt: int = 1
    disruptive: bool = False
    """Whether acts that fill, restart or reboot Nodes were asked for."""
    command: str = "op-readiness"
    e2e: dict[str, Any] = field(default_factory=dict)
    """How to run e2e.test: binary, provider, seconds, verbose."""
    inputs: dict[str, Any] = field(default_factory=dict)
    """What only the operator knows, by section and field: `{"gmsa": {"domain": ...}}`."""

    @property
    def evidence_dir(self) -> Path:
        """Where evidence files go, a folder an ability."""
        return self.events_dir.parent / "evidence"

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RunContext:
        """The context that the runner wrote."""
        abilities = {key: Ability.from_dict(value) for key, value in data["abilities"].items()}
        facts = Facts.from_dict(data["facts"])
        return cls(
            run_id=data["run_id"],
            kubeconfig=data["kubeconfig"],
            abilities=abilities,
            selected=list(data["selected"]),
            facts=facts,
            timeouts=Timeouts(**data["timeouts"]),
            standing=data.get("standing") or {},
            events_dir=Path(data["events_dir"]),
            windows_nodes=list(data["windows_nodes"]),
            images=Images.from_dict(data.get("images") or {}),
            pull_secret=data.get("pull_secret") or "",
            attempt=data.get("attempt", 1),
            disruptive=bool(data.get("disruptive", False)),
            command=data.get("command", "op-readiness"),
            e2e=data.get("e2e") or {},
            inputs=data.get("inputs") or {},
        )

    @classmethod
    def read(cls, path: str | Path, clock: Clock = SYSTEM_CLOCK) -> RunContext:
        """The context in a file, waited for: workers start while the runner's standing objects come up."""
        while not Path(path).exists():
            clock.sleep(0.05)
        return cls.from_dict(json.loads(Path(path).read_text("utf-8")))
