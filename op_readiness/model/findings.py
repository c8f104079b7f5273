"""What was seen: findings (why an ability is not met), parts (one path each), proofs (Windows took part), notes.

All are plain data with `to_dict`/`from_dict`, because they cross process borders as JSON lines.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Self


class Record:
    """A dataclass that goes to a JSON object and back; unknown keys are ignored, so that older readers read on."""

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON-ready data."""
        return asdict(self)  # type: ignore[call-overload, no-any-return]

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The record that `to_dict` gave."""
        known = cls.__dataclass_fields__  # type: ignore[attr-defined]
        return cls(**{key: value for key, value in data.items() if key in known})


class Outcome(StrEnum):
    """How a readiness test, or one part of it, ended."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Finding(Record):
    """Why an ability is not met (or could not be judged), in five facts.

    `nodes` are the Nodes that the finding accuses: the proof demands the faulted one and no healthy one.
    `hint` is a true next step, a command where there is one, or empty. `command` repeats the observation.
    """

    what: str
    where: str
    expected: str
    seen: str
    hint: str = ""
    nodes: tuple[str, ...] = ()
    command: str = ""
    code: str = ""

    def __str__(self) -> str:
        lines = [self.what]
        for label in ("where", "expected", "seen", "hint"):
            if text := getattr(self, label):
                first, *more = str(text).splitlines()
                lines.append(f"  {label + ':':<10}{first}")
                lines.extend(f"  {'':<10}{line}" for line in more)
        return "\n".join(lines)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Finding:
        """The finding that `to_dict` gave."""
        known = {key: value for key, value in data.items() if key in cls.__dataclass_fields__}
        return cls(**{**known, "nodes": tuple(known.get("nodes", ()))})


@dataclass(frozen=True)
class Place(Record):
    """One end of a path: a Pod on a Node, or a Node itself (`pod` empty)."""

    node: str
    os: str = ""
    build: str = ""
    namespace: str = ""
    pod: str = ""

    def __str__(self) -> str:
        return f"Pod {self.namespace}/{self.pod} (Node {self.node})" if self.pod else f"Node {self.node}"


@dataclass(frozen=True)
class Part(Record):
    """One path of an ability and how it went: from a place, to a target, by Pod IP, ClusterIP, NodePort, DNS ...

    `seconds` are cluster seconds until the first good answer; `tries` and `lost` count the hold window.
    """

    path: str
    source: Place
    target: str
    outcome: Outcome
    target_node: str = ""
    family: str = "IPv4"
    protocol: str = "TCP"
    reason: str = ""
    tries: int = 0
    lost: int = 0
    seconds: float = 0.0

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Part:
        """The part that `to_dict` gave."""
        known = {key: value for key, value in data.items() if key in cls.__dataclass_fields__}
        return cls(**{**known, "source": Place.from_dict(known["source"]), "outcome": Outcome(known["outcome"])})


@dataclass(frozen=True)
class PodProof(Record):
    """One Pod that took part, as the API shows it, and the answer that came from it.

    `channel` is exec, log or http; `answer` the first 200 characters of what the Pod said.
    """

    uid: str
    namespace: str
    pod: str
    node: str
    os: str
    build: str
    image: str
    image_id: str
    channel: str
    answer: str


@dataclass(frozen=True)
class Proof(Record):
    """What shows that Windows was tested. `kind` is what spec.yaml says the ability owes: pods, node or api."""

    kind: str
    pods: tuple[PodProof, ...] = ()
    nodes: tuple[dict[str, str], ...] = ()
    api: str = ""

    @property
    def holds(self) -> bool:
        """Whether the proof shows what its kind demands."""
        if self.kind == "pods":
            return any(pod.os == "windows" and pod.answer for pod in self.pods)
        return bool(self.nodes) if self.kind == "node" else bool(self.api)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Proof:
        """The proof that `to_dict` gave."""
        return cls(
            kind=data["kind"],
            pods=tuple(PodProof.from_dict(pod) for pod in data.get("pods", ())),
            nodes=tuple(data.get("nodes", ())),
            api=data.get("api", ""),
        )


@dataclass
class Notes(Record):
    """What is only recorded: sentences that a reader should see, and figures by name (with their unit in the name)."""

    texts: list[str] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)
