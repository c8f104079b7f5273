"""The PowerShell scripts of readiness tests and their stand-ins: one for each text, and none for any other."""

from __future__ import annotations

from importlib.resources import files

import pytest

from op_readiness.simulator.nodes.host import FactKey, HostFact, HostFacts
from op_readiness.simulator.nodes.specs import NodeSpec
from op_readiness.simulator.programs import hostscripts, readinessscripts
from op_readiness.simulator.programs.powershell import STAND_INS, digest_of
from op_readiness.simulator.programs.registry import PROGRAMS
from op_readiness.workloads import scripts

BY_DIGEST = {**readinessscripts.BY_DIGEST, **hostscripts.BY_DIGEST}
NAMES = sorted(
    entry.name.removesuffix(".ps1") for entry in files("op_readiness.workloads").joinpath("scripts").iterdir()
    if entry.name.endswith(".ps1")
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_script_has_its_stand_in(name: str) -> None:
    """By the digest of its text, under its own name."""
    assert BY_DIGEST[digest_of(scripts.text_of(name))].__name__ == name.replace("-", "_")
    assert "powershell" in PROGRAMS
    assert digest_of(scripts.text_of(name)) in STAND_INS


def test_no_stand_in_is_left_without_a_script() -> None:
    """A text that changes needs its stand-in looked at again."""
    assert {digest_of(scripts.text_of(name)) for name in NAMES} == set(BY_DIGEST)


@pytest.mark.parametrize("name", NAMES)
def test_a_script_says_what_goes_in_and_what_comes_out(name: str) -> None:
    """In its header."""
    header = [line for line in scripts.text_of(name).splitlines() if line.startswith("#")]
    text = " ".join(header)
    assert ("Input" in text, "Output" in text, "PowerShell" in text) == (True, True, True)


def test_another_text_has_none() -> None:
    """One character makes another script, which the simulated cluster refuses."""
    assert digest_of(scripts.text_of("defender") + "exit 0\n") not in STAND_INS


@pytest.mark.parametrize(("name", "cmdlet"), [
    ("admin-access", "Get-NetTCPConnection"), ("inventory", "Get-NetIPAddress"), ("inventory", "Win32_OperatingSystem"),
    ("defender", "Get-CimInstance"), ("defender", "Get-MpComputerStatus"), ("defender", "$wanted = Get-MpPreference"),
])  # fmt: skip
def test_what_accuses_or_frees_a_node_is_no_silent_error(name: str, cmdlet: str) -> None:
    """A cmdlet that cannot ask Windows gives no list, which is not an empty list: the script ends without an answer."""
    lines = [line for line in scripts.text_of(name).splitlines() if cmdlet in line and not line.startswith("#")]
    assert lines and all("-ErrorAction Stop" in line for line in lines)


def test_group_policy_is_asked_about_remote_desktops_before_the_node() -> None:
    """What it says counts, whatever is set on the Node itself."""
    text = scripts.text_of("admin-access")
    assert text.index(r"SOFTWARE\Policies\Microsoft\Windows NT\Terminal Services'") < text.index("CurrentControlSet")


@pytest.mark.parametrize(
    ("policy", "own", "denied"),
    [("", "0", False), ("", "1", True), ("0", "1", False), ("1", "0", True), ("0", "", False), ("", "", True)],
)  # fmt: skip
def test_remote_desktops_are_as_a_policy_says_and_then_as_the_node_does(policy: str, own: str, denied: bool) -> None:
    """They are denied where neither says anything, and their port is open only where they are not."""
    host = HostFacts(NodeSpec("win-1", "windows", "10.0.20348"))
    host.table.programmed[FactKey("policy", "fDenyTSConnections")] = HostFact(policy)
    host.table.programmed[FactKey("registry", "fDenyTSConnections")] = HostFact(own)
    assert host.remote_desktops_denied() is denied
    assert (3389 in host.ports()) is not denied
