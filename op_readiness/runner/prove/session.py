"""The pytest plugin of the proof: items are cells, each worker keeps one simulated cluster and resets it in between.

Everything else is the run's own: the same tests, the same fixtures, the same results. Only the context comes from here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from op_readiness.model.facts import Facts
from op_readiness.model.findings import Outcome
from op_readiness.model.results import Result
from op_readiness.model.timeouts import Timeouts
from op_readiness.runner.prove.cells import HEALTHY, Cell
from op_readiness.runner.prove.turnstile import Turnstile
from op_readiness.runner.simulated import SimulatedCluster, SimulatedSpec
from op_readiness.suite.context import RunContext
from op_readiness.suite.plugin import RAISED
from op_readiness.workloads.images import Images
from op_readiness.workloads.labels import own_namespace, run_labels
from op_readiness.workloads.services import namespace
from op_readiness.workloads.undo import journal


@dataclass
class Ground:
    """One worker's proving ground: a simulated cluster with standing objects."""

    cluster: SimulatedCluster
    context: RunContext


TASK = pytest.StashKey[dict[str, Any]]()
GROUND = pytest.StashKey[Ground]()
TABLES = pytest.StashKey[dict[str, Any]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The file that says what to prove."""
    parser.addoption("--opr-prove", default="", help="file in which the runner lists the cells")


def task_of(config: pytest.Config) -> dict[str, Any]:
    """What to prove, read once."""
    if TASK not in config.stash:
        config.stash[TASK] = json.loads(Path(config.getoption("--opr-prove")).read_text("utf-8"))
    return config.stash[TASK]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One item for each cell of a test's ability."""
    mark = next((mark for mark in metafunc.definition.iter_markers("ability")), None)
    cells = [cell["id"] for cell in task_of(metafunc.config)["cells"] if mark and cell["ability"] == mark.args[0]]
    if "cell" not in metafunc.fixturenames:
        metafunc.fixturenames.append("cell")
    metafunc.parametrize("cell", cells, ids=cells)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Only cells, in the order given."""
    rank = {cell["id"]: n for n, cell in enumerate(task_of(config)["cells"])}
    items[:] = sorted((item for item in items if _cell(item) in rank), key=lambda item: rank[_cell(item)])


@pytest.hookimpl(tryfirst=True)
def pytest_readiness_context(config: pytest.Config) -> RunContext:
    """A cluster of this worker's own, healthy, with standing objects on it."""
    if GROUND not in config.stash:
        config.stash[GROUND] = _ground(config)
    return config.stash[GROUND].context


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Any:
    """Wait for one's turn, before the cell's time begins."""
    if folder := task_of(item.config)["turnstile"]:
        Turnstile(Path(folder)).go_through()
    return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Put the cell's fault in."""
    task = task_of(item.config)
    cell = next(Cell.from_dict(cell) for cell in task["cells"] if cell["id"] == _cell(item))
    pytest_readiness_context(item.config)
    if cell.fault != HEALTHY:
        item.config.stash[GROUND].cluster.put_in([{"name": cell.fault, "parameters": cell.parameters}])


@pytest.hookimpl
def pytest_readiness_result(item: pytest.Item, result: Result) -> None:
    """Of a cell that did not pass keep what every simulated Node's tables held: a hole is explained by them."""
    if result.outcome in (Outcome.FAILED, Outcome.ERROR):
        folder = Path(task_of(item.config)["tables"])
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{_cell(item)}.json").write_text(json.dumps(item.stash.get(TABLES, {}), indent=1), "utf-8")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Take it out, before the test's own objects go: their going is no part of the cell."""
    ground = item.config.stash[GROUND]
    nodes = [node.name for node in ground.context.facts.nodes] if item.stash[RAISED].first else []
    item.stash[TABLES] = {node: ground.cluster.control("GET", f"/tables?node={node}") for node in nodes}
    ground.cluster.take_out_all()


def pytest_unconfigure(config: pytest.Config) -> None:
    """The cluster ends with its worker."""
    if GROUND in config.stash:
        config.stash[GROUND].cluster.stop()


def _cell(item: pytest.Item) -> str:
    return str(getattr(getattr(item, "callspec", None), "params", {}).get("cell", ""))


def _ground(config: pytest.Config) -> Ground:
    from op_readiness.cluster.api import Cluster
    from op_readiness.runner import facts, standing

    task = task_of(config)
    spec = SimulatedSpec(**{**task["spec"], "faults": ()})
    simulated = SimulatedCluster(spec)
    simulated.start()
    try:
        cluster = Cluster.open(simulated.kubeconfig)
        known: Facts = facts.gather(cluster)
        timeouts = Timeouts(**task["timeouts"])
        nodes = known.usable_nodes("windows")
        run_id = f"{task['run_id']}{_worker(config)}"
        cluster.create(namespace(own_namespace(run_id), run_labels(run_id)))
        journal.open_journal(cluster, run_id)
        stands = standing.create(cluster, known, nodes, run_id, Images(), timeouts)
        simulated.take_out_all()  # nothing of their making is on its way when the first fault is put in
        context = RunContext.from_dict(
            {
                "run_id": run_id,
                "kubeconfig": simulated.kubeconfig,
                "abilities": task["abilities"],
                "selected": [],
                "facts": known.to_dict(),
                "timeouts": task["timeouts"],
                "standing": stands,
                "events_dir": task["events_dir"],
                "windows_nodes": [node.name for node in nodes],
                "inputs": simulated.inputs,
                "disruptive": True,
            }
        )
    except BaseException:
        simulated.stop()
        raise
    return Ground(simulated, context)


def _worker(config: pytest.Config) -> str:
    return str(getattr(config, "workerinput", {}).get("workerid", ""))
