"""Hooks that plugins may implement beside pytest's own; without a word pytest ignores any not named `pytest_...`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from op_readiness.cluster.api import Cluster
    from op_readiness.model.results import Result
    from op_readiness.suite.context import RunContext


@pytest.hookspec(firstresult=True)
def pytest_readiness_context(config: pytest.Config) -> RunContext | None:
    """Gives the run that this worker takes part in; the first plugin that gives one wins."""


@pytest.hookspec
def pytest_readiness_evidence(cluster: Cluster, namespaces: list[str], result: Result) -> dict[str, str] | None:
    """Gives evidence of a test that did not pass: file name -> text. Called before anything is cleaned."""


@pytest.hookspec
def pytest_readiness_result(result: Result, item: Any) -> None:
    """Is told of each result once it is final."""
