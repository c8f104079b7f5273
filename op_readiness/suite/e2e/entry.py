"""One entry with `focus`, from its command line to its outcome."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from op_readiness.cluster.api import Cluster
from op_readiness.model.abilities import Ability
from op_readiness.model.findings import Outcome
from op_readiness.observe.recorder import Recorder
from op_readiness.suite.context import RunContext
from op_readiness.suite.e2e import judging, junit, running
from op_readiness.suite.e2e.seen import Watched
from op_readiness.workloads.labels import run_labels

LOG = "e2e.log"
NOBODY = "no Pod of these specs was seen to start on a Windows Node"


@dataclass
class Entry:
    """An entry to run. `folder` gets e2e.test's report and log."""

    ability: Ability
    context: RunContext
    recorder: Recorder
    folder: Path

    @property
    def within(self) -> float:
        """Real seconds that e2e.test may take."""
        return float(self.context.e2e["seconds"])

    def run(self, cluster: Cluster) -> running.Ended:
        """Run e2e.test to its end, and keep which Windows Nodes took part."""
        ability, context, log = self.ability, self.context, self.folder / LOG
        words = running.command(
            context.e2e, context.kubeconfig, self.folder, ability.id, ability.focus, ability.skip
        )  # fmt: skip
        began = time.time()

        def tell(line: str) -> None:
            self.recorder.waiting(f"e2e.test: {line}", since=began, until=began + self.within)

        watched = Watched(
            cluster, context.facts, self.within + running.GRACE_SECONDS, lambda: running.run_named_in(log),
            run_labels(context.run_id),
        )  # fmt: skip
        with watched:
            ended = running.run(words, log, self.within, tell)
        self.recorder.node_answers += [pod.answer() for pod in watched.pods(ended.run)]
        if watched.trouble:
            self.recorder.note(watched.trouble)
        return ended

    def judge(self, ended: running.Ended) -> None:
        """Keep every spec as a part, and raise unless all that ran passed."""
        report, trouble = None, ""
        try:
            report = junit.read(self.folder)
        except junit.Unreadable as error:
            trouble = str(error)
        nodes = sorted({answer["node"] for answer in self.recorder.node_answers})
        if report is not None:
            for part in judging.parts_of(report, nodes):
                self.recorder.part(part)
            if not nodes and len(report.specs) > len(report.ended(Outcome.SKIPPED)):
                self.recorder.note(NOBODY)
        judging.judge(self.ability, report, ended, self.within, trouble)
