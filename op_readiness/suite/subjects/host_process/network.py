"""The Node's network in the hands of HostProcess containers: the API server, and ports of the Node."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from op_readiness.cluster.errors import ApiError
from op_readiness.model.errors import CouldNotTell, NotTested, SkipReason
from op_readiness.model.facts import NodeFact
from op_readiness.model.findings import Finding
from op_readiness.observe.checks import Check, Checks
from op_readiness.observe.shell import Answer, Ask, Asker, Client
from op_readiness.observe.starting import as_judged
from op_readiness.suite.subjects.host_process.basics import IDENTITY, named, told_name
from op_readiness.suite.subjects.host_process.running import IMAGE, Ended, HostProcess
from op_readiness.workloads.pods import Manifest

Object = dict[str, Any]
REVIEW = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
ACCOUNT = rf"{IMAGE}\var\run\secrets\kubernetes.io\serviceaccount"
DIAL_SECONDS = 15
MARK = "opr-caller-"
"""Goes before the answer to each caller."""
STRANGERS = {"wrong": "a token that nobody issued", "none": "no token"}
REFUSED = ("401", "403")
CODE = re.compile(r'"code":\s*(\d{3})')
FIRST_PORT, PORTS = 20000, 10000
PATIENT = "-g -q -s --connect-timeout 5 --max-time 8 --retry 5 --retry-delay 2 --retry-connrefused"
TIMED_OUT = 28
"""curl's exit code."""
PORT_MARK = "opr-port"
"""Goes before the answer of the port."""
NO_TWIN = 7
"""Exit code of a look at a closed port that did not meet the open one either."""
BIND = "bind:"
"""What a Go program says of a port that it does not get, before the words of its system."""


@dataclass
class ApiAccess:
    """A HostProcess Pod that asks the API server who it is, with its mounted token, a wrong one and none."""

    pods: HostProcess
    wrong: str = field(default_factory=lambda: secrets.token_hex(16))
    """A token that nobody has issued."""

    def must_be_known(self) -> None:
        """A SelfSubjectReview made with the token names the Pod's ServiceAccount; an unknown caller is refused one."""
        workshop = self.pods.workshop
        self._served()
        meta = {"name": "review", "namespace": workshop.namespace, "labels": workshop.labels}
        data = {"review.json": json.dumps(REVIEW)}
        workshop.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data})
        expected, checks = f"system:serviceaccount:{workshop.namespace}:default", self.pods.checks
        for ended in self.pods.run("account", self._manifest):
            said = said_to(ended.text)
            good = ended.good and f'"{expected}"' in said.get("known", "")
            seen = f"{said['known'].strip()[-300:]} ({ended.state})" if "known" in said else ended.seen
            checks.take(ended.check("API server by", "the mounted token", expected, good, seen))
            for caller, what in STRANGERS.items():
                self._judge_stranger(checks, ended, what, said.get(caller, ""), good)
        self.pods.must_hold(
            checks, "HostProcess Pods are not known to the API server by their ServiceAccount", code="account",
            hint="the token's volume in the Pod, and the way from the Node to the Service default/kubernetes",
        )  # fmt: skip

    def _judge_stranger(self, checks: Checks, ended: Ended, what: str, seen: str, twin: bool) -> None:
        """Refused, or at most known as nobody; without the twin's answer a refusal shows nothing."""
        if not twin:
            why = "not asked for: the mounted token is not accepted either"
            checks.not_tested("API server by", ended.node.place, what, why)
        elif answered := CODE.search(seen):
            checks.take(ended.check("API server by", what, "401 or 403", answered[1] in REFUSED, seen[:300]))
        elif "userInfo" in seen:
            checks.take(ended.check("API server by", what, "401 or 403", _nobody(what, seen), seen[:300]))
        else:
            self.pods.unknown.append(Finding(
                "What the API server answers an unknown caller cannot be told", f"Node {ended.node.name}",
                f"its answer to {what}", seen[:300] or ended.seen, nodes=(ended.node.name,), code="stranger",
            ))  # fmt: skip

    def _served(self) -> None:
        try:
            self.pods.workshop.cluster.raw("/apis/authentication.k8s.io/v1")
            self.pods.workshop.cluster.post("SelfSubjectReview", REVIEW, repeatable=True)
        except ApiError as error:
            if getattr(error, "status", 0) == 404:
                why = "requires SelfSubjectReview, which Kubernetes serves from 1.28 on"
                raise NotTested(why, reason=SkipReason.VERSION) from error
            raise

    def _manifest(self, node: NodeFact) -> Manifest:
        known = f"for /f %t in ({ACCOUNT}\\token) do @{_curl('--oauth2-bearer %t')}"
        strangers = [f"echo {MARK}wrong", _curl(f"--oauth2-bearer {self.wrong}"), f"echo {MARK}none", _curl("")]
        line = " & ".join([*strangers, f"echo {MARK}known", known])
        made = self.pods.pod("account", node, ["cmd.exe", "/c", line])
        made["spec"]["automountServiceAccountToken"] = True
        made["spec"]["volumes"] = [{"name": "review", "configMap": {"name": "review"}}]
        made["spec"]["containers"][0]["volumeMounts"] = [{"name": "review", "mountPath": "/etc/review"}]
        return made


def said_to(text: str) -> dict[str, str]:
    """What was answered to each caller (known, wrong, none), by the marks between the answers."""
    _, *pairs = re.split(rf"{MARK}(\w+)", text)
    return dict(zip(pairs[::2], pairs[1::2], strict=True))


def _nobody(what: str, seen: str) -> bool:
    """Clusters that were made before 1.14 let everybody ask who he is: without a token he is system:anonymous."""
    return what == STRANGERS["none"] and '"system:anonymous"' in seen


def _curl(bearer: str) -> str:
    return (
        f"curl.exe -sS --max-time {DIAL_SECONDS} --ssl-no-revoke --cacert {ACCOUNT}\\ca.crt {bearer} "
        f"-H Content-Type:application/json --data-binary @{IMAGE}\\etc\\review\\review.json "
        "https://%KUBERNETES_SERVICE_HOST%:%KUBERNETES_SERVICE_PORT%"
        "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    )


@dataclass
class Binding:
    """HostProcess Pods on each Node that listen on ports of the Node's own address: one to be judged, one as a twin."""

    pods: HostProcess
    asker: Asker
    windows: Sequence[Client]
    linux: Sequence[Client]
    port: int = field(default_factory=lambda: FIRST_PORT + 2 * secrets.randbelow(PORTS // 2))
    names: dict[str, str] = field(default_factory=dict)
    """What the Windows of each Node calls itself, as a HostProcess Pod there printed it."""

    @property
    def twin(self) -> int:
        """A port that stays open to the end: what cannot be opened or reached now is not the machine's trouble."""
        return self.port + 1

    def start(self) -> None:
        """Listeners, running; that one does not start is the ability's own answer, as far as it is the Node's doing."""
        self.pods.start()
        manifests = [
            self._manifest(name, node, port)
            for name, port in (("listens", self.port), ("stays", self.twin)) for node in self.pods.nodes
        ]  # fmt: skip
        self.pods.create(manifests)
        names = [one["metadata"]["name"] for one in manifests]
        try:
            self.listeners = self.pods.workshop.pods_up(names, until_ready=False)[: len(self.pods.nodes)]
        except CouldNotTell as error:
            raise as_judged(error) from error

    def must_answer(self) -> None:
        """Itself and a Pod of its Node, by the name of its Windows; from elsewhere too, unless a firewall drops it."""
        checks = self.pods.checks
        for ended in self.pods.cmd("control", self._control):
            checks.take(named(ended, "host name of", ended.node.internal_ips))
            self.names[ended.node.name] = name = told_name(ended)
            said = ended.text.partition(PORT_MARK)[2].strip()
            good = ended.good and bool(name) and said.lower() == name
            checks.take(ended.check("host port from the Node itself", self._target(ended.node),
                                    f"the host name {name}", good, f"{said[-300:]} ({ended.state})"))  # fmt: skip
        for client in [*self.windows, *self.linux]:
            for node, answer in self._asked(client, self.port):
                name = self.names.get(node.name, "")
                if why := self._not_judged(client, node, answer, name):
                    checks.not_tested("host port from", client.place, self._target(node), why)
                    continue
                seen = answer.text.strip() if answer.good else f"exit code {answer.code} {answer.text.strip()}"
                checks.take(Check(
                    f"host port from {client.place}", node.place, self._target(node), f"the host name {name}", seen,
                    answer.text.strip().lower() == name,
                ))  # fmt: skip
        self.pods.must_hold(
            checks, "A port that a HostProcess Pod opens on its Node does not answer", code="bind",
            hint="kubectl logs of the listener; netstat -ano on the Node",
        )  # fmt: skip

    def _not_judged(self, client: Client, node: NodeFact, answer: Answer, name: str) -> str:
        """Why an answer shows nothing; empty where it does."""
        if not name:
            return f"what the Windows of Node {node.name} calls itself is not known"
        if answer.code == TIMED_OUT and client.place.node != node.name:
            return f"no answer in time; a firewall of Node {node.name} may forbid TCP {self.port}"
        return ""

    def second_must_be_refused(self) -> None:
        """It is the Node's own port: another listener on it fails, and in its own words at the binding."""
        checks, strange = self.pods.checks, []
        for ended in self.pods.run("second", lambda node: self._manifest("second", node, self.port)):
            if ended.state.startswith("did not start") or (ended.code and BIND not in ended.text):
                strange.append(_strange(ended))
                continue
            checks.take(ended.check("second listener on", f"TCP {self.port}", "refused, the port is taken",
                                    ended.code not in (None, 0)))  # fmt: skip
        self.pods.must_hold(
            checks, "Two HostProcess Pods listen on the same port of a Node", code="bind",
            hint="netstat -ano on the Node; do they have the Node's own network?",
        )  # fmt: skip
        if strange:
            raise CouldNotTell(*strange)
        self._twins_must_answer()

    def must_close(self) -> None:
        """When the Pods are gone, nobody takes connections any more, and the twin beside still answers."""
        self.pods.workshop.pods_away(self.listeners)
        checks = self.pods.checks
        for client, node in self._at_home():
            twin = _authority(node.internal_ips[0], self.twin)
            line = f"{_connect(twin)} || exit {NO_TWIN}; {_connect(self._target(node))}; [ $? != 0 ]"
            ask = Ask("closed", line, times=10, pause=2.0, until_good=True, longest=7)
            answer = self.asker.ask(client, [ask])["closed"][-1]
            if answer.code == NO_TWIN:
                raise CouldNotTell(Finding(
                    "A port that is to stay open takes no connections", f"Node {node.name}", f"a connection to {twin}",
                    answer.text, "while none is taken, a refusal shows nothing", (node.name,), code="twin",
                ))  # fmt: skip
            checks.take(Check("host port after deletion", node.place, self._target(node), "closed within 60 s",
                              "closed" if answer.good else "it still takes connections", answer.good))  # fmt: skip
        checks.must_hold(
            "A port that a HostProcess Pod opened stays open after its deletion", code="bind",
            hint="netstat -ano and tasklist on the Node: a process lives on, or has inherited the port's handle",
        )  # fmt: skip
        self._twins_must_answer()

    def _twins_must_answer(self) -> None:
        """Raises CouldNotTell where a port that nobody touched does not answer a Pod of the same Node."""
        silent = [
            Finding("A port that is to stay open does not answer", f"Node {node.name}", "the Node's host name",
                    f"{node.internal_ips[0]}:{self.twin}: exit code {answer.code} {answer.text.strip()}",
                    nodes=(node.name,), code="twin")
            for client, home in self._at_home() for node, answer in self._asked(client, self.twin, [home])
            if answer.text.strip().lower() != self.names.get(node.name)
        ]  # fmt: skip
        if silent:
            raise CouldNotTell(*silent)

    def _at_home(self) -> list[tuple[Client, NodeFact]]:
        """Each Windows client with its own Node."""
        nodes = {node.name: node for node in self.pods.nodes}
        return [(client, nodes[client.place.node]) for client in self.windows if client.place.node in nodes]

    def _control(self, node: NodeFact) -> str:
        return f"{IDENTITY} & echo {PORT_MARK}& curl.exe {PATIENT} {self._url(node, self.port)}"

    def _target(self, node: NodeFact) -> str:
        return _authority(node.internal_ips[0], self.port)

    @staticmethod
    def _url(node: NodeFact, port: int) -> str:
        return f"http://{_authority(node.internal_ips[0], port)}/hostname"

    def _asked(
        self, client: Client, port: int, nodes: Sequence[NodeFact] | None = None
    ) -> list[tuple[NodeFact, Answer]]:
        """Each Node's answer at last."""
        found = []
        for node in self.pods.nodes if nodes is None else nodes:
            command = f"{client.curl} -g -q -s --connect-timeout 5 --max-time 8 {self._url(node, port)}"
            ask = Ask("port", command, times=5, pause=2.0, until_good=True, longest=9)
            found.append((node, self.asker.ask(client, [ask])["port"][-1]))
        return found

    def _manifest(self, name: str, node: NodeFact, port: int) -> Manifest:
        program = rf"{IMAGE}\opr-agnhost.exe"
        line = f"copy {IMAGE}\\agnhost {program} && {program} netexec --http-port={port} --udp-port=-1"
        return self.pods.pod(name, node, ["cmd.exe", "/c", line])


def _authority(ip: str, port: int) -> str:
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


def _connect(target: str) -> str:
    return f"/agnhost connect {target} --timeout=3s --protocol=tcp"


def _strange(ended: Ended) -> Finding:
    return Finding(
        "A second listener ended without coming to the port", f"Node {ended.node.name}", f"its word about {BIND!r}",
        ended.seen, "kubectl logs of the Pod", (ended.node.name,), code="twin",
    )  # fmt: skip
