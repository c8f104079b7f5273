"""What the operator tells, by file and option: each mistake is one line with its place and the nearest name."""

import pytest

from op_readiness.model.errors import UsageError
from op_readiness.runner.inputs import how_to_give, missing, read_inputs

WELL = "gmsa:\n  domain: corp.example\n  credSpecName: webapp01\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("gmsa:\n  domain: a.b\n  credSpecNam: x\n", "3: gmsa.credSpecNam: unknown field; did you mean credSpecName?"),
        ("# ours\ngmas: {}\n", "2: gmas: unknown field; did you mean gmsa?"),
        ("gmsa:\n  domain: corp.example\n", "1: gmsa.credSpecName: missing field, GMSACredentialSpec of an account"),
        (WELL + "  smbUncAllowed: /mnt/a\n", "4: gmsa.smbUncAllowed: '/mnt/a' cannot be used: expected a share such"),
        (WELL + "  smbUncDenied: '\\\\srv\\two words'\n", "4: gmsa.smbUncDenied:"),
        (WELL + "  dcHost: [a]\n", "4: gmsa.dcHost: ['a'] cannot be used: expected a host"),
        ("- gmsa\n", "1: sections such as gmsa: are expected"),
        ("gmsa: [\n", "not YAML"),
    ],
)
def test_a_mistake_in_the_file_is_one_line(text, said, tmp_path):
    """File, line, field, and what was expected."""
    path = tmp_path / "readiness.yaml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        read_inputs(path, ())
    assert str(caught.value).startswith(f"{path}:") and said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("gmsa.domian=x", "--input gmsa.domian: unknown field; did you mean gmsa.domain?"),
        ("gmsa.domain", "--input takes FIELD=VALUE such as gmsa.domain=corp.example, not 'gmsa.domain'"),
        ("gmsa.domain=corp.example", "--input: gmsa.credSpecName: missing field"),
        ("reboot.nodeSeconds=soon", "--input: reboot.nodeSeconds: 'soon' cannot be used: expected a number of seconds"),
        ("reboot.gapSecond=5", "--input reboot.gapSecond: unknown field; did you mean reboot.gapSeconds?"),
    ],
)
def test_a_mistake_in_an_option_is_one_line(given, said):
    """The field is named as it was typed."""
    with pytest.raises(UsageError) as caught:
        read_inputs(None, [given])
    assert said in str(caught.value)


def test_figures_of_a_restart_are_numbers():
    """As they are typed."""
    assert read_inputs(None, ["reboot.nodeSeconds=900"]) == {"reboot": {"nodeSeconds": 900.0}}


def test_a_file_that_is_not_there_is_a_usage_error(tmp_path):
    """With its name."""
    with pytest.raises(UsageError, match=r"none\.yaml: cannot be read"):
        read_inputs(tmp_path / "none.yaml", ())


def test_options_go_over_the_file(tmp_path):
    """Field by field; labels of Nodes add up."""
    path = tmp_path / "readiness.yaml"
    path.write_text(WELL + "  smbUncAllowed: \\\\files.corp.example\\apps\\\n")
    found = read_inputs(path, ["gmsa.domain=other.example", "gmsa.nodeSelector=pool=win", "gmsa.nodeSelector=disk=ssd"])
    assert found == {"gmsa": {
        "domain": "other.example", "credSpecName": "webapp01", "smbUncAllowed": "\\\\files.corp.example\\apps\\",
        "nodeSelector": {"pool": "win", "disk": "ssd"},
    }}  # fmt: skip
    assert read_inputs(None, ()) == {}


def test_what_is_missing_is_told_with_what_to_type():
    """The words of a skip."""
    wanted = ["gmsa.domain", "gmsa.smbUncAllowed"]
    assert missing({"gmsa": {"domain": "x"}}, wanted) == ["gmsa.smbUncAllowed"]
    assert missing({}, wanted) == wanted
    assert how_to_give(wanted) == (
        "give --input gmsa.domain=... --input gmsa.smbUncAllowed=..., "
        "or --config FILE with gmsa: {domain: ..., smbUncAllowed: ...}"
    )


def test_nodes_that_are_closed_by_design():
    """A word of the operator's, true or false."""
    assert read_inputs(None, ["nodes.closed=true"]) == {"nodes": {"closed": True}}
    with pytest.raises(UsageError, match="expected true or false"):
        read_inputs(None, ["nodes.closed=maybe"])
