"""Kubernetes' own Windows tests on simulated Nodes: a quick part of them, and how the lane judges what it reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.e2e import lane
from tests.e2e.lane import Spec

QUICK = (
    "HostProcess containers should run as a process on the host/node",
    "HostProcess containers should run as localgroup accounts",
    "HostProcess containers should support various volume mount types",
    "Memory Limits Allocatable node memory should be equal to a calculated allocatable memory value",
    "SecurityContext should not be able to create pods with unknown usernames at Container level",
    "SecurityContext should not be able to create pods with containers running as ContainerAdministrator",
    "Windows volume mounts check volume mount permissions container should have readOnly permissions on emptyDir",
)
SECONDS = 120.0


@pytest.mark.real_control_plane
@pytest.mark.skipif(lane.assets() is None, reason=lane.LEFT_OUT)
def test_a_quick_part_of_kubernetes_own_tests() -> None:
    """Specs that nobody here wrote pass on simulated Nodes."""
    folder = lane.assets()
    assert folder is not None
    names = [name for name in lane.listed(folder, ["[sig-windows]"]) if any(part in name for part in QUICK)]
    assert len(names) == len(QUICK), names
    with lane.cluster(folder, rate=5.0) as reached:
        specs = lane.start(folder, reached["kubeconfig"], [names[::2], names[1::2]], SECONDS)
    assert not [spec for spec in specs if spec.outcome != "pass"]


REPORT = """<testsuites><testsuite>
<testcase name="[It] [sig-windows] [Feature:Windows] A b [Serial]" time="2.5"></testcase>
<testcase name="[It] [sig-windows] C"><failure message="it broke">why</failure></testcase>
<testcase name="[It] [sig-windows] D"><skipped message="skipped - no such Node"></skipped></testcase>
<testcase name="[It] [sig-windows] E"><skipped message="skipped"></skipped></testcase>
<testcase name="[BeforeSuite]"></testcase>
</testsuite></testsuites>"""


def test_outcomes_come_from_the_report(tmp_path: Path) -> None:
    """What passed, failed, skipped itself; what was asked for and is not in the report has failed."""
    (tmp_path / "junit_01.xml").write_text(REPORT)
    names = ["[sig-windows] [Feature:Windows] A b [Serial]", "[sig-windows] C", "[sig-windows] D", "[sig-windows] E"]
    found = lane.with_missing(names, lane.reported(tmp_path), "last words")
    assert [spec.outcome for spec in found] == ["pass", "fail", "skip", "fail"]
    assert [spec.text for spec in found[1:3]] == ["it broke why", "no such Node"] and "last words" in found[3].text


@pytest.mark.parametrize(
    ("specs", "well", "said"),
    [
        ([Spec("a", "pass"), Spec("b", "skip", "x")], True, "1 of 2"),
        ([Spec("a", "fail", "broke"), Spec("b", "skip")], False, "broke"),
        ([Spec("a", "skip", "itself"), Spec("b", "skip")], False, "itself"),
        ([Spec("a", "pass"), Spec("b", "pass")], False, "though its reason says skip: b"),
    ],
)
def test_only_known_reasons_excuse(specs: list[Spec], well: bool, said: str) -> None:
    """A spec passes, or ends as its reason says; neither less nor more."""
    known: dict[str, Any] = {"b": {"spec": "b", "outcome": "skip", "reason": "because"}}
    text, judged = lane.summary("[sig-windows]", specs, known)
    assert judged is well and said in text


def test_reasons_are_whole() -> None:
    """Each has an outcome and says why."""
    for entry in [*lane.windows().reasons.values(), *lane.generic().reasons.values()]:
        assert entry["outcome"] in ("skip", "fail", "left out") and len(entry["reason"]) > 20
