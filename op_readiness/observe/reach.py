"""Who reaches whom: many legs at once, recorded as parts, judged together.

One broken Node does not end a test: every leg is observed, then one finding lists what each client showed and accuses
the Nodes that explain the pattern.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from op_readiness.model.errors import AbilityNotMet, CouldNotTell
from op_readiness.model.findings import Finding, Outcome, Part
from op_readiness.observe.blame import Sighting, accused
from op_readiness.observe.recorder import Recorder
from op_readiness.observe.shell import Client
from op_readiness.observe.traffic import Leg, Observer, Target

A = TypeVar("A")
T = TypeVar("T")
LINES = 12
"""Legs listed in one finding; more would bury it."""


@dataclass
class Reach:
    """Observes legs side by side in `threads`. `windows_nodes` breaks ties of blame: this is a Windows tool."""

    observer: Observer
    recorder: Recorder
    threads: Executor
    windows_nodes: frozenset[str]
    event_of: Callable[[], str] = lambda: ""

    def every(
        self, clients: Iterable[Client], targets: Iterable[Target], *, within: str = "service_routed", hint: str = "",
        after_change: bool = False,
    ) -> list[Leg]:  # fmt: skip
        """Every client reaches every target, exactly its backends answer, and it holds; else raises AbilityNotMet.

        `after_change`: the targets' backends have just changed, see `Observer.leg`.
        """
        pairs = [(client, target) for client in clients for target in targets]
        return self.pairs(pairs, within=within, hint=hint, after_change=after_change)

    def pairs(
        self, pairs: Sequence[tuple[Client, Target]], *, within: str = "service_routed", hint: str = "",
        after_change: bool = False,
    ) -> list[Leg]:  # fmt: skip
        """The same for chosen pairs of client and target."""
        self._waits(pairs, "to answer", within)
        observed = partial(self.observer.leg, within=within, after_change=after_change)
        legs = together(self.threads, lambda pair: observed(*pair), pairs)
        self.record(legs)
        if bad := [leg for leg in legs if not leg.judgement.good]:
            raise AbilityNotMet(finding_of(bad, legs, self.windows_nodes, hint))
        return legs

    def record(self, legs: Iterable[Leg]) -> None:
        """Keep legs as parts, and who answered as witnesses."""
        for leg in legs:
            self._record(leg)

    def none(self, clients: Iterable[Client], targets: Iterable[Target], *, within: str = "service_gone") -> float:
        """No client gets an answer from any target any more; gives the cluster seconds until all fell silent."""
        pairs = [(client, target) for client in clients for target in targets]
        self._waits(pairs, "to fall silent", within)
        seen = together(self.threads, lambda pair: self.observer.fallen_silent(*pair, within), pairs)
        bad = [
            (client, target, said)
            for (client, target), (silent, said, _) in zip(pairs, seen, strict=True)
            if not silent
        ]
        for (client, target), (silent, said, seconds) in zip(pairs, seen, strict=True):
            reason = "" if silent else f"still answered {said!r}"
            self._part(
                client,
                target,
                Outcome.PASSED if silent else Outcome.FAILED,
                f"{target.path}, gone",
                reason,
                seconds=seconds,
            )
        if bad:
            raise AbilityNotMet(self._still_there(bad, len(pairs)))
        return max((seconds for _, _, seconds in seen), default=0.0)

    def recorded_only(self, pairs: Sequence[tuple[Client, Target]], why: str) -> None:
        """Ask once for what Kubernetes does not promise, and keep what came as a figure that nobody judges."""
        counts = together(self.threads, lambda pair: sum(map(bool, self.observer.names_during(*pair, 1))), pairs)
        for (client, target), count in zip(pairs, counts, strict=True):
            self.recorder.figure(f"answers of 1 from {target} to {client.place} ({why})", count)

    def _waits(self, pairs: Sequence[tuple[Client, Target]], what: str, within: str) -> None:
        """Tell the live view what is asked, and until when a first answer may come."""
        if not pairs:
            return
        client, target = pairs[0]
        others = f" (and {len(pairs) - 1} more paths)" if len(pairs) > 1 else ""
        since = time.time()
        until = since + self.observer.seconds(within)
        self.recorder.waiting(f"{client.place} -> {target}{others} {what}", since=since, until=until)

    def _record(self, leg: Leg) -> None:
        judgement = leg.judgement
        outcome = Outcome.PASSED if judgement.good else Outcome.FAILED
        reason = "" if judgement.good else str(judgement)
        if judgement.good and judgement.lost:
            said = f" ({judgement.words})" if judgement.words else ""
            reason = f"{judgement.lost} of {judgement.tries} tries lost{said}"
            self.recorder.note(f"{leg.client.place} -> {leg.target}: {reason}, below the 1 % that passes")
        self._part(
            leg.client, leg.target, outcome, leg.target.path, reason,
            tries=judgement.tries, lost=judgement.lost, seconds=leg.seconds,
        )  # fmt: skip
        if leg.target.names_pods:
            for name in judgement.seen:
                self.recorder.witness(leg.target.namespace, name, "http", name)

    def _part(
        self, client: Client, target: Target, outcome: Outcome, path: str, reason: str,
        *, tries: int = 0, lost: int = 0, seconds: float = 0.0,
    ) -> None:  # fmt: skip
        family = "IPv6" if ":" in target.host else "IPv4"
        self.recorder.part(
            Part(
                path,
                client.place,
                str(target),
                outcome,
                target.node,
                family,
                target.protocol,
                reason,
                tries,
                lost,
                round(seconds, 2),
            )
        )

    def _still_there(self, bad: Sequence[tuple[Client, Target, str]], total: int) -> Finding:
        nodes = tuple(sorted({client.place.node for client, _, _ in bad}))
        seen = "\n".join(f"{client.place}: {target} still answered {said!r}" for client, target, said in bad[:LINES])
        client = bad[0][0]
        return Finding(
            what=f"{bad[0][1].what} is gone and still answers",
            where=f"{len(bad)} of {total} clients, on {', '.join(nodes)}",
            expected="no answer from a deleted Service or its Pods",
            seen=seen,
            hint=f"kube-proxy on {client.place.node} may not have removed the HNS load balancer of {bad[0][1].host}",
            nodes=nodes,
        )


def together(threads: Executor, call: Callable[[A], T], items: Sequence[A]) -> list[T]:
    """`call` of each item, run side by side, in order; a CouldNotTell comes only after all have ended."""
    futures = [threads.submit(call, item) for item in items]
    values, errors = [], []
    for future in futures:
        try:
            values.append(future.result())
        except CouldNotTell as error:
            errors.append(error)
    if errors:
        raise CouldNotTell(*[finding for error in errors for finding in error.findings][:3])
    return values


def sightings(leg: Leg) -> list[Sighting]:
    """A leg as evidence for `blame`; of a bad leg also what was well about it."""
    judgement, target, here = leg.judgement, leg.target, leg.client.place.node
    if judgement.good:
        homes = frozenset(target.backends.values())
        if target.node == here or (not target.node and homes == {here}):
            return []
        return [Sighting(True, here, target.node, homes - {here, target.node})]
    suspects = leg.suspects | (judgement.missing if judgement.answered else frozenset())
    if judgement.complete and not suspects:  # some tries were lost, and the backends showed nothing: any of them may be
        suspects = frozenset(target.backends)
    well = judgement.seen - suspects
    homes, others = (
        frozenset(target.backends[name] for name in names if name in target.backends) for names in (suspects, well)
    )
    found = [Sighting(False, here, target.node, homes, partly=judgement.complete)]
    return [*found, Sighting(True, backends=others - homes - {here, target.node})] if suspects and others else found


def finding_of(bad: Sequence[Leg], legs: Sequence[Leg], windows_nodes: frozenset[str], hint: str = "") -> Finding:
    """One finding for the bad legs among `legs`."""
    nodes = accused([one for leg in legs for one in sightings(leg)], windows_nodes)
    paths = sorted({leg.target.path for leg in bad})
    first = bad[0]
    lines = _lines(bad)
    if len(lines) > LINES:
        lines[LINES:] = [f"... and {len(lines) - LINES} more"]
    if whole := _healthy(legs):
        lines.append(whole)
    return Finding(
        what=f"{first.target.what} does not answer as it should by {', '.join(paths)}",
        where=f"{first.client.place} -> {first.target}"
        + (f" (and {len(bad) - 1} more of {len(legs)} paths)" if len(bad) > 1 else ""),
        expected=first.target.expectation,
        seen="\n".join(lines),
        hint=hint or first.target.hint(", ".join(nodes) or first.client.place.node, first.control),
        nodes=nodes,
        command=first.command,
    )


def _lines(legs: Sequence[Leg]) -> list[str]:
    """What was seen, one line for all legs of a Node that saw the same."""
    paths: dict[tuple[str, str], list[str]] = {}
    for leg in legs:
        control = f"; {leg.control}" if leg.control else ""
        seen = (leg.client.place.node, f"{leg.judgement}{control}")
        paths.setdefault(seen, []).append(f"{leg.target.path} {leg.target.shown}")
    return [f"{node} by {', '.join(to)}: {seen}" for (node, seen), to in paths.items()]


def _healthy(legs: Sequence[Leg]) -> str:
    good = [leg for leg in legs if leg.judgement.good]
    if not good:
        return ""
    return (
        f"{len(good)} of {len(legs)} paths are well (from {', '.join(sorted({leg.client.place.node for leg in good}))})"
    )
