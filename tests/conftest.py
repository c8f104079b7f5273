"""Self-tests that share something dear, such as a simulated cluster, go to one worker of pytest-xdist together."""

from __future__ import annotations

from typing import Any

import pytest

TOGETHER = (
    "tests/readiness/test_e2e.py",
    "tests/readiness/test_topologies.py",
    "tests/readiness/test_kubectl.py",
    "tests/readiness/test_unusable.py",
    "tests/runner/test_run.py",
    "tests/test_image.py",
    "tests/test_packaging.py",
)
"""Files whose fixtures of module scope take seconds. (The mark `xdist_group` does nothing under pytest 9.2.)"""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Whole files of `TOGETHER` first, then tests one by one."""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return file if file in TOGETHER else nodeid

    return Scheduling(config, log)


HOW = "Go is needed, then: export KUBEBUILDER_ASSETS=$(tests/control-plane/build control-plane agnhost e2e)"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """In one line: how many self-tests were left out for want of the real programs, and how to get those."""
    reports = terminalreporter.stats.get("skipped", [])
    if count := sum("real_control_plane" in report.keywords for report in reports):
        what = "that hold the simulator against the real control plane, agnhost and Kubernetes' own tests"
        terminalreporter.write_line(f"left out: {count} self-tests {what}. {HOW}")
