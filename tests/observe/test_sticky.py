"""Series whose answers are compared: runs, and what a reader is told."""

import pytest

from op_readiness.model.findings import Place
from op_readiness.observe.shell import Client
from op_readiness.observe.sticky import Series, changes, longest_run, stays

KEPT, TURNS = ("a",) * 30, ("a", "b", "c") * 10


@pytest.mark.parametrize(
    ("names", "longest"),
    [((), 0), (("",), 0), (("a", "a", "b"), 2), (("a", "", "a", "a"), 2), (("b", *KEPT), 30), (TURNS, 1)],
)
def test_the_longest_run_is_of_one_name(names, longest):
    """A request without an answer ends a run."""
    assert longest_run(names) == longest


def test_fifteen_in_a_row_are_affinity_and_two_names_are_none():
    """Fourteen are not enough, one that answered before is one too many, and a lost answer is no second backend."""
    assert stays(KEPT) and not stays(("b", "c", *("a",) * 28)) and not stays(("a",) * 14) and not stays(TURNS)
    assert changes(TURNS) and not changes(KEPT) and not changes(("a", ""))


def test_a_client_that_is_kept_is_answered():
    """Fifteen in a row and then nothing for as long is no Service that works; three of thirty may be lost."""
    assert stays(("a", "", *KEPT[:26], "", "")) and not stays(("a",) * 26 + ("",) * 4)


def test_a_series_says_what_it_met():
    """Names with their counts, the longest run, and what was lost."""
    client = Client("n", "p", Place("win-1"))
    assert str(Series(client, ("a", "b", "a", ""), False)) == (
        "a 2x, b 1x, at most 1 in a row; 1 of 4 without an answer"
    )
    assert str(Series(client, (), False)) == "no answer, at most 0 in a row"
