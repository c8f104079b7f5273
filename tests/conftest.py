"""Self-tests that share something dear, such as a simulated cluster, go to one worker of pytest-xdist together."""

from __future__ import annotations

from typing import Any

import pytest

TOGETHER = (
    "tests/readiness/test_e2e.py",
    "tests/readiness/test_healthy.py",
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
