"""What a log of tries says of a Service: how long it was silent, and how many tries were lost."""

from op_readiness.observe.outage import asking, beats, outage

LOG = """\
try 100 0 web-a
try 101 0 web-b
try 102 28 curl: (28) Failed to connect
try 105 28 curl: (28) Failed to connect
try 108 0 web-a
try 109 0
try 110 7
tr"""


def test_a_line_is_a_try_and_a_cut_one_is_none():
    """An answer may be empty; the exit code says whether one came."""
    found = beats(LOG)
    assert [beat.good for beat in found] == [True, True, False, False, True, True, False]
    assert (found[2].said, found[5].said) == ("curl: (28) Failed to connect", "")


def test_the_gap_goes_from_one_answer_to_the_next():
    """One that is not over yet counts as far as it was seen; without losses there is none, however slow tries are."""
    seen = outage(beats(LOG))
    assert (seen.tries, seen.lost, seen.gap) == (7, 3, 7.0)
    assert "no answer for up to 7 s, 3 of 7 tries lost" in str(seen)
    assert outage(beats("try 10 0 a\ntry 90 0 a\n")).gap == 0.0
    assert outage(beats("try 10 0 a\ntry 12 7 x\ntry 40 7 x\n")).gap == 30.0
    assert outage(beats("try 10 7 x\ntry 12 7 x\n")).gap == 2.0
    assert str(outage(beats("try 10 0 a\n"))) == "1 of 1 tries answered"
    assert outage([]).gap == 0.0


def test_the_loop_notes_the_time_before_it_asks_and_curls_own_exit_code():
    """A pipe, or a date in between, would put another exit code in its place."""
    line = asking("http://10.96.0.9:80/hostname")[-1]
    assert line.index("date") < line.index("curl") < line.index("$?")
    assert "--max-time 4 http://10.96.0.9:80/hostname" in line
