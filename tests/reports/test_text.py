"""Text from a cluster, made fit to show."""

from op_readiness.reports.text import cut, one_line, seconds, to_ascii, visible


def test_colours_go_and_control_characters_become_visible():
    """Nothing is lost silently but colour."""
    assert visible("\x1b[1;31mred\x1b[0m\x00\x07\x1b]0;title\x07!") == "red\\x00\\x07!"


def test_what_xml_forbids_and_what_reorders_text_becomes_visible():
    """Lone surrogates, non-characters, bidirectional overrides, a C1 control sequence."""
    assert visible("\ud800\ufffe\u202e\x9b\U0001ffff") == "\\ud800\\ufffe\\u202e\\x9b\\U0001ffff"


def test_line_ends_of_windows_become_plain_ones():
    """A single CR, which would overwrite the line, is shown."""
    assert visible("a\r\nb\rc\td") == "a\nb\\x0dc\td"


def test_cutting_keeps_both_ends_and_says_how_much_went():
    """In the middle."""
    text = cut("a" * 100 + "b" * 100, 30)
    assert text.startswith("a" * 20 + "\n[... 170 characters left out ...]")
    assert text.endswith("b" * 10)
    assert cut("short", 30) == "short"


def test_one_line_cuts_in_the_middle():
    """To exactly the length asked for."""
    assert one_line(" a\n b ") == "a b"
    assert len(one_line("x" * 100, 20)) == 20


def test_the_ascii_twin_spells_out():
    """Known characters by their likeness, others as escapes."""
    assert to_ascii("→ … ü") == "-> ... \\xfc"


def test_durations_read_as_people_say_them():
    """From tenths to hours."""
    assert [seconds(s) for s in (0.04, 9.99, 119, 120, 125, 7500)] == [
        "0.0 s", "10 s", "119 s", "2 min", "2 min 5 s", "2 h 5 min",
    ]  # fmt: skip
