"""Traffic that must not notice what is done meanwhile: asked from before it until after it, and given no warm-up.

A leg of `observe.traffic` waits for its first answer, so a target that is silent for a while and comes back passes it.
Here every try counts, from the first to the last.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event

from op_readiness.observe.checks import Check, Checks
from op_readiness.observe.judging import LOSS_ALLOWED, Judgement, Try, judge
from op_readiness.observe.reach import Reach
from op_readiness.observe.shell import Client
from op_readiness.observe.traffic import Target

SERIES = 5
"""Tries that one exec makes, a second apart, before it is looked whether all is done."""


@dataclass
class Meanwhile:
    """Every client asks a target that answers already, once a second."""

    reach: Reach
    clients: Sequence[Client]
    target: Target
    _over: Event = field(default_factory=Event)
    _asked: list[tuple[Client, Future[list[Try]]]] = field(default_factory=list)

    @contextmanager
    def must_not_be_noticed(self, what: str, *, hint: str) -> Iterator[None]:
        """Raises AbilityNotMet with `what` where two tries in a row were lost meanwhile, or more than one in a hundred.

        What is raised inside goes first.
        """
        with self.asking():
            yield
        checks = Checks(self.reach.recorder)
        self.judged(checks, f"{self.target.path} meanwhile")
        checks.must_hold(what, hint=hint)

    @contextmanager
    def asking(self) -> Iterator[None]:
        """The clients ask while what is inside is done; `judged` says what they met."""
        with ThreadPoolExecutor(max(1, len(self.clients)), "meanwhile") as threads:
            self._asked = [(client, threads.submit(self._ask, client)) for client in self.clients]
            try:
                yield
            finally:
                self._over.set()

    def judged(self, checks: Checks, path: str) -> list[tuple[Client, Judgement]]:
        """What each client met, which `checks` take: well where no more was lost than a packet."""
        found = []
        for client, future in self._asked:
            tries = future.result()
            seen = judge(self.target.expected, tries, [], tries)
            expected = f"answers of {', '.join(sorted(self.target.expected))} all the time"
            checks.take(Check(path, client.place, str(self.target), expected, _words(seen), _unnoticed(seen)))
            found.append((client, seen))
        return found

    def _ask(self, client: Client) -> list[Try]:
        tries: list[Try] = []
        while not self._over.is_set():
            names = self.reach.observer.names_during(client, self.target, SERIES)
            tries += [Try(bool(name), name, "" if name else "no answer") for name in names]
        return tries


def _unnoticed(seen: Judgement) -> bool:
    """Whether no more was lost than a packet; which backends a short series meets is chance, and left to a leg."""
    few = seen.lost <= max(1, seen.tries * LOSS_ALLOWED)
    return seen.answered and not seen.strangers and seen.longest_run < 2 and few


def _words(seen: Judgement) -> str:
    """What was lost and who answered, without those that the series happened not to meet."""
    run = f", up to {seen.longest_run} in a row" if seen.longest_run > 1 else ""
    strange = f"; {', '.join(sorted(seen.strangers))} answered, which should not" if seen.strangers else ""
    return f"{seen.lost} of {seen.tries} tries lost{run}{strange}"
