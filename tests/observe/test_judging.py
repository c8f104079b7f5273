"""Series of tries, judged by their pattern."""

from op_readiness.observe.judging import Try, judge

A, B, C = (Try(True, name) for name in "abc")
LOST = Try(False, "", "curl: (28) timed out")


def test_exactly_the_expected_names_pass():
    """All names seen, none lost: good."""
    assert judge(frozenset("ab"), [A], [A, B, A], [A] * 10).good


def test_a_missing_backend_fails_however_many_others_answer():
    """One of three that never answers is named."""
    seen = judge(frozenset("abc"), [A], [A, B] * 20, [A] * 10)
    assert not seen.good
    assert seen.missing == {"c"}
    assert "c never answered in 50 tries" in str(seen)


def test_a_stranger_fails():
    """A name that should not answer is a stale backend or a recycled address."""
    seen = judge(frozenset("a"), [A], [], [A, B, A])
    assert not seen.good
    assert "b answered, which should not" in str(seen)


def test_a_square_wave_fails_though_most_tries_answer():
    """Runs of loss fail, and the run is told."""
    seen = judge(frozenset("a"), [LOST, A], [], [A] * 5 + [LOST] * 5)
    assert not seen.good
    assert not seen.undecided
    assert "5 of 10 tries lost, up to 5 in a row" in str(seen)


def test_a_single_loss_is_undecided_until_a_hundred_tries():
    """One of ten is undecided; one of 110 passes; one of fifty does not."""
    assert judge(frozenset("a"), [A], [], [A] * 9 + [LOST]).undecided
    assert judge(frozenset("a"), [A], [], [A] * 9 + [LOST] + [A] * 100).good
    assert not judge(frozenset("a"), [A], [], [A] * 9 + [LOST, A] * 20).good


def test_warming_up_loses_nothing():
    """Failures before the first answer are not losses."""
    assert judge(frozenset("a"), [LOST, LOST, A], [], [A] * 10).lost == 0


def test_no_answer_at_all_says_so_with_the_clients_words():
    """Nothing came: the count and curl's own words."""
    assert str(judge(frozenset("a"), [LOST] * 10, [], [])) == "no answer in 10 tries (curl: (28) timed out)"
