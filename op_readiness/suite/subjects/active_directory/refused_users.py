"""Users that must not start: unknown names, and ContainerAdministrator under runAsNonRoot; beside them one that must.

A Pod that does not start shows nothing while no Pod starts there, so on each Node a twin with ContainerUser is made
with them; if it does not come up, nothing is judged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from op_readiness.cluster.watching import WatchTimeout, wait_for
from op_readiness.model.errors import CouldNotTell
from op_readiness.model.facts import NodeFact
from op_readiness.model.findings import Finding
from op_readiness.observe.checks import Check, Checks
from op_readiness.observe.reach import together
from op_readiness.observe.shell import Asker, Client
from op_readiness.suite.making import Workshop
from op_readiness.suite.subjects.active_directory.users import ADMIN, USER, WHO, as_refused_logon, windows_options
from op_readiness.workloads.pods import Manifest

Object = dict[str, Any]
UNKNOWN = "FooLish"
NOT_STARTED = ("ContainerCannotRun", "StartError")
SPELLINGS = (ADMIN, ADMIN.upper(), ADMIN.lower())
NON_ROOT = "which will be regarded as root identity and will break non-root policy"
STAYS_SECONDS = 30.0
"""Cluster seconds that a refusal must last: a sandbox that failed for another reason is tried again well before."""
OF_THE_NETWORK = ("network", "cni", "address")
"""Words of a sandbox failure that is no matter of users."""


@dataclass(frozen=True)
class Refused:
    """One Pod that must not run: its name, the spec and container fields that say why, and how that shows."""

    name: str
    what: str
    expected: str
    spec: Object
    container: Object


def unknown() -> list[Refused]:
    """A user that does not exist, at the Pod (and its container), and at the container alone."""
    pod, alone = windows_options(runAsUserName=UNKNOWN), windows_options(runAsUserName=USER)
    why = f"not started (FailedCreatePodSandBox, {' or '.join(NOT_STARTED)})"
    return [
        Refused("unknown-pod", f"{UNKNOWN} at the Pod", why, {**pod, "restartPolicy": "Never"}, pod),
        Refused("unknown-container", f"{UNKNOWN} at the container", why, {**alone, "restartPolicy": "Never"}, pod),
    ]


def administrators() -> list[Refused]:
    """ContainerAdministrator under runAsNonRoot, in several spellings."""
    found = []
    for number, name in enumerate(SPELLINGS):
        context = windows_options(runAsUserName=name)["securityContext"] | {"runAsNonRoot": True}
        expected = f"container's runAsUserName ({name}) {NON_ROOT}"
        found.append(Refused(f"root-{number}", name, expected, {"securityContext": context}, {}))
    return found


@dataclass
class RefusedUsers:
    """The Pods of all Nodes. `shows(pod, events)` gives how a Pod's refusal shows, or nothing (yet)."""

    workshop: Workshop
    asker: Asker
    nodes: Sequence[NodeFact]
    refused: Sequence[Refused]
    shows: Callable[[Object, Sequence[str]], str]
    twin_spec: Object
    twin_is_judged: bool = False
    """Whether the twin's user is a part of what is promised; otherwise all that it shows is that Pods start there."""
    places: dict[str, tuple[Refused, NodeFact]] = field(default_factory=dict)

    def start(self) -> None:
        """Twins and refused Pods made at once; the twins run, as ContainerUser."""
        twins = [self._pod("twin", n, node, self.twin_spec, {}) for n, node in enumerate(self.nodes)]
        made = [self._refused(one, n, node) for one in self.refused for n, node in enumerate(self.nodes)]
        self.workshop.create_all([*twins, *made])
        try:
            self.workshop.pods_up([one["metadata"]["name"] for one in twins], until_ready=False)
        except CouldNotTell as error:
            raise as_refused_logon(error) from error
        self._ask_twins([one["metadata"]["name"] for one in twins])

    def must_not_run(self, what: str) -> None:
        """Each refused Pod shows why it does not run; raises AbilityNotMet for those that do."""
        checks = Checks(self.workshop.recorder)
        seen = self._stayed(self._settled())
        for name, (one, node) in self.places.items():
            pod, events = seen[name]
            client = Client.at(self.workshop.namespace, name, node, uid=pod["metadata"]["uid"])
            ran, shown = self._ran(client, pod), self.shows(pod, events)
            if not ran and not shown:
                raise CouldNotTell(
                    Finding("A Pod neither runs nor says why not", str(client.place), one.expected,
                            "; ".join(events[-3:]) or pod["status"].get("phase", ""), nodes=(node.name,), code="pods")
                )  # fmt: skip
            checks.take(Check("refusal of", client.place, one.what, one.expected, ran or shown, not ran))
        checks.must_hold(what, code="user", hint="look at the kubelet's and containerd's version on these Nodes")

    def _settled(self) -> dict[str, tuple[Object, list[str]]]:
        """Each refused Pod and its Events once all run or show why not, or time is over."""
        cluster, namespace, last = self.workshop.cluster, self.workshop.namespace, {}

        def met(_: Iterable[Object]) -> bool:
            last.update(self._look())
            return all(started(pod) or self.shows(pod, events) for pod, events in last.values())

        within = self.workshop.context.timeouts.real("pods_ready")
        try:
            wait_for(cluster, "Event", namespace, met, within=within)
        except WatchTimeout:
            last.update(self._look())
        return last

    def _stayed(self, seen: dict[str, tuple[Object, list[str]]]) -> dict[str, tuple[Object, list[str]]]:
        """The same a while later, or as soon as one runs: a start that failed once may be no refusal of its user."""
        last = dict(seen)

        def met(_: Iterable[Object]) -> bool:
            last.update(self._look())
            return any(started(pod) for pod, _ in last.values())

        if not any(started(pod) for pod, _ in seen.values()):
            within = STAYS_SECONDS * self.workshop.context.timeouts.scale
            try:
                wait_for(self.workshop.cluster, "Event", self.workshop.namespace, met, within=within)
            except WatchTimeout:
                last.update(self._look())
        return last

    def _look(self) -> dict[str, tuple[Object, list[str]]]:
        cluster, namespace = self.workshop.cluster, self.workshop.namespace
        pods = {pod["metadata"]["name"]: pod for pod in cluster.list("Pod", namespace)}
        events: dict[str, list[str]] = {name: [] for name in self.places}
        for event in cluster.events(namespace):
            name = (event.get("involvedObject") or {}).get("name", "")
            if name in events and event.get("type") == "Warning":
                events[name].append(f"{event.get('reason')}: {event.get('message')}")
        return {name: (pods[name], events[name]) for name in self.places}

    def _ran(self, client: Client, pod: Object) -> str:
        """As whom a Pod runs that must not; empty where it does not."""
        if not started(pod):
            return ""
        try:
            return f"runs as {self.asker.answer(client, WHO).text}"
        except CouldNotTell:
            return "runs"

    def _ask_twins(self, names: Sequence[str]) -> None:
        """Who the twins are: they must be ContainerUser where that is judged, and answer in any case."""
        clients = [
            Client.at(self.workshop.namespace, name, node) for name, node in zip(names, self.nodes, strict=True)
        ]
        said = together(self.workshop.threads, lambda client: self.asker.answer(client, WHO).text, clients)
        if not self.twin_is_judged:
            return
        checks = Checks(self.workshop.recorder)
        for client, name in zip(clients, said, strict=True):
            checks.take(Check("user under runAsNonRoot", client.place, USER, USER, name, name.lower() == USER.lower()))
        checks.must_hold("ContainerUser does not run as itself under runAsNonRoot", code="user")

    def _refused(self, one: Refused, number: int, node: NodeFact) -> Manifest:
        manifest = self._pod(one.name, number, node, one.spec, one.container)
        self.places[manifest["metadata"]["name"]] = (one, node)
        return manifest

    def _pod(self, name: str, number: int, node: NodeFact, spec: Object, container: Object) -> Manifest:
        return self.workshop.pod(f"{name}-{number}", "windows", node, ["pause"], spec=spec, container=container)


def started(pod: Object) -> bool:
    """Whether a container of a Pod has run."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    return any("running" in one.get("state", {}) or _ended(one) for one in statuses)


def _ended(status: Object) -> bool:
    terminated = status.get("state", {}).get("terminated") or {}
    return bool(terminated) and terminated.get("reason") not in NOT_STARTED


def unknown_shows(pod: Object, events: Sequence[str]) -> str:
    """How Windows says that it does not know a user: the sandbox does not come, or the container does not start.

    The Event's text is Windows' own and localised, so any failed sandbox counts that is no matter of the network.
    """
    for status in (pod.get("status") or {}).get("containerStatuses") or []:
        state = status.get("state", {})
        reason = (state.get("terminated") or state.get("waiting") or {}).get("reason", "")
        if reason in (*NOT_STARTED, "RunContainerError", "CreateContainerError"):
            return f"{reason}: {(state.get('terminated') or state.get('waiting') or {}).get('message', '')}"
    sandbox = (text for text in events if text.startswith("FailedCreatePodSandBox"))
    return next((text for text in sandbox if not any(word in text.lower() for word in OF_THE_NETWORK)), "")


def root_shows(pod: Object, events: Sequence[str]) -> str:
    """The kubelet's word that a user is an administrator's."""
    for status in (pod.get("status") or {}).get("containerStatuses") or []:
        waiting = status.get("state", {}).get("waiting") or {}
        if waiting.get("reason") == "CreateContainerConfigError" and NON_ROOT in waiting.get("message", ""):
            return str(waiting["message"])
    return next((text for text in events if text.startswith("Failed:") and NON_ROOT in text), "")
