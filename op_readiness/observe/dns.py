"""Names as a Pod's resolver answers them, judged by the addresses in the answer and never by an exit code.

nslookup ends with 0 for a name that does not exist (kubernetes/kubernetes#90719), and a resolver that answers only some
of the time passes any single look-up. So a name is a target like any other: asked until it answers, then held.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from op_readiness.observe.shell import Answer, Ask, Asker, Client, holding
from op_readiness.observe.traffic import FIRST_TRIES, Target

DNS_PORT = 53
DIG_SECONDS = 2
HOLD_LOOKUPS = 20
"""Enough that one DNS Pod of two that never answers is met: a chance of 1 in a million to miss it."""
DNS_PODS, NO_DNS_PODS = "k8s-app=kube-dns", "no DNS Pod is Ready"
NODE_LOCAL_DNS = "169.254.20.10"
"""The address of NodeLocal DNSCache (kubernetes.io, administer-cluster/nodelocaldns)."""


@dataclass(frozen=True)
class Lookup(Target):
    """A name asked by dig through the Pod's own resolver settings, or of `host` when that is set."""

    name: str = ""
    kind: str = "A"
    answers: frozenset[str] = field(default_factory=frozenset)
    tcp: bool = False
    search: bool = False
    hold_tries: int = HOLD_LOOKUPS
    dns_pods: Mapping[str, str] | None = None
    """The Ready DNS Pods: name -> IP; None where the name is not theirs to answer."""

    @property
    def longest(self) -> float:
        """Seconds that one try takes at most."""
        return float(DIG_SECONDS + 1)

    @property
    def expected(self) -> frozenset[str]:
        """All answers of one response, joined: a response with one address too few is another response."""
        return frozenset({joined(self.answers)})

    @property
    def names_pods(self) -> bool:
        """An address is no witness."""
        return False

    @property
    def expectation(self) -> str:
        """What a finding says was expected."""
        return f"{self.kind} {joined(self.answers)} for {self.name}, {self.hold_tries} times out of {self.hold_tries}"

    def __str__(self) -> str:
        return f"{self.shown} {self.kind}" + (" over TCP" if self.tcp else "")

    @property
    def shown(self) -> str:
        """The name, and the server where it is not the Pod's own."""
        return self.name + (f" of {self.host}" if self.host else "")

    def hint(self, nodes: str, control: str) -> str:
        """The next step for an operator."""
        if control == NO_DNS_PODS:
            return f"{control}: kubectl -n kube-system get pods -l {DNS_PODS}"
        if control and not control.startswith("0"):
            return f"{control}: look at the DNS Service's HNS load balancer on {nodes}"
        return f"look at the DNS Pods, at their log, and at the way to them from {nodes}"

    def command(self, client: Client) -> str:
        """dig, good only with something in the answer section: it ends well without, too."""
        server = f"@{self.host} " if self.host else ""
        options = f"+{'' if self.tcp else 'no'}tcp +noall +answer +time={DIG_SECONDS} +tries=1" + (
            " +search" if self.search else ""
        )
        return holding(f"dig {server}{options} {self.name} {self.kind}", 'echo "$o" | grep IN > /dev/null')

    def read(self, answer: Answer) -> str:
        """The answers of the kind asked for, joined; empty when there is none."""
        return joined(records(answer.text, self.kind)) if answer.good else ""

    def asks(self, client: Client) -> list[Ask]:
        """First answer, then the hold; no pause, for it is the resolver that is judged and not time."""
        line = self.command(client)
        return [
            Ask("first", line, times=FIRST_TRIES, pause=1, until_good=True, longest=self.longest),
            Ask("hold", line, times=self.hold_tries, then_only_if_good="first", longest=self.longest),
        ]

    def control(self, asker: Asker, client: Client) -> tuple[str, frozenset[str]]:
        """What each DNS Pod says when it is asked directly, in a few words for the finding."""
        if not self.dns_pods:
            return ("" if self.dns_pods is None else NO_DNS_PODS), frozenset()
        options = f"+noall +answer +time={DIG_SECONDS} +tries=1"
        asks = [
            Ask(pod, f"dig @{ip} {options} {self.name} {self.kind}", longest=self.longest)
            for pod, ip in self.dns_pods.items()
        ]
        answers = asker.ask(client, asks)
        answering = sum(
            joined(records(answers[pod][0].text, self.kind)) in self.expected for pod in self.dns_pods if answers[pod]
        )
        return f"{answering} of {len(self.dns_pods)} DNS Pods answer when asked directly", frozenset()


def lookup(
    name: str, answers: frozenset[str], *, kind: str = "A", tcp: bool = False, search: bool = False, server: str = "",
    hold_tries: int = HOLD_LOOKUPS, dns_pods: Mapping[str, str] | None = None,
) -> Lookup:  # fmt: skip
    """A look-up of `name` that must give exactly `answers`."""
    path = f"DNS {kind}" + (" over TCP" if tcp else "") + (" by search list" if search else "")
    return Lookup(
        path=path, what=f"Name {name}", host=server, port=DNS_PORT, backends={},
        protocol="TCP" if tcp else "UDP", name=name, kind=kind, answers=answers, tcp=tcp, search=search,
        hold_tries=hold_tries,
        dns_pods=dns_pods,
    )  # fmt: skip


def joined(answers: frozenset[str]) -> str:
    """Answers as one text, in a stable order."""
    return ", ".join(sorted(answers))


def records(text: str, kind: str) -> frozenset[str]:
    """Data of the records of `kind` in dig's answer section, without trailing dots; of SRV records `port target`.

    Priority and weight are the server's own affair: the specification of DNS in Kubernetes does not prescribe them
    (kubernetes/dns, docs/specification.md, 2.4.2). CoreDNS says 0 and a share of 100, its example 10 and 100.
    """
    found = re.findall(rf"^\S+\s+\d+\s+IN\s+{kind}\s+(.+)$", text, flags=re.MULTILINE)
    first = 2 if kind == "SRV" else 0
    return frozenset(" ".join(data.split()[first:]).rstrip(".") for data in found)


def nslookup_addresses(text: str) -> frozenset[str]:
    """Addresses that nslookup printed for the name asked (not the server's own), in its BIND or its Windows form."""
    _, found, after = text.partition("Name:")
    return (
        frozenset(re.findall(r"(?:Address(?:es)?:\s*|^\s+)([0-9a-fA-F.:]+)\s*$", after, flags=re.MULTILINE))
        if found
        else frozenset()
    )


def settings(asker: Asker, client: Client) -> tuple[list[str], list[str]]:
    """(servers, search list) of a Pod's resolver, as agnhost reads them from the operating system."""
    answers = asker.ask(client, [Ask("servers", "/agnhost dns-server-list"), Ask("search", "/agnhost dns-suffix")])
    servers, search = (re.split(r"[,\s]+", answers[key][0].text) for key in ("servers", "search"))
    return [one for one in servers if one], [one for one in search if one]


def absent(asker: Asker, client: Client, name: str) -> str:
    """What dig said of a name that must not exist: empty when, as it should, there is no answer."""
    command = f"dig +noall +answer +time={DIG_SECONDS} +tries=1 {name} A"
    answer = asker.ask(client, [Ask("absent", command, longest=DIG_SECONDS + 1)])["absent"][0]
    return joined(records(answer.text, "A"))
