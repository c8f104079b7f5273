"""Pods coming up: waited for by watch, and explained by Pod, Node and newest Event when they do not."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from op_readiness.cluster.api import Cluster
from op_readiness.cluster.errors import ApiError, ExecError
from op_readiness.cluster.watching import WatchTimeout, wait_for
from op_readiness.model.errors import AbilityNotMet, CouldNotTell
from op_readiness.model.findings import Finding
from op_readiness.model.timeouts import Timeouts
from op_readiness.observe.recorder import Recorder

Pod = dict[str, Any]
Event = dict[str, Any]
HELD = "held"
"""The code of a finding about Pods that only finalizers keep."""
LOOK_SECONDS = 5.0
"""Real seconds after which the live view is told the newest Event of what is waited for."""


def condition(pod: Pod, kind: str) -> bool:
    """Whether a condition of a Pod is True."""
    return any(c["type"] == kind and c["status"] == "True" for c in pod.get("status", {}).get("conditions") or [])


def running(pod: Pod) -> bool:
    """Running, every container started, with an address."""
    status = pod.get("status", {})
    started = all("running" in c.get("state", {}) for c in status.get("containerStatuses") or [{}])
    return status.get("phase") == "Running" and bool(status.get("podIP")) and started


def ready(pod: Pod) -> bool:
    """Running and Ready, and not on its way out."""
    return running(pod) and condition(pod, "Ready") and not pod["metadata"].get("deletionTimestamp")


def wait_for_pods(
    cluster: Cluster, namespace: str, names: Collection[str], *, until_ready: bool, timeouts: Timeouts,
    recorder: Recorder, deadline: str = "pods_ready", labels: str = "",
) -> dict[str, Pod]:  # fmt: skip
    """The Pods `names`, all up; raises CouldNotTell, or AbilityNotMet where the Node cuts the kubelet's way to them."""
    wanted, up = frozenset(names), ready if until_ready else running

    def met(pods: Iterable[Pod]) -> dict[str, Pod] | None:
        found = {pod["metadata"]["name"]: pod for pod in pods if pod["metadata"]["name"] in wanted and up(pod)}
        return found if len(found) == len(wanted) else None

    within = timeouts.real(deadline)
    told = _Told(cluster, namespace, recorder, f"{len(wanted)} Pods in {namespace}", within, up)
    try:
        with told:
            return wait_for(
                cluster, "Pod", namespace, met, labels=labels or None, within=within,
                on_wait=lambda pods: told.seen([pod for pod in pods if pod["metadata"]["name"] in wanted]),
            )  # fmt: skip
    except WatchTimeout:
        pods = [pod for pod in cluster.list("Pod", namespace) if pod["metadata"]["name"] in wanted]
        waited = getattr(timeouts, deadline)
        raise not_up(cluster, namespace, wanted, pods, until_ready=until_ready, waited=waited) from None


class _Told:
    """Tells the live view what is waited for while the context lasts, every LOOK_SECONDS with the newest Event."""

    def __init__(
        self, cluster: Cluster, namespace: str, recorder: Recorder, what: str, within: float, up: Callable[[Pod], bool]
    ) -> None:  # fmt: skip
        self._cluster, self._namespace, self._recorder, self._what, self._up = cluster, namespace, recorder, what, up
        self._since = time.time()
        self._until = self._since + within
        self._late = ""
        self._over = threading.Event()

    def __enter__(self) -> None:
        self._tell("")
        threading.Thread(target=self._look, name="newest Event", daemon=True).start()

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def seen(self, pods: Iterable[Pod]) -> None:
        """Take note of the first Pod that is not up."""
        self._late = next((pod["metadata"]["name"] for pod in pods if not self._up(pod)), "")

    def _look(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            with contextlib.suppress(ApiError):
                event = newest_event(self._cluster, self._namespace, self._late) if self._late else ""
                if not self._over.is_set():
                    self._tell(event)

    def _tell(self, event: str) -> None:
        what = f"{self._what} ({self._late})" if self._late else self._what
        self._recorder.waiting(what, since=self._since, until=self._until, event=event)


def pods_gone(
    cluster: Cluster, namespace: str, uids: Collection[str], *, timeouts: Timeouts, within: str = "object_deleted"
) -> None:
    """Waits until no Pod with one of these UIDs is left; raises CouldNotTell, with code HELD where only finalizers hold
    them: then their Nodes may have done all that is theirs to do.
    """
    gone = frozenset(uids)
    try:
        wait_for(
            cluster, "Pod", namespace,
            lambda pods: True if not any(pod["metadata"]["uid"] in gone for pod in pods) else None,
            within=timeouts.real(within),
        )  # fmt: skip
    except WatchTimeout as error:
        left = [pod for pod in cluster.list("Pod", namespace) if pod["metadata"]["uid"] in gone]
        raise CouldNotTell(still_there(namespace, left, getattr(timeouts, within))) from error


def still_there(namespace: str, left: Sequence[Pod], seconds: float) -> Finding:
    """What is said of Pods that were deleted and are `left` after so many seconds; accuses no Node of finalizers."""
    free = [pod for pod in left if not pod["metadata"].get("finalizers")]
    holding = sorted({name for pod in left for name in pod["metadata"].get("finalizers") or []})
    held = f", held by finalizers: {', '.join(holding)}" if holding else ""
    return Finding(
        "Pods do not go away", ", ".join(f"Pod {namespace}/{pod['metadata']['name']}" for pod in free or left),
        f"gone within {seconds:g} s", "still Terminating" if free else f"still Terminating{held}",
        "" if free else "look for the controller that set the finalizers and should take them away",
        nodes_of(free), code="" if free else HELD,
    )  # fmt: skip


def newest_event(cluster: Cluster, namespace: str, name: str) -> str:
    """`Reason: message` of the newest Event about an object, a Warning before others; empty when there is none."""
    return newest_of(cluster.list("Event", namespace), name)


def newest_of(events: Iterable[Event], name: str) -> str:
    """The same of Events that were listed before."""
    about = [e for e in events if (e.get("involvedObject") or {}).get("name") == name]
    about.sort(key=lambda e: (e.get("type") == "Warning", e.get("lastTimestamp") or e.get("eventTime") or ""))
    return f"{about[-1].get('reason')}: {about[-1].get('message')}" if about else ""


def not_up(
    cluster: Cluster, namespace: str, wanted: frozenset[str], pods: list[Pod], *, until_ready: bool, waited: float
) -> Exception:
    """Why Pods are not up, by Pod, Node and newest Event: CouldNotTell, or AbilityNotMet where probes are cut off."""
    up = ready if until_ready else running
    late = [pod for pod in pods if not up(pod)]
    missing = wanted - {pod["metadata"]["name"] for pod in pods}
    events = cluster.list("Event", namespace) if late else []
    lines = [f"{_where(pod)}: {_state(pod)}; {newest_of(events, pod['metadata']['name'])}" for pod in late[:8]]
    lines += [f"Pod {namespace}/{name} does not exist" for name in sorted(missing)]
    nodes = nodes_of(late)
    finding = Finding(
        what="Pods did not come up" if not until_ready else "Pods did not become Ready",
        where=", ".join(_where(pod) for pod in late[:4]) or f"Namespace {namespace}",
        expected=f"{len(wanted)} Pods {'Ready' if until_ready else 'Running'} within {waited:g} s",
        seen="\n".join(lines),
        hint=_hint(namespace, ", ".join(nodes), " ".join(lines)),
        nodes=nodes,
        code="pods",
    )
    if until_ready and late and not missing and all(running(pod) and not _restarted(pod) for pod in late):
        return _cut_off(cluster, namespace, late, events, finding)
    return CouldNotTell(finding)


def _hint(namespace: str, nodes: str, seen: str) -> str:
    describe = f"kubectl -n {namespace} describe pods"
    if "ErrImagePull" in seen or "ImagePullBackOff" in seen:
        return f"{describe}; the image, and the registry as {nodes} sees it: --image-registry and --pull-secret"
    return f"{describe}; kubelet and CNI on {nodes}" if nodes else describe


def _cut_off(
    cluster: Cluster, namespace: str, late: list[Pod], events: Sequence[Event], finding: Finding
) -> Exception:  # fmt: skip
    """Running, never restarted, its readinessProbe unanswered: the kubelet has to say so in an Event about this very
    Pod (one that it has not come to yet is only late), and then the server is asked from inside.
    """
    probed = {(event.get("involvedObject") or {}).get("uid") for event in events if _says_probe_failed(event)}
    if not all(pod["metadata"]["uid"] in probed and _answers_itself(cluster, namespace, pod) for pod in late):
        return CouldNotTell(finding)
    return AbilityNotMet(
        Finding(
            what="Pods answer themselves, and the kubelet's readinessProbe does not reach them",
            where=finding.where,
            expected=finding.expected,
            seen=finding.seen,
            hint=f"host to Pod is cut on {', '.join(finding.nodes)}: look at the CNI and the host's firewall there",
            nodes=finding.nodes,
            code="probes-blocked",
        )
    )


def _says_probe_failed(event: Event) -> bool:
    return event.get("reason") == "Unhealthy" and "Readiness probe" in str(event.get("message", ""))


def _answers_itself(cluster: Cluster, namespace: str, pod: Pod) -> bool:
    container = pod["spec"]["containers"][0]
    get = (container.get("readinessProbe") or {}).get("httpGet")
    if not get:
        return False
    windows = (pod["spec"].get("os") or {}).get("name") == "windows"
    argv = [
        "curl.exe" if windows else "curl",
        "-g",
        "-q",
        "-s",
        "--fail",
        "--max-time",
        "15",
        f"http://127.0.0.1:{get['port']}{get['path']}",
    ]
    try:
        answer = cluster.exec(pod["metadata"]["name"], namespace, container["name"], argv, within=20.0)
    except (ApiError, ExecError):
        return False
    return answer.exit_code == 0


def _restarted(pod: Pod) -> bool:
    return any(c.get("restartCount") for c in pod["status"].get("containerStatuses") or [])


def nodes_of(pods: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """The names of the Nodes that Pods are bound to, each once."""
    return tuple(sorted({pod["spec"].get("nodeName", "") for pod in pods} - {""}))


def _where(pod: Pod) -> str:
    node = pod["spec"].get("nodeName")
    name = f"Pod {pod['metadata']['namespace']}/{pod['metadata']['name']}"
    return f"{name} (Node {node})" if node else f"{name} (no Node)"


def _state(pod: Pod) -> str:
    status = pod.get("status", {})
    for container in status.get("containerStatuses") or []:
        waiting = container.get("state", {}).get("waiting")
        if waiting:
            return f"{status.get('phase')}, {waiting.get('reason', '')} {waiting.get('message', '')}".strip()
    scheduled = next(
        (c for c in status.get("conditions") or [] if c["type"] == "PodScheduled" and c["status"] != "True"), None
    )
    return f"{status.get('phase')}, {scheduled['message']}" if scheduled else f"{status.get('phase')}, not Ready"
