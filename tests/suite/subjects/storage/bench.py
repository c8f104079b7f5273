"""A bench for subjects of Core.Storage: a real Workshop, a cluster that takes notes, Pods that answer as told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from op_readiness.model.facts import Facts, NodeFact
from op_readiness.model.findings import Outcome
from op_readiness.model.timeouts import Timeouts
from op_readiness.observe.checks import Check
from op_readiness.observe.recorder import Recorder
from op_readiness.observe.shell import Answer, Answers, Ask, Client
from op_readiness.suite.context import RunContext
from op_readiness.suite.making import Workshop
from op_readiness.suite.subjects.storage.mounting import Mounting

RUN, NAMESPACE = "r1r1r1", "opr-r1r1r1-aaaaaa"
NODES = [NodeFact(f"win-{n}", "windows", "10.0.20348", kubelet="v1.37.2") for n in (1, 2)]
Said = str | tuple[int, str]
Tongue = Callable[[Client, str], Said]


def client_on(node: NodeFact, pod: str = "p", container: str = "main") -> Client:
    """The client in a Pod of the bench."""
    one = Client.at(NAMESPACE, pod, node, "10.244.1.5", f"uid-{pod}")
    return Client(one.namespace, one.pod, one.place, one.ip, one.uid, container)


class Notebook:
    """A cluster that writes down what is asked of it, in order, and gives what was laid out before."""

    def __init__(self) -> None:
        self.did: list[tuple[str, ...]] = []
        self.objects: dict[tuple[str, str], dict[str, Any]] = {}
        self.events: list[dict[str, Any]] = []
        self.logged: dict[str, str] = {}
        self.users: dict[str, str] = {}
        self.patches: list[Any] = []

    def create(self, manifest: dict[str, Any], dry_run: bool = False) -> dict[str, Any]:
        self.did.append(("create", manifest["kind"], manifest["metadata"]["name"]))
        self.objects[manifest["kind"], manifest["metadata"]["name"]] = manifest
        return manifest

    def get(self, kind: str, name: str, namespace: str = "") -> dict[str, Any]:
        return self.objects[kind, name]

    def patch(self, kind: str, name: str, namespace: str, body: Any) -> None:
        self.did.append(("patch", kind, name))
        self.patches.append(body)

    def delete(self, kind: str, name: str, namespace: str = "", grace: int | None = None) -> None:
        self.did.append(("delete", kind, name, str(grace)))

    def list(self, kind: str, namespace: str = "") -> Any:
        return self.events

    def logs(self, pod: str, namespace: str, container: str, **_: Any) -> str:
        return self.logged.get(pod, "")

    def post(self, kind: str, review: dict[str, Any]) -> dict[str, Any]:
        user = self.users.get(review["spec"]["token"], "")
        return {"status": {"authenticated": bool(user), "user": {"username": user}}}


@dataclass
class Told:
    """An Asker whose Pods answer as `tongue` says: text, or exit code and text."""

    tongue: Tongue
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    timeouts: Timeouts = field(default_factory=Timeouts)

    def answer(self, client: Client, argv: list[str]) -> Answer:
        return self._said(client, argv[-1] if argv[0] == "cmd" else " ".join(argv))

    def ask(self, client: Client, asks: Sequence[Ask]) -> Answers:
        return Answers({ask.key: [self._said(client, ask.command)] for ask in asks})

    def _said(self, client: Client, command: str) -> Answer:
        self.asked.append((client.pod, client.container, command))
        said = self.tongue(client, command)
        return Answer(*said) if isinstance(said, tuple) else Answer(0, said)


@dataclass
class Bench:
    """What a subject is made of, and what came of it."""

    mounting: Mounting
    cluster: Notebook
    told: Told

    @property
    def workshop(self) -> Workshop:
        return self.mounting.workshop

    def parts(self, outcome: Outcome) -> list[str]:
        """`path target` of each part with that outcome."""
        return [f"{p.path} {p.target}" for p in self.workshop.recorder.parts if p.outcome is outcome]


@contextmanager
def bench(tongue: Tongue = lambda client, command: "") -> Iterator[Bench]:
    """A bench whose Pods say what `tongue` says; what the test owns is undone at the end."""
    facts = Facts("https://10.0.0.1", "v1.37.2", nodes=tuple(NODES))
    context = RunContext(RUN, "", {}, [], facts, Timeouts(), {}, Path(), [node.name for node in NODES])
    cluster, told = Notebook(), Told(tongue)
    with ThreadPoolExecutor(4) as threads, ExitStack() as owned:
        workshop = Workshop(cluster, context, "sto-x", Recorder(), threads, owned)  # type: ignore[arg-type]
        workshop._namespace = NAMESPACE
        yield Bench(Mounting(workshop, told), cluster, told)  # type: ignore[arg-type]


def wrong(checks: Sequence[Check]) -> list[str]:
    """`path target` of each statement that does not hold."""
    return [f"{check.path} {check.target}" for check in checks if not check.good]
