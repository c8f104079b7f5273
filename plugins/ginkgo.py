"""ginkgo: catalogue entries with `focus` (upstream's form of a test case) as pytest items that run e2e.test."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from op_readiness.cluster.api import Cluster
from op_readiness.suite.catalogue import read_spec
from op_readiness.suite.e2e import judging, junit, running
from op_readiness.suite.e2e.seen import Watched
from op_readiness.suite.plugin import CLUSTER, EVIDENCE, RECORDER, context_of

LOG = "e2e.log"


@pytest.hookimpl
def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A spec.yaml with `focus` anywhere is a file of tests."""
    if file_path.name == "spec.yaml" and "focus" in file_path.read_text("utf-8", errors="replace"):
        return SpecFile.from_parent(parent, path=file_path)
    return None


class SpecFile(pytest.File):
    """A spec.yaml; its entries with a native test are none of ours."""

    def collect(self) -> Iterator[pytest.Item]:
        """An item an entry with `focus`."""
        for ability in read_spec(self.path).abilities:
            if ability.focus:
                item = GinkgoItem.from_parent(self, name=ability.id)
                item.add_marker(pytest.mark.ability(ability.id))
                yield item


class GinkgoItem(pytest.Item):
    """One run of e2e.test."""

    def runtest(self) -> None:
        """Run it, read its report, keep who took part, judge."""
        context = context_of(self.config)
        ability, recorder = context.abilities[self.name], self.stash[RECORDER]
        within = float(context.e2e["seconds"])
        folder = Path(tempfile.mkdtemp(prefix="e2e-"))
        try:
            words = running.command(
                context.e2e, context.kubeconfig, folder, ability.id, ability.focus, ability.skip
            )
            until = time.time() + within
            began = time.time()
            with Watched(self._cluster(), context.facts, within + running.GRACE_SECONDS) as watched:
                ended = running.run(
                    words, folder / LOG, within,
                    lambda line: recorder.waiting(f"e2e.test: {line}", since=began, until=until),
                )  # fmt: skip
            self._keep(ended, context.evidence_dir / ability.id)
            seen = watched.pods(ended.run)
            recorder.node_answers += [pod.answer() for pod in seen]
            nodes = sorted({pod.node.name for pod in seen})
            report, trouble = None, ""
            try:
                report = junit.read(folder)
            except junit.Unreadable as error:
                trouble = str(error)
            for part in judging.parts_of(report, nodes) if report else ():
                recorder.part(part)
            if not nodes:
                recorder.note(watched.trouble or "no Pod of these specs was seen to start on a Windows Node")
            judging.judge(ability, report, ended, within, trouble)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _cluster(self) -> Cluster:
        if CLUSTER not in self.config.stash:
            self.config.stash[CLUSTER] = Cluster.open(context_of(self.config).kubeconfig)
        cluster: Cluster = self.config.stash[CLUSTER]
        return cluster

    def _keep(self, ended: running.Ended, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / LOG).write_text(ended.text, "utf-8")
        self.stash[EVIDENCE] = {f"evidence/{self.name}/{LOG}": f"{len(ended.text.splitlines())} lines of e2e.test"}

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where it stands."""
        return self.path, None, self.name
