"""Windows Nodes themselves as clients: echo requests to every other Node, and node ports of Services.

What runs on a host is a HostProcess Pod with a `cmd` line. `ping` is told by `TTL=`, which no language of Windows
translates; agnhost by its exit code. A Pod may die midway, or its log end early: what is not there was not asked, and
speaks neither for a Node nor against one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from op_readiness.model.errors import AbilityNotMet, NotTested, SkipReason
from op_readiness.model.facts import Facts, NodeFact
from op_readiness.model.findings import Finding, Outcome, Part
from op_readiness.observe.blame import Sighting, accused
from op_readiness.observe.judging import Judgement, Try, judge
from op_readiness.observe.recorder import Recorder
from op_readiness.observe.targets import Exposed
from op_readiness.suite.making import Workshop
from op_readiness.suite.subjects.worker.hosts import Hosts
from op_readiness.workloads.host_process import IMAGE_ROOT

MARK = "@@"
AGNHOST = rf"%{IMAGE_ROOT}%\agnhost.exe"
COPIED = rf"copy /y %{IMAGE_ROOT}%\agnhost {AGNHOST} >nul"
"""Windows runs no file without an extension."""
KUBELET_PORT = 10250
ECHOES, ECHOES_LEAST, MOST_LINUX = 4, 3, 10
TRIES, WARM_UP = 10, 10
WAYS_AT_ONCE = 8
"""With every try lost so many ways take less than ten minutes, which is what their Pod is given."""
LINES = 12


def _ipv4(node: NodeFact) -> str:
    return next((ip for ip in node.internal_ips if ":" not in ip), "")


def _cut_short(node: NodeFact, what: str, cut: Sequence[str]) -> Finding:
    return Finding(
        f"The output of {what} ends before they do", f"HostProcess Pod on Node {node.name}", "all of it",
        f"nothing, or too little, of {', '.join(cut[:LINES])}",
        f"logs of the kubelet and of containerd on {node.name}: why the Pod or its log ended early",
        (node.name,), code="tool",
    )  # fmt: skip


def _pieces(text: str) -> dict[str, str]:
    """What was printed after each line `@@ KEY`."""
    found: dict[str, str] = {}
    for piece in text.split(f"{MARK} ")[1:]:
        head, _, body = piece.partition("\n")
        found[head.strip()] = body
    return found


@dataclass(frozen=True)
class Echoed:
    """What one Node saw of another."""

    source: NodeFact
    target: NodeFact
    received: int
    tcp: bool

    @property
    def good(self) -> bool:
        """Whether enough echo requests came back."""
        return self.received >= ECHOES_LEAST

    def __str__(self) -> str:
        tcp = "answers" if self.tcp else "does not answer either"
        return (
            f"{self.source.name} -> {self.target.name} {_ipv4(self.target)}: {self.received} of {ECHOES} echo requests "
            f"came back; TCP {KUBELET_PORT} {tcp}"
        )


@dataclass
class NodePings:
    """Each selected Windows Node to every other one, and to Linux Nodes."""

    hosts: Hosts
    facts: Facts
    recorder: Recorder

    def must_come_back(self) -> None:
        """Three of four echo requests to each InternalIP come back; TCP to the kubelet's port is the control."""
        others = [self._now(node) for node in self._others()]
        texts = self.hosts.run("node-ping", lambda node: self._command(node, others))
        seen = [one for node in self.hosts.nodes if node.name in texts for one in self._seen(node, others, texts)]
        for one in seen:
            outcome = Outcome.PASSED if one.good else Outcome.FAILED
            reason = "" if one.good else str(one)
            target = f"Node {one.target.name} {_ipv4(one.target)}"
            self.recorder.part(
                Part("ping", one.source.place, target, outcome, one.target.name, protocol="ICMP", reason=reason,
                     tries=ECHOES, lost=ECHOES - one.received)
            )  # fmt: skip
        if bad := [one for one in seen if not one.good]:
            raise AbilityNotMet(self._finding(bad, seen))
        self.hosts.nothing_may_be_unknown()

    def _seen(self, node: NodeFact, others: Sequence[NodeFact], texts: Mapping[str, str]) -> list[Echoed]:
        """What a Node saw of the others; of those whose control, which comes last, is not there nothing is known."""
        pieces = _pieces(texts[node.name])
        asked = [other for other in others if other.name != node.name]
        whole = [other for other in asked if re.search("tcp-(open|closed)", pieces.get(other.name, ""))]
        if cut := [other.name for other in asked if other not in whole]:
            self.hosts.unknown.append(_cut_short(node, "echo requests", cut))
        return [_echoed(node, other, pieces[other.name]) for other in whole]

    def _now(self, node: NodeFact) -> NodeFact:
        """The Node with the addresses that it reports now."""
        status = self.hosts.workshop.cluster.get("Node", node.name)["status"]
        told = tuple(one["address"] for one in status.get("addresses") or () if one["type"] == "InternalIP")
        return replace(node, internal_ips=told or node.internal_ips)

    def _others(self) -> list[NodeFact]:
        linux = [node for node in self.facts.nodes if node.os == "linux" and node.ready]
        if len(linux) > MOST_LINUX:
            self.recorder.note(f"{MOST_LINUX} of {len(linux)} Linux Nodes are pinged")
        others = [node for node in (*self.hosts.nodes, *linux[:MOST_LINUX]) if _ipv4(node)]
        if len(others) < 2:
            raise NotTested("there is no other Node with an IPv4 address to ping", reason=SkipReason.TOO_FEW_NODES)
        return others

    @staticmethod
    def _command(node: NodeFact, others: Sequence[NodeFact]) -> str:
        lines = [COPIED]
        for other in others:
            if other.name != node.name:
                ip = _ipv4(other)
                lines += [f"echo {MARK} {other.name}", f"ping -n {ECHOES} -w 2000 {ip}"]
                connect = f"{AGNHOST} connect {ip}:{KUBELET_PORT} --timeout=3s"
                lines.append(f"({connect} && echo tcp-open || echo tcp-closed)")
        return " & ".join(lines)

    def _finding(self, bad: Sequence[Echoed], seen: Sequence[Echoed]) -> Finding:
        windows = frozenset(node.name for node in self.hosts.nodes)
        nodes = accused([Sighting(one.good, one.source.name, one.target.name) for one in seen], windows)
        if all(one.tcp for one in bad):
            hint = (
                "TCP works, so echo requests are filtered: the firewall rule 'File and Printer Sharing (Echo Request - "
                f"ICMPv4-In)' on {', '.join(nodes)}, or the cloud's security group"
            )
        else:
            hint = f"nothing reaches them: firewall and routes of {', '.join(nodes)}"
        return Finding(
            "Nodes do not answer each other's echo requests", f"Nodes {', '.join(nodes)}",
            f"{ECHOES_LEAST} of {ECHOES} echo requests come back between all Nodes",
            "\n".join(str(one) for one in bad[:LINES]), hint, nodes,
            code="icmp-filtered" if all(one.tcp for one in bad) else "unreachable",
        )  # fmt: skip


def _echoed(source: NodeFact, target: NodeFact, text: str) -> Echoed:
    received = min(ECHOES, len(re.findall(r"TTL=", text, flags=re.IGNORECASE)))
    return Echoed(source, target, received, "tcp-open" in text)


@dataclass(frozen=True)
class Way:
    """From a Node to a node port of another (or its own), over TCP or UDP."""

    source: NodeFact
    target: NodeFact
    exposed: Exposed
    protocol: str

    @property
    def key(self) -> str:
        """Its name in the output."""
        return f"{self.exposed.service['metadata']['name']}-{self.target.name}-{self.protocol.lower()}"

    @property
    def port(self) -> int:
        """The node port."""
        name = "udp" if self.protocol == "UDP" else "http"
        return int(next(port["nodePort"] for port in self.exposed.service["spec"]["ports"] if port["name"] == name))

    @property
    def own(self) -> bool:
        """Whether the Node asks itself."""
        return self.source.name == self.target.name

    def command(self) -> str:
        """A warm-up until the first answer, then ten tries a second apart, a word or a name for each."""
        to = f"{_ipv4(self.target)}:{self.port}"
        if self.protocol == "UDP":
            one = f"{AGNHOST} connect {to} --protocol=udp --timeout=3s 2>nul && echo answered || echo lost"
        else:
            curl = "curl.exe -s --fail --connect-timeout 2 --max-time 4"
            one = f"{curl} http://{to}/hostname && echo. || echo lost"
        loop = f"(for /L %i in (1,1,{self.tries}) do @(({one}) & ping -n 2 127.0.0.1 >nul))"
        if self.own or self.protocol == "UDP":
            return f"echo {MARK} {self.key} & {loop}"
        warm = f"{curl} --retry {WARM_UP} --retry-delay 2 --retry-connrefused http://{to}/hostname >nul 2>nul"
        return f"{warm} & echo {MARK} {self.key} & {loop}"

    @property
    def tries(self) -> int:
        """How many words it prints."""
        return 1 if self.own else TRIES

    def judged(self, text: str) -> Judgement:
        """What the tries show: TCP by the names of the backends, UDP by answers alone."""
        names, words = self.exposed.names, _words(text)
        if self.protocol == "UDP":
            tries = [Try(word == "answered", "answered" if word == "answered" else "", "no answer") for word in words]
            return judge(frozenset({"answered"}), tries, [], tries)
        tries = [Try(word in names, word if word != "lost" else "", "no answer") for word in words]
        seen = frozenset(one.name for one in tries if one.name)
        return judge(seen & names or names, tries, [], tries)

    def homes(self, text: str, good: bool) -> frozenset[str]:
        """The Nodes of the backends that this way speaks for, or against: of those that never answered, if some did."""
        homes = {pod["metadata"]["name"]: str(pod["spec"].get("nodeName", "")) for pod in self.exposed.pods}
        answered = {word.strip() for word in text.splitlines()} & set(homes)
        return frozenset(home for name, home in homes.items() if good or not answered or name not in answered)

    def __str__(self) -> str:
        return f"{self.source.name} -> {self.target.name} {_ipv4(self.target)}:{self.port}/{self.protocol}"


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.splitlines() if word.strip()]


def _line_of(lines: Mapping[str, str], node: NodeFact) -> str:
    return lines[node.name]


def _line(ways: Sequence[Way]) -> str:
    return " & ".join([COPIED, *(way.command() for way in ways)])


@dataclass
class NodePorts:
    """Windows and Linux backends behind NodePort Services, asked by the Nodes themselves."""

    hosts: Hosts
    facts: Facts
    recorder: Recorder
    exposed: list[Exposed] = field(default_factory=list)

    @property
    def workshop(self) -> Workshop:
        """Where the Services are made."""
        return self.hosts.workshop

    def start(self) -> None:
        """Two Windows Pods, and two of Linux where there is a Linux Node, behind a NodePort Service each; Ready."""
        self.exposed = [self.workshop.echo("windows", self.hosts.nodes, count=2, app="srv-w", kind="NodePort")]
        if linux := self.facts.usable_nodes("linux")[:2]:
            self.exposed.append(self.workshop.echo("linux", linux, count=2, app="srv-l", kind="NodePort"))

    def must_answer(self) -> None:
        """From each Windows Node every other Node's port answers over TCP and UDP; its own is recorded alone."""
        ways = self._ways()
        said = self._said(ways)
        bad: list[tuple[Way, Judgement]] = []
        seen: list[Sighting] = []
        for way in self._whole(ways, said):
            text = said[way.source.name, way.key]
            judgement = way.judged(text)
            if way.own:
                self._record(way, judgement)
                continue
            good = judgement.good or judgement.undecided
            self._part(way, judgement, good)
            seen.append(Sighting(good, way.source.name, way.target.name, way.homes(text, good)))
            bad += [] if good else [(way, judgement)]
        if bad:
            raise AbilityNotMet(self._finding(bad, seen))
        self.hosts.nothing_may_be_unknown()

    def _whole(self, ways: Sequence[Way], said: Mapping[tuple[str, str], str]) -> list[Way]:
        """The ways with a word for each try; where any other lacks one, its Node is unknown from here on."""
        whole: list[Way] = []
        cut: dict[str, list[str]] = {}
        for way in ways:
            if len(_words(said.get((way.source.name, way.key), ""))) >= way.tries:
                whole.append(way)
            elif not way.own:
                cut.setdefault(way.source.name, []).append(str(way))
        unknown = {name for finding in self.hosts.unknown for name in finding.nodes}
        self.hosts.unknown += [
            _cut_short(node, "tries of node ports", cut[node.name])
            for node in self.hosts.nodes if node.name in cut and node.name not in unknown
        ]  # fmt: skip
        return whole

    def _ways(self) -> list[Way]:
        linux = [node for node in self.facts.usable_nodes("linux") if _ipv4(node)][:1]
        targets = [node for node in (*self.hosts.nodes, *linux) if _ipv4(node)]
        return [
            Way(source, target, exposed, protocol)
            for source in self.hosts.nodes for target in targets for exposed in self.exposed
            for protocol in ("TCP", "UDP")
        ]  # fmt: skip

    def _said(self, ways: Sequence[Way]) -> dict[tuple[str, str], str]:
        """What each Node's tries printed, by Node and way; a command line of Windows has room for so many ways."""
        by_node = {node.name: [way for way in ways if way.source.name == node.name] for node in self.hosts.nodes}
        said: dict[tuple[str, str], str] = {}
        for start in range(0, max(len(own) for own in by_node.values()), WAYS_AT_ONCE):
            part = {name: own[start : start + WAYS_AT_ONCE] for name, own in by_node.items()}
            lines = {name: _line(own) for name, own in part.items()}
            texts = self.hosts.run(f"node-port-{start}", partial(_line_of, lines), within="batch_started")
            said |= {(name, key): text for name, all_of_it in texts.items() for key, text in _pieces(all_of_it).items()}
        return said

    def _record(self, way: Way, judgement: Judgement) -> None:
        name = f"answers of 1 from the own node port {way.port}/{way.protocol} on {way.source.name}"
        self.recorder.figure(f"{name} (not supported on Windows)", judgement.tries - judgement.lost)

    def _part(self, way: Way, judgement: Judgement, good: bool) -> None:
        outcome = Outcome.PASSED if good else Outcome.FAILED
        target = f"Node {way.target.name} {_ipv4(way.target)}:{way.port}"
        self.recorder.part(
            Part("NodePort from the Node", way.source.place, target, outcome, way.target.name, protocol=way.protocol,
                 reason="" if good else str(judgement), tries=judgement.tries, lost=judgement.lost)
        )  # fmt: skip

    def _finding(self, bad: Sequence[tuple[Way, Judgement]], seen: Sequence[Sighting]) -> Finding:
        nodes = accused(seen, frozenset(node.name for node in self.hosts.nodes))
        protocols = sorted({way.protocol for way, _ in bad})
        return Finding(
            f"Nodes do not reach Services by the node ports of others over {' and '.join(protocols)}",
            f"Nodes {', '.join(nodes)}", f"an answer to each of {TRIES} tries over TCP and UDP",
            "\n".join(f"{way}: {judgement}" for way, judgement in bad[:LINES]),
            f"kube-proxy and firewall on {', '.join(nodes)}", nodes, code="node-port",
        )  # fmt: skip
