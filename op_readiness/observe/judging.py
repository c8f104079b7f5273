"""Judging a series of tries by its pattern: a backend that never answers, a stranger that does, runs of loss.

"Some request succeeded" hides the usual faults (one backend of n, a square wave), and no tolerance at all turns one
lost packet into a red category (kubernetes/kubernetes#120254). So: every name must be seen and no other, two losses in
a row fail, and a single loss is decided by a hundred more tries: at most one in a hundred passes, with a note.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

LOSS_ALLOWED = 0.01


@dataclass(frozen=True)
class Try:
    """One request. `name` is who answered; `said` the client's own words when nobody did."""

    good: bool
    name: str
    said: str = ""


@dataclass(frozen=True)
class Judgement:
    """What a series of tries shows. `settled`: asking again would not make it better."""

    expected: frozenset[str]
    seen: frozenset[str]
    strangers: frozenset[str]
    answered: bool
    tries: int
    lost: int
    longest_run: int
    words: str

    @property
    def missing(self) -> frozenset[str]:
        """Names that should have answered and did not."""
        return self.expected - self.seen

    @property
    def complete(self) -> bool:
        """Whether exactly the expected names were seen."""
        return self.answered and not self.missing and not self.strangers

    @property
    def undecided(self) -> bool:
        """One loss in too few tries to tell."""
        return self.complete and self.lost == 1 and self.tries < 1 / LOSS_ALLOWED

    @property
    def good(self) -> bool:
        """Whether the leg passes."""
        return self.complete and self.longest_run < 2 and self.lost <= self.tries * LOSS_ALLOWED

    @property
    def settled(self) -> bool:
        """Complete: only the hold remains to be judged, and a broken hold is not asked again until it is whole."""
        return self.complete

    def __str__(self) -> str:
        if not self.answered:
            return f"no answer in {self.tries} tries" + (f" ({self.words})" if self.words else "")
        facts = []
        if self.strangers:
            facts.append(f"{', '.join(sorted(self.strangers))} answered, which should not")
        if self.missing:
            facts.append(f"{', '.join(sorted(self.missing))} never answered in {self.tries} tries")
        if self.lost:
            run = f", up to {self.longest_run} in a row" if self.longest_run > 1 else ""
            facts.append(f"{self.lost} of {self.tries} tries lost{run}" + (f" ({self.words})" if self.words else ""))
        return "; ".join(facts) or f"{self.tries} of {self.tries} tries answered"


def judge(expected: frozenset[str], first: Sequence[Try], names: Sequence[Try], hold: Sequence[Try]) -> Judgement:
    """The judgement of one leg: `first` warms up and loses nothing, `names` and `hold` are held to the letter."""
    answered = any(one.good for one in first)
    counted = [*names, *hold] if answered else list(first)
    good = [one for one in (*first, *names, *hold) if one.good and one.name]
    seen = frozenset(one.name for one in good)
    words = Counter(one.said for one in counted if not one.good and one.said)
    return Judgement(
        expected=expected,
        seen=seen & expected,
        strangers=seen - expected,
        answered=answered,
        tries=len(counted),
        lost=sum(not one.good for one in counted),
        longest_run=_longest_run(counted),
        words=words.most_common(1)[0][0] if words else "",
    )


def _longest_run(tries: Sequence[Try]) -> int:
    longest = run = 0
    for one in tries:
        run = 0 if one.good else run + 1
        longest = max(longest, run)
    return longest
