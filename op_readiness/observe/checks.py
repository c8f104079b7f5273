"""Single statements about Pods that hold or do not: each a part of the result, and together one finding by Node."""

from __future__ import annotations

from dataclasses import dataclass, field

from op_readiness.model.errors import AbilityNotMet
from op_readiness.model.findings import Finding, Outcome, Part, Place
from op_readiness.observe.recorder import Recorder

SHOWN = 8
"""Lines of what was seen that a finding has at most."""


@dataclass(frozen=True)
class Check:
    """One statement: `path` says what was looked at, `target` at whom or what, `expected` and `seen` what of it."""

    path: str
    place: Place
    target: str
    expected: str
    seen: str
    good: bool
    command: str = ""


@dataclass
class Checks:
    """Collects statements of one readiness test."""

    recorder: Recorder
    taken: list[Check] = field(default_factory=list)

    def take(self, check: Check) -> bool:
        """Keep a statement as a part; gives whether it holds."""
        outcome = Outcome.PASSED if check.good else Outcome.FAILED
        reason = "" if check.good else _one_line(check.seen)
        self.recorder.part(
            Part(check.path, check.place, check.target, outcome, family="", protocol="", reason=reason)
        )
        self.taken.append(check)
        return check.good

    def not_tested(self, path: str, place: Place, target: str, why: str) -> None:
        """Keep what could not be asked as a part, with the reason."""
        self.recorder.part(Part(path, place, target, Outcome.SKIPPED, family="", protocol="", reason=why))

    def must_hold(self, what: str, *, hint: str = "", code: str = "") -> None:
        """Raise AbilityNotMet, one finding that accuses the Nodes of those that do not hold."""
        bad = [check for check in self.taken if not check.good]
        if not bad:
            return
        expected = dict.fromkeys(f"{check.path} {check.target}: {check.expected}" for check in bad[:4])
        lines = [f"{check.place.node}: {check.path} {check.target}: {_one_line(check.seen)}" for check in bad]
        more = [f"and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
        raise AbilityNotMet(
            Finding(
                what=what,
                where=", ".join(dict.fromkeys(str(check.place) for check in bad[:4])),
                expected="\n".join(expected),
                seen="\n".join([*lines[:SHOWN], *more]),
                hint=hint,
                nodes=tuple(sorted({check.place.node for check in bad})),
                command=next((check.command for check in bad if check.command), ""),
                code=code,
            )
        )


def _one_line(text: str) -> str:
    return " ".join(text.split())[:300] or "nothing"
