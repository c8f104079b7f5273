"""The pytest plugin of a readiness run: collects what was selected, and writes one result line for each test.

pytest is the engine only. Outcomes come from the exceptions' classes, not from pytest's phases and reports, so no other
plugin can turn one into another: what counts is the line that is written here.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from op_readiness.cluster.api import Cluster
from op_readiness.model.errors import CouldNotTell, OpReadinessError
from op_readiness.model.findings import Outcome, Proof
from op_readiness.model.results import Result
from op_readiness.observe.recorder import Recorder
from op_readiness.suite import hookspecs, meanwhile
from op_readiness.suite.context import RunContext
from op_readiness.suite.outcomes import Raised, result_of
from op_readiness.suite.proving import proof_of

pytest_plugins = ["op_readiness.suite.fixtures"]

CONTEXT = pytest.StashKey[RunContext]()
RECORDER = pytest.StashKey[Recorder]()
RAISED = pytest.StashKey[Raised]()
PROOF = pytest.StashKey[Proof]()
RESULT = pytest.StashKey[Result]()
STARTED = pytest.StashKey[float]()
NAMESPACES = pytest.StashKey[list[str]]()
BOOTS = pytest.StashKey[dict[str, str]]()
EVIDENCE = pytest.StashKey[dict[str, str]]()
CLUSTER = pytest.StashKey[Cluster]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The one option of a worker."""
    parser.addoption("--opr-context", default="", help="file in which the runner describes the run")


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declares the hooks of `hookspecs`."""
    pluginmanager.add_hookspecs(hookspecs)


def pytest_configure(config: pytest.Config) -> None:
    """Declares the mark."""
    config.addinivalue_line("markers", "ability(id): the ability in the catalogue that this test shows")


def pytest_readiness_context(config: pytest.Config) -> RunContext | None:
    """The context that the runner wrote."""
    path = config.getoption("--opr-context")
    return RunContext.read(path) if path else None


def context_of(config: pytest.Config) -> RunContext:
    """The run that this worker takes part in, asked for once."""
    if CONTEXT not in config.stash:
        context = config.hook.pytest_readiness_context(config=config)
        if context is None:
            raise OpReadinessError(
                "readiness tests run by `op-readiness`, not by pytest alone: try `op-readiness --help`"
            )
        config.stash[CONTEXT] = context
    return config.stash[CONTEXT]


def cluster_of(config: pytest.Config) -> Cluster:
    """The cluster under test, opened once a worker."""
    if CLUSTER not in config.stash:
        config.stash[CLUSTER] = Cluster.open(context_of(config).kubeconfig)
    return config.stash[CLUSTER]


def boots_before(config: pytest.Config) -> dict[str, str]:
    """The boot ids with which a test begins, asked for before each.

    Nodes restart on their own too, and a restart from before the test explains nothing of what it saw: older ids (those
    of the preflight, or of an earlier test) would make an error of a true failure.
    """
    try:
        return meanwhile.boot_ids(cluster_of(config))
    except OpReadinessError:  # it is told by the test that needs the cluster
        return {}


def ability_id(item: pytest.Item) -> str:
    """The id in a test's mark, empty when it has none."""
    mark = item.get_closest_marker("ability")
    return str(mark.args[0]) if mark else ""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keeps what the runner selected, in its order."""
    if not config.getoption("--opr-context"):
        return
    rank = {id: n for n, id in enumerate(context_of(config).selected)}
    kept = [item for item in items if ability_id(item) in rank]
    items[:] = sorted(kept, key=lambda item: rank[ability_id(item)])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Any:
    """Gives each test its recorder, and writes started and result lines."""
    context, id = context_of(item.config), ability_id(item)
    item.stash[RECORDER] = Recorder(lambda kind, data: emit(item, kind, data))
    item.stash[RAISED], item.stash[NAMESPACES] = Raised(), []
    item.stash[STARTED] = time.monotonic()
    item.stash[BOOTS] = boots_before(item.config)
    emit(item, "started", {"pid": os.getpid()})
    outcome = yield
    result = _result(item, context, id)
    emit(item, "result", result.to_dict())
    item.config.hook.pytest_readiness_result(result=result, item=item)
    return outcome


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Keeps what was raised; gathers proof and evidence as long as the test's objects are there."""
    if call.excinfo is not None:
        item.stash[RAISED].by_phase[call.when] = call.excinfo.value
    if call.when == "call" or (call.when == "setup" and call.excinfo is not None):
        _gather(item)
    return (yield)


def emit(item: pytest.Item, kind: str, data: dict[str, Any]) -> None:
    """Append one line to this worker's file, flushed: also a killed worker leaves what it knew."""
    context = context_of(item.config)
    params = getattr(getattr(item, "callspec", None), "params", {})
    line = {"type": kind, "ability": ability_id(item), "time": time.time(), "pid": os.getpid(), **data}
    if "cell" in params:
        line["cell"] = str(params["cell"])
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    Path(context.events_dir).mkdir(parents=True, exist_ok=True)
    with open(context.events_dir / f"{worker}.jsonl", "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def _gather(item: pytest.Item) -> None:
    context = context_of(item.config)
    ability, raised = context.abilities[ability_id(item)], item.stash[RAISED]
    try:
        cluster = cluster_of(item.config)
        for text in cluster.take_notes():
            item.stash[RECORDER].note(text)
        item.stash[PROOF] = proof_of(ability.proof, item.stash[RECORDER], cluster, context.facts)
        result = _result(item, context, ability.id)
        if result.outcome in (Outcome.FAILED, Outcome.ERROR):
            _look_for_restarts(item, context)
            _keep_evidence(item, context, _result(item, context, ability.id))
    except Exception as error:
        raised.by_phase.setdefault("call", error if isinstance(error, CouldNotTell) else CouldNotTellProof(error))


def _look_for_restarts(item: pytest.Item, context: RunContext) -> None:
    """What was raised says nothing where somebody else restarted a Node meanwhile."""
    raised, recorder = item.stash[RAISED], item.stash[RECORDER]
    before, now = item.stash[BOOTS], meanwhile.boot_ids(cluster_of(item.config))
    seen = meanwhile.restarts(before, now, recorder.restarted, context.windows_nodes)
    if seen and raised.first is not None:
        phase = "setup" if "setup" in raised.by_phase else "call"
        raised.by_phase[phase] = meanwhile.as_unknown(raised.first, seen)


class CouldNotTellProof(Exception):
    """The API did not show the Pods that answered."""

    def __init__(self, error: Exception) -> None:
        super().__init__(f"the proof could not be read from the API: {error}")


def _result(item: pytest.Item, context: RunContext, id: str) -> Result:
    ability = context.abilities[id]
    seconds = context.timeouts.cluster(time.monotonic() - item.stash[STARTED])
    proof = item.stash.get(PROOF, Proof(ability.proof))
    result = result_of(
        ability, item.stash[RAISED], item.stash[RECORDER], proof,
        seconds=seconds, attempt=context.attempt, nodes=context.windows_nodes,
    )  # fmt: skip
    result.evidence = item.stash.get(EVIDENCE, {})
    return result


def _keep_evidence(item: pytest.Item, context: RunContext, result: Result) -> None:
    files: dict[str, str] = {}
    namespaces = [*item.stash[NAMESPACES], *filter(None, [context.standing.get("namespace", "")])]
    for given in item.config.hook.pytest_readiness_evidence(
        cluster=cluster_of(item.config), namespaces=namespaces, result=result
    ):
        files.update(given or {})
    folder = context.evidence_dir / result.ability
    for name, text in files.items():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8", errors="replace")
    item.stash[EVIDENCE] = item.stash.get(EVIDENCE, {}) | {
        f"evidence/{result.ability}/{name}": f"{len(text.splitlines())} lines" for name, text in files.items()
    }
