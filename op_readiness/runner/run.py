"""A run from connecting to verdict: connect, facts, plan, standing objects, passes, clean-up, leftovers, reports.

However it ends, reports are written, first at once and again after the clean-up; what is left is named with the
command that removes it.
"""

from __future__ import annotations

import datetime
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from op_readiness.cluster.api import Cluster
from op_readiness.cluster.errors import ApiError
from op_readiness.model.errors import AbilityNotMet, CouldNotTell, OpReadinessError
from op_readiness.model.facts import Facts
from op_readiness.model.results import RunResult
from op_readiness.model.timeouts import Timeouts
from op_readiness.reports import commands
from op_readiness.reports.screen import Screen
from op_readiness.runner import cleanup, facts, lease, rights
from op_readiness.runner.announce import plan_summary
from op_readiness.runner.attention import Attention, Interrupted
from op_readiness.runner.events import Event, EventLog
from op_readiness.runner.inside import WORK
from op_readiness.runner.nodes import choose_windows_nodes
from op_readiness.runner.options import RunOptions
from op_readiness.runner.passes import Passes
from op_readiness.runner.plan import Plan, make_plan
from op_readiness.runner.record import Record
from op_readiness.runner.selection import Selection
from op_readiness.runner.view import View
from op_readiness.workloads import pull_secret
from op_readiness.workloads.images import Images
from op_readiness.workloads.labels import own_namespace, run_labels
from op_readiness.workloads.services import namespace
from op_readiness.workloads.undo import journal

Ask = Callable[[str], bool]
Write = Callable[[RunResult, Path], Sequence[Path]]


def new_run_id() -> str:
    """Short, and fit for a Namespace's name."""
    return secrets.token_hex(3)


def own_version() -> str:
    """The version of op-readiness."""
    try:
        return version("op-readiness")
    except PackageNotFoundError:
        return "unknown"


@dataclass
class Run:
    """One run. `ask` says whether to go on against a real cluster, `write` writes the reports."""

    options: RunOptions
    selection: Selection
    folders: Sequence[Path]
    command: str
    ask: Ask
    write: Write
    screen: Screen
    inputs: Mapping[str, Any] = field(default_factory=dict)
    """What only the operator knows, by section and field."""
    kill_cluster: Callable[[], None] = lambda: None
    after_standing: Callable[[], None] = lambda: None
    """Called once the standing objects are up: a simulated cluster breaks while it is in use, as real ones do."""
    listen: Callable[[Event, Record], None] = lambda event, record: None
    run_id: str = field(default_factory=new_run_id)
    record: Record = field(default_factory=Record)
    _log: EventLog | None = None
    _passes: Passes | None = None
    _secret: dict[str, Any] = field(default_factory=dict)
    _mistake: Exception | None = None
    _made: bool = False
    _began: float = 0.0

    def execute(self, kubeconfig: str | None, context: str | None) -> int:
        """The exit code."""
        self._began = time.monotonic()
        self.view = View(self.screen, self.record, verbose=self.options.verbose)
        with Attention(self.options.run_timeout, self._leave) as self.attention:
            try:
                return self._execute(kubeconfig, context)
            except Interrupted as error:
                self.view.say(f"interrupted ({error.by}) before anything was made")
                return {"SIGINT": 130, "SIGTERM": 143}.get(error.by, 3)
            except ApiError as error:
                raise OpReadinessError(f"{error}; nothing was made") from error

    def _execute(self, kubeconfig: str | None, context: str | None) -> int:
        cluster = self.attention.attend(lambda: Cluster.open(kubeconfig, context))
        known = self.attention.attend(lambda: facts.gather(cluster))
        facts.must_be_testable(known)
        if self.options.pull_secret:
            self._secret = self.attention.attend(lambda: pull_secret.read(cluster, self.options.pull_secret))
        plan = self._plan(known)
        images = Images.of(self.options.image_registry)
        about = self._about(known, plan)
        self.record.add({"type": "run", **about})
        with self.screen:
            self.view.opening(plan_summary(plan, images, self.run_id, self.options.seed))
        names = [c.name for c in plan.selection.categories if any(a.category == c.name for a in plan.abilities)]
        self.attention.attend(lambda: rights.must_be_granted(cluster, known, names))
        if self.options.dry_run:
            return 0
        if not known.simulated and not self.ask(f"Run this against {known.server}?"):
            raise OpReadinessError("not started")
        with self.screen:
            self._run(cluster, known, plan, images)
        self.view.closing([str(path) for path in self._report()])
        if self._mistake is not None:
            raise self._mistake
        return self._exit_code()

    def _plan(self, known: Facts) -> Plan:
        seed = self.options.seed or secrets.token_hex(4)
        nodes = choose_windows_nodes(known, self.options.windows_nodes, seed)
        options = self.options
        return make_plan(
            self.selection, known, nodes, workers=options.workers, disruptive=options.disruptive,
            provider=options.provider, e2e_binary=options.e2e_binary, inputs=self.inputs,
        )  # fmt: skip

    # -- the run itself --------------------------------------------------------------------------------------------

    def _run(self, cluster: Cluster, known: Facts, plan: Plan, images: Images) -> None:
        self._log = EventLog(self.options.report_dir)
        self._say("run", **self._about(known, plan))
        work = Path(tempfile.mkdtemp(prefix=WORK))
        alive: list[lease.Renewed] = []
        try:
            self._stages(cluster, known, plan, images, work, alive)
        except Interrupted as error:
            self._say("interrupted", by=error.by)
        except (OpReadinessError, ApiError, CouldNotTell, AbilityNotMet) as error:
            self._say("warning", text=f"the run could not go on: {error}")
        except Exception as error:  # a mistake of ours: everything is still cleaned up, and then it is shown
            self._mistake = error
            self._say("warning", text=f"the run went wrong: {type(error).__name__}: {error}")
        self._stop()
        self._say("end", seconds=self._seconds())
        self._report()
        if self.record.interrupted:
            self.view.say(f"interrupted ({self.record.interrupted}); reports are in {self.options.report_dir}", "warn")
        self._clean(cluster, alive)
        shutil.rmtree(work, ignore_errors=True)
        self._say("end", seconds=self._seconds())
        self._log.close()
        if self._log.trouble:
            self.record.warnings.append(self._log.trouble)

    def _stages(
        self, cluster: Cluster, known: Facts, plan: Plan, images: Images, work: Path, alive: list[lease.Renewed]
    ) -> None:
        from op_readiness.runner import standing

        timeouts = Timeouts(scale=self.options.scale)
        attend = self.attention.attend
        if not plan.abilities:
            return
        self._made = True
        alive.append(attend(lambda: self._settle(cluster)))
        with ExitStack() as handed:
            kubeconfig = handed.enter_context(cluster.connection.keep_handed_over(work / "kubeconfig"))
            nodes = list(plan.nodes.nodes)
            secret = pull_secret.NAME if self._secret else ""
            self._passes = Passes(
                self.folders, work, self._context(kubeconfig, known, plan, images, timeouts), self._open_log,
                self.record, timeouts, self.attention, self._hear, self.view.tick,
            )  # fmt: skip
            if plan.concurrent:
                self._passes.begin(plan.workers)
            self.view.stage = "the standing objects come up"
            stands = attend(lambda: standing.create(cluster, known, nodes, self.run_id, images, timeouts, secret))
            self.view.stage = ""
            for problem in stands.get("problems", ()):
                self._say("warning", text=f"standing objects: {problem['what']}: {problem['where']}: {problem['seen']}")
            attend(self.after_standing)
            self._passes.context["standing"] = stands
            self._all_passes(cluster, plan, alive)
            try:
                self.view.stage = "the standing objects are looked at again"
                findings = attend(lambda: standing.check(cluster, stands, known, timeouts))
                self._say("standing", findings=[f.to_dict() for f in findings], ability=standing.OWNER)
            except CouldNotTell as error:
                first = error.findings[0]
                text = f"the standing objects could not be looked at again: {first.what}: {first.where}: {first.seen}"
                self._say("warning", text=text)
            except ApiError as error:
                self._say("warning", text=f"the standing objects could not be looked at again: {error}")

    def _settle(self, cluster: Cluster) -> lease.Renewed:
        """The run's own Namespace, with its Lease and its journal."""
        cluster.create(namespace(own_namespace(self.run_id), run_labels(self.run_id)))
        alive = lease.Renewed.begin(cluster, lease.NAME, own_namespace(self.run_id), self.run_id)
        journal.open_journal(cluster, self.run_id)
        if self._secret:
            pull_secret.put(cluster, self._secret, own_namespace(self.run_id), self.run_id)
        return alive

    def _all_passes(self, cluster: Cluster, plan: Plan, alive: list[lease.Renewed]) -> None:
        passes = self._passes
        if passes is None:
            return
        attempts = self.options.flake_attempts
        alone = bool(plan.serial or plan.disruptive)
        passes.run(plan.concurrent, workers=plan.workers, attempts=attempts, more=alone)
        if not plan.serial and not plan.disruptive:
            return
        within, say = self.attention.left(), self.view.say
        alive.append(self.attention.attend(lambda: lease.take_exclusive(cluster, self.run_id, within=within, say=say)))
        passes.run(plan.serial, workers=1, attempts=attempts, more=bool(plan.disruptive))
        passes.run(plan.disruptive, workers=1, attempts=attempts)

    def _context(
        self, kubeconfig: Path, known: Facts, plan: Plan, images: Images, timeouts: Timeouts
    ) -> dict[str, Any]:
        return {
            "run_id": self.run_id,
            "kubeconfig": str(kubeconfig),
            "abilities": {ability.id: ability.to_dict() for ability in plan.abilities},
            "facts": known.to_dict(),
            "timeouts": timeouts.to_dict(),
            "images": images.to_dict(),
            "pull_secret": pull_secret.NAME if self._secret else "",
            "events_dir": str(self._open_log.folder.resolve()),
            "windows_nodes": [node.name for node in plan.nodes.nodes],
            "command": self.command,
            "disruptive": self.options.disruptive,
            "e2e": self.options.e2e(),
            "inputs": dict(self.inputs),
        }

    # -- ending ----------------------------------------------------------------------------------------------------

    def _stop(self) -> None:
        if self._passes is not None:
            self._passes.stop()

    def _leave(self) -> None:
        """A second signal: nothing is waited for any more."""
        if self._passes is not None:
            self._passes.kill_now()
        self.kill_cluster()
        if self._log is not None and not self.options.simulated:
            os.write(2, f"left at once; {self._cleanup} removes what is left\n".encode())

    def _clean(self, cluster: Cluster, alive: list[lease.Renewed]) -> None:
        for one in alive:
            if one.lost:
                self._say("warning", text=f"Lease: {one.lost}")
            one.stop()
        if not self._made:
            self._say("leftovers", names=[])
            return
        self.view.stage = "cleaning up"
        self.view.say(self.view.stage, "dim")
        self.attention.forget_deadline()
        try:
            done = self.attention.attend(
                lambda: cleanup.remove_run(cluster, self.run_id, within=self.options.cleanup_timeout)
            )
        except Interrupted as error:
            self._say("interrupted", by=error.by)
            self._say("warning", text=f"clean-up interrupted: `{self._cleanup}` ends it")
            return
        except ApiError as error:
            self._say("warning", text=f"clean-up: {error}; {self._cleanup} tries again")
            return
        for problem in done.problems:
            self._say("warning", text=problem)
        if done.looked:
            self._say("leftovers", names=[f"{one}: {one.command}" for one in done.left])

    @property
    def _cleanup(self) -> str:
        return commands.cleanup(self.run_id, self.command)

    def _report(self) -> Sequence[Path]:
        try:
            return self.write(self.record.run_result(), self.options.report_dir)
        except OpReadinessError as error:
            self.view.say(f"warning: {error}", "warn")
            return ()

    def _exit_code(self) -> int:
        return self.record.run_result().exit_code(strict=self.options.strict)

    # -- events ----------------------------------------------------------------------------------------------------

    @property
    def _open_log(self) -> EventLog:
        if self._log is None:
            raise OpReadinessError("the event log is not open")
        return self._log

    def _say(self, kind: str, **fields: Any) -> None:
        self._hear(self._open_log.say(kind, **fields))

    def _hear(self, event: Event) -> None:
        self.record.add(event)
        self.view.event(event)
        self.listen(event, self.record)

    def _seconds(self) -> float:
        return round((time.monotonic() - self._began) / self.options.scale, 1)

    def _about(self, known: Facts, plan: Plan) -> dict[str, Any]:
        windows = [node.name for node in known.nodes if node.os == "windows"]
        return {
            "run_id": self.run_id,
            "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "version": own_version(),
            "categories": [
                {
                    "name": category.name,
                    "abilities": [ability.id for ability in category.abilities],
                    "planned": sum(ability.planned and ability.gating for ability in category.abilities),
                    "not_selected": plan.selection.not_selected.get(category.name, 0),
                }
                for category in plan.selection.categories
            ],
            "abilities": {ability.id: ability.to_dict() for ability in plan.selection.abilities},
            "skips": {id: {"reason": str(skip.reason), "why": skip.why} for id, skip in plan.skips.items()},
            "facts": known.to_dict(),
            "provider": self.options.provider,
            "timeout_scale": self.options.scale,
            "simulated": known.simulated,
            "command": self.command,
            "report_dir": str(self.options.report_dir),
            "nodes_selected": [node.name for node in plan.nodes.nodes],
            "windows_nodes": windows,
            "seed": plan.nodes.seed,
        }
