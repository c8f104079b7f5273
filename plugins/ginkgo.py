"""ginkgo: catalogue entries with `focus` (upstream's form of a test case) as pytest items that run e2e.test."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from op_readiness.cluster.api import Cluster
from op_readiness.suite.catalogue import read_spec
from op_readiness.suite.e2e.entry import LOG, Entry
from op_readiness.suite.plugin import CLUSTER, EVIDENCE, RECORDER, context_of


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
        """Run it, keep what it printed, judge what it reported."""
        context = context_of(self.config)
        with tempfile.TemporaryDirectory(prefix="e2e-", ignore_cleanup_errors=True) as folder:
            entry = Entry(context.abilities[self.name], context, self.stash[RECORDER], Path(folder))
            ended = entry.run(self._cluster())
            self._keep(ended.text, context.evidence_dir / self.name)
            entry.judge(ended)

    def _cluster(self) -> Cluster:
        if CLUSTER not in self.config.stash:
            self.config.stash[CLUSTER] = Cluster.open(context_of(self.config).kubeconfig)
        cluster: Cluster = self.config.stash[CLUSTER]
        return cluster

    def _keep(self, text: str, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / LOG).write_text(text, "utf-8")
        self.stash[EVIDENCE] = {f"evidence/{self.name}/{LOG}": f"{len(text.splitlines())} lines of e2e.test"}

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where it stands."""
        return self.path, None, self.name
