"""Who took part: Pods of the specs' Namespaces that a kubelet of a Windows Node reported on while e2e.test ran.

e2e.test is no witness for itself: many of its specs choose no operating system, and pass on Linux Nodes. Nor can we
ask its Pods, which are gone when it ends. What can be shown is that the kubelet of a Windows Node said of such a Pod
that a container of it had started; that is a proof of kind `node`. A spec that makes no Pods proves nothing.

Its Namespaces are given the run's label as they appear: e2e.test deletes them itself, and when it was interrupted or
killed, our clean-up does.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from op_readiness.cluster.api import Cluster
from op_readiness.cluster.errors import ApiError, NotFound
from op_readiness.cluster.watching import WatchTimeout, wait_for
from op_readiness.model.facts import Facts, NodeFact

RUN_LABEL = "e2e-run"
"""What the e2e framework labels its Namespaces with: the id of the run (test/e2e/framework/util.go)."""
SILENCE = 2.0
"""Real seconds after which the watch is opened anew, so that it notices soon that e2e.test has ended."""
JOIN_SECONDS = 3 * SILENCE


@dataclass(frozen=True)
class SeenPod:
    """A Pod that a Windows Node's kubelet reported on. `run` is the run that its Namespace belongs to."""

    run: str
    node: NodeFact
    namespace: str
    pod: str
    image: str
    image_id: str
    container_id: str
    started: str

    def answer(self) -> dict[str, str]:
        """As a proof of kind `node` shows it."""
        return {
            "node": self.node.name, "build": self.node.build, "boot_id": self.node.boot_id,
            "pod": f"{self.namespace}/{self.pod}", "image": self.image, "image_id": self.image_id,
            "answer": f"container {self.container_id} started {self.started}",
        }  # fmt: skip


@dataclass
class Watched:
    """Watches Pods and Namespaces from other threads, for as long as a block lasts.

    `run` gives the id of e2e.test's run once it is known; Namespaces of that run get `labels`.
    """

    cluster: Cluster
    facts: Facts
    within: float
    run: Callable[[], str]
    labels: Mapping[str, str]
    trouble: str = ""
    earlier: frozenset[str] = frozenset()
    """Runs whose Namespaces were there before."""
    _pods: dict[str, SeenPod] = field(default_factory=dict)
    _runs: dict[str, str] = field(default_factory=dict)
    _ended: threading.Event = field(default_factory=threading.Event)
    _threads: tuple[threading.Thread, ...] = ()

    def __enter__(self) -> Watched:
        """Begin to watch; raises ApiError where Namespaces may not be listed."""
        self.earlier = frozenset(_run_of(one) for one in self.cluster.list("Namespace", labels=RUN_LABEL))
        watches: tuple[tuple[str, str | None, Callable[[Any], bool]], ...] = (
            ("Pod", None, self._look), ("Namespace", RUN_LABEL, self._adopt),
        )  # fmt: skip
        self._threads = tuple(
            threading.Thread(target=self._watch, args=watch, daemon=True, name=f"{watch[0]}s of e2e.test")
            for watch in watches
        )
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(JOIN_SECONDS)

    def pods(self, run: str) -> list[SeenPod]:
        """The Pods of a run; without its id, of every run that was not there before. One a Namespace and Node."""
        mine = [pod for pod in self._pods.values() if (pod.run == run if run else pod.run not in self.earlier)]
        return list({(pod.namespace, pod.node.name): pod for pod in reversed(mine)}.values())[::-1]

    def _watch(self, kind: str, labels: str | None, look: Callable[[Any], bool]) -> None:
        within = self.within + JOIN_SECONDS
        try:
            wait_for(self.cluster, kind, "", look, labels=labels, within=within, silence=SILENCE)
        except (ApiError, WatchTimeout) as error:
            self.trouble = f"{kind}s could not be watched: {error}"

    def _adopt(self, namespaces: Iterable[Mapping[str, Any]]) -> bool:
        """Label Namespaces of this run, and no others."""
        own = self.run()
        for namespace in namespaces:
            meta = namespace["metadata"]
            if own and _run_of(namespace) == own and not set(self.labels) <= set(meta["labels"]):
                with suppress(NotFound):
                    self.cluster.patch("Namespace", meta["name"], "", {"metadata": {"labels": dict(self.labels)}})
        return self._ended.is_set()

    def _look(self, pods: Iterable[Mapping[str, Any]]) -> bool:
        for pod in pods:
            self._take(pod)
        return self._ended.is_set()

    def _take(self, pod: Mapping[str, Any]) -> None:
        meta, spec = pod["metadata"], pod.get("spec") or {}
        node = next((n for n in self.facts.nodes if n.name == spec.get("nodeName") and n.os == "windows"), None)
        if node is None or meta["uid"] in self._pods:
            return
        for status in (pod.get("status") or {}).get("containerStatuses") or ():
            state = status.get("state") or {}
            started = ((state.get("running") or state.get("terminated") or {}).get("startedAt")) or ""
            if started and status.get("containerID") and (run := self._run(meta["namespace"])):
                self._pods[meta["uid"]] = SeenPod(
                    run, node, meta["namespace"], meta["name"], status.get("image", ""), status.get("imageID", ""),
                    status["containerID"], started,
                )  # fmt: skip
                return

    def _run(self, namespace: str) -> str:
        """The run that a Namespace belongs to; empty if to none."""
        if namespace not in self._runs:
            found = self.cluster.find("Namespace", namespace)
            self._runs[namespace] = _run_of(found) if found else ""
        return self._runs[namespace]


def _run_of(namespace: Mapping[str, Any]) -> str:
    return str((namespace["metadata"].get("labels") or {}).get(RUN_LABEL, ""))
