"""Pods whose volumes are judged: what a Pod that is not up means, and when a write was refused."""

from __future__ import annotations

import pytest

from op_readiness.model.errors import AbilityNotMet, CouldNotTell, NotTested
from op_readiness.model.findings import Finding, Outcome
from op_readiness.observe.checks import Check
from op_readiness.suite.making import Workshop
from op_readiness.suite.subjects.storage.mounting import DENIED, ENGLISH, lines_of, mount, volume

from .bench import NODES, bench, client_on

GERMAN = "Das System kann die angegebene Datei nicht finden."


@pytest.mark.parametrize(
    ("seen", "error"),
    [
        ('Pod p (Node win-1): Pending; FailedMount: MountVolume.SetUp failed for volume "v"', AbilityNotMet),
        ("Pod p (Node win-1): Pending, CreateContainerError invalid volume specification: 'a:b:ro'", AbilityNotMet),
        ("Pod p (Node win-1): Pending, ErrImagePull no match for platform", CouldNotTell),
        ("403: violates PodSecurity baseline: hostPath volumes", NotTested),
    ],
)
def test_a_pod_that_is_not_up_for_its_volume_is_the_answer(monkeypatch, seen, error):
    """And one that is not up for anything else is no answer; privileged Pods that are forbidden are a skip."""

    def late(*_, **__):
        raise CouldNotTell(Finding("Pods did not come up", "Pod p", "Running", seen, nodes=("win-1",)))

    monkeypatch.setattr(Workshop, "pods", late)
    with bench() as made, pytest.raises(error) as raised:
        made.mounting.up([], NODES)
    if error is AbilityNotMet:
        assert (raised.value.findings[0].nodes, raised.value.findings[0].code) == (("win-1",), "mount")


@pytest.mark.parametrize(
    ("write", "control", "denied"),
    [
        ((1, DENIED), ENGLISH, True),
        ((1, f"{DENIED}\r\n"), ENGLISH, True),
        ((0, ""), ENGLISH, False),
        ((0, DENIED), ENGLISH, False),
        ((1, "There is not enough space on the disk."), ENGLISH, False),
        ((1, "The system cannot find the path specified."), ENGLISH, False),
        ((1, "Zugriff verweigert"), GERMAN, True),
        ((0, ""), GERMAN, False),
    ],
)
def test_a_write_is_refused_in_windows_own_words(write, control, denied):
    """On a host of another language its exit code decides; on one that speaks English any other failure is none."""

    def tongue(_, command):
        return write if command.startswith("echo") else (1, control)

    with bench(tongue) as made:
        answer, refused = made.mounting.refused(client_on(NODES[0]), r"C:\d\f", "word")
        assert (refused, answer.code) == (denied, write[0])
        assert made.told.asked[0][2] == r"echo word > C:\d\f"


def test_what_does_not_hold_is_one_finding_and_every_statement_a_part():
    """It names the Node, what was expected and what was seen; the Node that is well is not accused."""

    def look(node):
        return [Check("path", node.place, "file", "x", "y" if node is NODES[0] else "x", node is not NODES[0])]

    with bench() as made:
        with pytest.raises(AbilityNotMet) as raised:
            made.mounting.judge(look, NODES, "what", hint="look there", code="c")
        [finding] = raised.value.findings
        assert (finding.nodes, finding.expected, finding.seen) == (("win-1",), "path file: x", "win-1: path file: y")
        assert (made.parts(Outcome.FAILED), made.parts(Outcome.PASSED)) == (["path file"], ["path file"])
        made.mounting.judge(look, NODES[1:], "what", hint="", code="c")


def test_small_words():
    """Volumes, mounts, and lines without the blank that `echo x > f` leaves."""
    assert volume("v", emptyDir={}) == {"name": "v", "emptyDir": {}}
    assert mount("v", "C:\\d", readOnly=True) == {"name": "v", "mountPath": "C:\\d", "readOnly": True}
    assert lines_of("one \r\n\r\ntwo\n") == ["one", "two"]
