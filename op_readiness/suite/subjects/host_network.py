"""The Node's network in the hands of HostProcess containers: the API server, ports, and rules of HNS."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from op_readiness.cluster.errors import ApiError
from op_readiness.model.errors import CouldNotTell, NotTested, SkipReason
from op_readiness.model.facts import NodeFact
from op_readiness.model.findings import Outcome, Part
from op_readiness.observe.checks import Check
from op_readiness.observe.reach import Reach
from op_readiness.observe.shell import Ask, Asker, Client
from op_readiness.observe.starting import as_judged
from op_readiness.observe.targets import pod_target
from op_readiness.suite.subjects.host_basics import names_of
from op_readiness.suite.subjects.host_process import IMAGE, Ended, HostProcess
from op_readiness.workloads.pods import Manifest

Object = dict[str, Any]
REVIEW = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
ACCOUNT = rf"{IMAGE}\var\run\secrets\kubernetes.io\serviceaccount"
DIAL_SECONDS = 15
FIRST_PORT, PORTS = 20000, 10000


@dataclass
class ApiAccess:
    """A HostProcess Pod that asks the API server who it is, with its mounted token."""

    pods: HostProcess

    def must_be_known(self) -> None:
        """A SelfSubjectReview made with the token names the Pod's ServiceAccount; an unknown caller is refused one."""
        workshop = self.pods.workshop
        self._served()
        meta = {"name": "review", "namespace": workshop.namespace, "labels": workshop.labels}
        data = {"review.json": json.dumps(REVIEW)}
        workshop.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data})
        expected, checks = f"system:serviceaccount:{workshop.namespace}:default", self.pods.checks
        for ended in self.pods.run("account", self._manifest):
            good = ended.good and f'"{expected}"' in ended.text
            checks.take(ended.check("API server by", "the mounted token", expected, good))
        self.pods.must_hold(
            checks, "HostProcess Pods are not known to the API server by their ServiceAccount", code="account",
            hint="the token's volume in the Pod, and the way from the Node to the Service default/kubernetes",
        )  # fmt: skip

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
        curl = (
            f"curl.exe -sS --max-time {DIAL_SECONDS} --ssl-no-revoke --cacert {ACCOUNT}\\ca.crt --oauth2-bearer %t "
            f"-H Content-Type:application/json --data-binary @{IMAGE}\\etc\\review\\review.json "
            "https://%KUBERNETES_SERVICE_HOST%:%KUBERNETES_SERVICE_PORT%"
            "/apis/authentication.k8s.io/v1/selfsubjectreviews"
        )
        made = self.pods.pod("account", node, ["cmd.exe", "/c", f"for /f %t in ({ACCOUNT}\\token) do @{curl}"])
        made["spec"]["automountServiceAccountToken"] = True
        made["spec"]["volumes"] = [{"name": "review", "configMap": {"name": "review"}}]
        made["spec"]["containers"][0]["volumeMounts"] = [{"name": "review", "mountPath": "/etc/review"}]
        return made


@dataclass
class Binding:
    """A HostProcess Pod on each Node that listens on a port of the Node's own address."""

    pods: HostProcess
    asker: Asker
    windows: Sequence[Client]
    linux: Sequence[Client]
    port: int = field(default_factory=lambda: FIRST_PORT + secrets.randbelow(PORTS))

    def start(self) -> None:
        """Listeners, running; that one does not start is the ability's own answer, as far as it is the Node's doing."""
        self.pods.start()
        manifests = [self._manifest("listens", node) for node in self.pods.nodes]
        self.pods.create(manifests)
        names = [one["metadata"]["name"] for one in manifests]
        try:
            self.listeners = self.pods.workshop.pods_up(names, until_ready=False)
        except CouldNotTell as error:
            raise as_judged(error) from error

    def must_answer(self) -> None:
        """From a Pod of the same Node by the Node's name; from elsewhere too, unless a firewall drops it there."""
        checks = self.pods.checks
        for client in self._clients():
            for node, text, code in self._asked(client, until_good=True):
                same, silent = client.place.node == node.name, code == 28
                if silent and not same:
                    why = f"no answer in time; a firewall of Node {node.name} may forbid TCP {self.port}"
                    checks.not_tested("host port from", client.place, self._target(node), why)
                    continue
                names = names_of(node)
                seen = text.strip() if code == 0 else f"exit code {code} {text.strip()}"
                checks.take(Check(
                    f"host port from {client.place}", node.place, self._target(node),
                    f"the host name {' or '.join(sorted(names))}", seen, text.strip().lower() in names,
                ))  # fmt: skip
        checks.must_hold(
            "A port that a HostProcess Pod opens on its Node does not answer", code="bind",
            hint="kubectl logs of the listener; netstat -ano on the Node",
        )  # fmt: skip

    def second_must_be_refused(self) -> None:
        """It is the Node's own port: another listener on it fails."""
        checks = self.pods.checks
        for ended in self.pods.run("second", lambda node: self._manifest("second", node)):
            bound = ended.code not in (None, 0) or "did not start" in ended.state
            checks.take(ended.check("second listener on", f"TCP {self.port}", "refused, the port is taken", bound))
        self.pods.must_hold(
            checks, "Two HostProcess Pods listen on the same port of a Node", code="bind",
            hint="they do not have the Node's own network",
        )  # fmt: skip

    def must_close(self) -> None:
        """When the Pods are gone, nobody listens any more."""
        self.pods.workshop.pods_away(self.listeners)
        checks = self.pods.checks
        for client in self.windows:
            for node, text, code in self._asked(client, until_good=False):
                if client.place.node == node.name:
                    seen = text.strip() or f"exit code {code}"
                    checks.take(Check("host port after deletion", node.place, self._target(node),
                                      "no answer within 60 s", seen, code != 0))  # fmt: skip
        checks.must_hold(
            "A port that a HostProcess Pod opened stays open after its deletion", code="bind",
            hint="the process of the Pod lives on: tasklist on the Node",
        )  # fmt: skip

    def _target(self, node: NodeFact) -> str:
        return f"{node.internal_ips[0]}:{self.port}"

    def _clients(self) -> list[Client]:
        return [*self.windows, *self.linux]

    def _asked(self, client: Client, *, until_good: bool) -> list[tuple[NodeFact, str, int]]:
        """Each Node's answer at last; a Node's own Pods and, of the others, up to the next two."""
        found = []
        for node in self.pods.nodes:
            url = f"http://{node.internal_ips[0]}:{self.port}/hostname"
            command = f"{client.curl} -g -q -s --connect-timeout 5 --max-time 8 {url}"
            if not until_good:
                command = f"{command}; [ $? != 0 ]"
            ask = Ask("port", command, times=5, pause=2.0, until_good=True, longest=9)
            answer = self.asker.ask(client, [ask])["port"][-1]
            code = answer.code if until_good else (1 if answer.good else 0)
            found.append((node, answer.text, code))
        return found

    def _manifest(self, name: str, node: NodeFact) -> Manifest:
        program = rf"{IMAGE}\opr-agnhost.exe"
        line = f"copy {IMAGE}\\agnhost {program} && {program} netexec --http-port={self.port} --udp-port=-1"
        return self.pods.pod(name, node, ["cmd.exe", "/c", line])


@dataclass
class HnsRules:
    """A load balancer of HNS, made, read back and removed by a HostProcess Pod; it leads to a Pod of ours."""

    pods: HostProcess
    reach: Reach
    clients: Sequence[Client]
    vip: str = field(default_factory=lambda: f"192.0.2.{1 + secrets.randbelow(254)}")
    port: int = field(default_factory=lambda: FIRST_PORT + secrets.randbelow(PORTS))
    ends: dict[str, str] = field(default_factory=dict)

    def start(self) -> None:
        """A Pod on each Node, whose endpoint is referred to."""
        self.pods.start()
        workshop = self.pods.workshop
        made = workshop.pods([workshop.echo_pod(f"end-{n}", "windows", node) for n, node in enumerate(self.pods.nodes)])
        self.ends = {pod["spec"]["nodeName"]: pod["status"]["podIP"] for pod in made}
        self.targets = [pod_target(pod) for pod in made]

    def must_be_managed(self) -> None:
        """Made, read back, removed; the ids of others are the same before and after, and traffic goes on meanwhile."""
        checks = self.pods.checks
        before = self._said("list", checks)
        for node in self.pods.nodes:
            self.pods.workshop.promise("HNS policy", {"node": node.name, "vip": self.vip, "port": self.port})
        created = self._said("create", checks)
        read = self._said("list", checks, "read")
        self.reach.pairs([(client, target) for client in self.clients for target in self.targets])
        removed = self._said("remove", checks)
        after = self._said("list", checks, "after")
        for node in [one for one in self.pods.nodes if one.name in created]:
            ended, said = created[node.name]
            new = str(said["created"])
            checks.take(ended.check("create", f"{self.vip}:{self.port}", "an id", bool(new), _error(said)))
            for turn, found, wanted in (("read back", read, [new]), ("after removal", after, [])):
                if new and node.name in found:
                    ended, said = found[node.name]
                    ours = [str(one) for one in said["ours"]]
                    checks.take(ended.check(turn, f"{self.vip}:{self.port}", str(wanted), ours == wanted,
                                            _error(said) if said["error"] else str(ours)))  # fmt: skip
            if new and node.name in removed:
                ended, said = removed[node.name]
                good = not said["error"]
                checks.take(ended.check("remove", f"{self.vip}:{self.port}", "no error", good, _error(said)))
            if node.name in before and node.name in after:
                lost = set(before[node.name][1]["ids"]) - set(after[node.name][1]["ids"])
                if lost:
                    self.pods.workshop.recorder.note(f"Node {node.name}: {len(lost)} other policies went meanwhile")
        self.pods.must_hold(
            checks, "HostProcess Pods cannot manage rules of HNS", code="hns",
            hint="the service hns of the Node, and what HNS answered",
        )  # fmt: skip

    def _said(self, act: str, checks: Any, name: str = "") -> dict[str, tuple[Ended, Object]]:
        """What the script said on each Node; one that did not run does not hold."""
        found = {}
        for ended in self.pods.script(f"hns-{name or act}", "hns-policy", lambda node: {
            "OPR_ACT": act, "OPR_VIP": self.vip, "OPR_PORT": self.port, "OPR_ENDPOINT": self.ends[node.name],
        }):  # fmt: skip
            said = ended.said
            if said and said["missing"]:
                where = ended.node.place
                part = Part("HNS", where, act, Outcome.SKIPPED, ended.node.name, reason=str(said["missing"]))
                self.pods.workshop.recorder.part(part)
            elif said:
                found[ended.node.name] = (ended, said)
            else:
                checks.take(ended.check(f"HNS, {act} by", "a HostProcess Pod", "an answer of HNS", False))
        return found


def _error(said: Object) -> str:
    return str(said["error"]) or "nothing"


