"""What the kubelet of a Node answers through the API server: its configuration, its figures, its metrics, its logs.

No answer is never taken for a figure: what did not come raises, and names the Node.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from op_readiness.cluster.api import Cluster, ProxyAnswer
from op_readiness.cluster.errors import ApiError
from op_readiness.model.errors import CouldNotTell, NotTested, SkipReason
from op_readiness.model.facts import NodeFact
from op_readiness.model.findings import Finding
from op_readiness.model.timeouts import FLOORS, Timeouts
from op_readiness.observe.recorder import Recorder

Object = dict[str, Any]
SUMMARY = "stats/summary"
_SAMPLE = re.compile(r"^(\w+)(?:\{([^}]*)\})? (\S+)")
_LABEL = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True)
class Answered:
    """A kubelet's answer and the cluster seconds that it took, API server and all."""

    status: int
    body: str
    seconds: float
    content_type: str = ""


@dataclass
class Kubelets:
    """Asks kubelets for one readiness test. Answers are kept as proof that the Node took part."""

    cluster: Cluster
    timeouts: Timeouts
    recorder: Recorder

    def configuration(self, node: NodeFact) -> Object:
        """The effective configuration, `kubeletconfig` of /configz."""
        found = self._json(node, "configz").get("kubeletconfig")
        if not isinstance(found, dict):
            raise self._no_answer(node, "configz", "an answer without kubeletconfig")
        return found

    def summary(self, node: NodeFact) -> Object:
        """The Summary API's figures."""
        return self._json(node, SUMMARY)

    def metrics(self, node: NodeFact, path: str) -> list[tuple[str, dict[str, str], float]]:
        """Name, labels and value of every sample at `path`."""
        samples = []
        for line in self.ask(node, path).body.splitlines():
            if found := _SAMPLE.match(line):
                samples.append((found[1], dict(_LABEL.findall(found[2] or "")), float(found[3])))
        if not samples:
            raise self._no_answer(node, path, "no metrics")
        return samples

    def ask(self, node: NodeFact, path: str) -> Answered:
        """A good answer; raises CouldNotTell for any other."""
        answer = self.any_answer(node, path)
        if answer.status != 200:
            raise self._no_answer(node, path, f"{answer.status}: {answer.body.strip()[:200]}")
        return answer

    def any_answer(self, node: NodeFact, path: str, *, seconds: float = 0.0) -> Answered:
        """An answer of whatever status that the kubelet gave itself, within `seconds` (cluster; 0: an API call's).

        Raises CouldNotTell where the kubelet did not answer.
        """
        within = max((seconds or self.timeouts.api_call) * self.timeouts.scale, FLOORS["api_call"])
        began = time.monotonic()
        try:
            answer = self.cluster.node_proxy(node.name, path, read=within)
        except ApiError as error:
            raise self._no_answer(node, path, error.message or str(error)) from error
        took = self.timeouts.cluster(time.monotonic() - began)
        if answer.from_api_server:
            raise self._refused(node, path, answer)
        self._keep(node, path, answer)
        return Answered(answer.status, answer.body, took, _header(answer, "content-type"))

    def _json(self, node: NodeFact, path: str) -> Object:
        text = self.ask(node, path).body
        try:
            found = json.loads(text)
        except ValueError:
            raise self._no_answer(node, path, f"no JSON: {text[:100]!r}") from None
        return dict(found)

    def _keep(self, node: NodeFact, path: str, answer: ProxyAnswer) -> None:
        kept = {"node": node.name, "build": node.build, "boot_id": node.boot_id, "kubelet": node.kubelet}
        kept["answer"] = f"GET /{path.partition('?')[0]}: {answer.status}, {len(answer.body)} characters"
        if node.os == "windows" and answer.status == 200:
            self.recorder.node_answered(kept)

    def _refused(self, node: NodeFact, path: str, answer: ProxyAnswer) -> Exception:
        if answer.status == 403:
            return NotTested(f"requires the right to get nodes/proxy: {answer.body}", reason=SkipReason.MISSING_RIGHT)
        return self._no_answer(node, path, f"the API server says {answer.status}: {answer.body.strip()[:200]}")

    def _no_answer(self, node: NodeFact, path: str, seen: str) -> CouldNotTell:
        return CouldNotTell(
            Finding(
                "The kubelet gave no usable answer", f"Node {node.name}, GET /{path}", "200 and its answer", seen,
                f"kubectl get --raw /api/v1/nodes/{node.name}/proxy/{path.partition('?')[0]}", (node.name,),
                code="kubelet",
            )
        )  # fmt: skip


def _header(answer: ProxyAnswer, name: str) -> str:
    return next((value for key, value in answer.headers.items() if key.lower() == name), "")


def pod_figures(summary: Object, namespace: str, name: str) -> Object | None:
    """The figures of a Pod in a Summary."""
    for pod in summary.get("pods") or ():
        reference = pod.get("podRef") or {}
        if (reference.get("namespace"), reference.get("name")) == (namespace, name):
            return dict(pod)
    return None


def container_figures(pod: Object | None, name: str = "main") -> Object | None:
    """The figures of a container of a Pod."""
    return next((dict(one) for one in (pod or {}).get("containers") or () if one.get("name") == name), None)


def given(read: Callable[[], Any]) -> float | None:
    """A figure that may be missing anywhere on its way; 0 says as little as none, and is none."""
    try:
        return float(read()) or None
    except (KeyError, TypeError, ValueError):
        return None
