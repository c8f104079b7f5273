"""What readiness tests ask of names: the cluster's DNS, names outside, names injected by a Pod's spec."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from op_readiness.cluster.api import Cluster
from op_readiness.model.errors import AbilityNotMet, NotTested, SkipReason
from op_readiness.model.facts import Facts
from op_readiness.model.findings import Finding, Outcome, Part
from op_readiness.observe.dns import DNS_PODS, NODE_LOCAL_DNS, absent, lookup, nslookup_addresses, settings
from op_readiness.observe.first_names import FirstNames
from op_readiness.observe.pods import ready
from op_readiness.observe.reach import Reach, together
from op_readiness.observe.recorder import Recorder
from op_readiness.observe.shell import Answer, Ask, Asker, Client
from op_readiness.observe.targets import Exposed

Object = dict[str, Any]
OUTSIDE = "example.com"
"""A name outside the cluster that is kept for such use (RFC 2606), with a web server."""
HTTPS_SECONDS = 10


@dataclass
class ClusterNames:
    """Looks up names of the cluster from each client."""

    cluster: Cluster
    facts: Facts
    asker: Asker
    reach: Reach
    recorder: Recorder
    standing_namespace: str
    clients: Sequence[Client]

    @property
    def api_name(self) -> str:
        """The full name of the API server's own Service."""
        return f"kubernetes.default.svc.{self.facts.dns_domain}"

    def dns_pods(self) -> dict[str, str]:
        """Ready DNS Pods: name -> IP."""
        found = self.cluster.list("Pod", "kube-system", labels=DNS_PODS)
        return {pod["metadata"]["name"]: pod["status"]["podIP"] for pod in found if ready(pod)}

    def must_resolve(self, canary: Exposed) -> None:
        """The API's Service and the canary, by full name over UDP and TCP, the canary by its short name too."""
        api = self.cluster.get("Service", "kubernetes", "default")["spec"]["clusterIP"]
        pods, name, ip = self.dns_pods(), canary.service["metadata"]["name"], canary.cluster_ip
        self.reach.every(
            self.clients,
            [
                lookup(self.api_name, frozenset({api}), dns_pods=pods),
                lookup(self.api_name, frozenset({api}), tcp=True, dns_pods=pods, hold_tries=5),
                lookup(canary.dns_name, frozenset({ip}), dns_pods=pods),
                lookup(name, frozenset({ip}), search=True, dns_pods=pods, hold_tries=5),
            ],
            within="dns_answers",
        )
        self._nslookup_must_agree(api)

    def _nslookup_must_agree(self, address: str) -> None:
        ask = Ask("nslookup", f"nslookup {self.api_name}", longest=15)
        answers = together(self.reach.threads, lambda c: self.asker.ask(c, [ask])["nslookup"][0], self.clients)
        for client, answer in zip(self.clients, answers, strict=True):
            if address not in nslookup_addresses(answer.text):
                raise AbilityNotMet(
                    Finding(
                        "nslookup does not find what dig finds", str(client.place), f"{address} for {self.api_name}",
                        answer.text[-300:] or f"exit code {answer.code}", nodes=(client.place.node,),
                    )
                )  # fmt: skip

    def ask_new_pods(self, pods: Sequence[Object]) -> FirstNames:
        """Pods that have just started look up the API's Service themselves; judged later, by `FirstNames.must_hold`.

        To be called before anything else is asked, for each second until then is one that nobody looks at.
        """
        api = self.cluster.get("Service", "kubernetes", "default")["spec"]["clusterIP"]
        target = lookup(f"{self.api_name}.", frozenset({api}), dns_pods=self.dns_pods(), hold_tries=3)
        first = FirstNames(target, self.asker, self.reach.threads, self.recorder)
        first.ask([(Client.of(pod, self.facts.node(pod["spec"]["nodeName"])), pod) for pod in pods])
        return first

    def unknown_names_must_be_absent(self) -> None:
        """A name that nobody has gives no address: otherwise no answer above means anything."""
        name = f"nobody-{secrets.token_hex(4)}.default.svc.{self.facts.dns_domain}"
        found = together(self.reach.threads, lambda c: absent(self.asker, c, name), self.clients)
        for client, answer in zip(self.clients, found, strict=True):
            if answer:
                raise AbilityNotMet(
                    Finding(
                        "A name that does not exist has an address",
                        str(client.place),
                        f"no address for {name}",
                        answer,
                        nodes=(client.place.node,),
                    )
                )

    def api_must_be_met_by_name(self) -> None:
        """HTTPS to the API server's Service by its name gives an HTTP status, whichever."""
        command = (
            "{curl} -g -q -sk --connect-timeout 5 --max-time {seconds} -w %{{http_code}} https://{name}:443/version"
        )
        for client, answer in self._each(command.format(curl="{curl}", seconds=HTTPS_SECONDS, name=self.api_name)):
            if not answer.good:
                raise AbilityNotMet(
                    Finding(
                        "The API server is not met by its Service's name", str(client.place), "an HTTP status",
                        answer.text or f"curl exit code {answer.code}", f"kube-proxy on {client.place.node}",
                        (client.place.node,),
                    )
                )  # fmt: skip

    def _each(self, command: str) -> list[tuple[Client, Answer]]:
        def asked(client: Client) -> Answer:
            line = command.replace("{curl}", client.curl)
            ask = Ask("https", line, times=5, pause=1, until_good=True, longest=HTTPS_SECONDS)
            return self.asker.ask(client, [ask])["https"][-1]

        return list(zip(self.clients, together(self.reach.threads, asked, self.clients), strict=True))

    def settings_must_be_the_clusters(self) -> None:
        """Each client's server is the cluster DNS (or NodeLocal DNSCache), its search list has its Namespace."""
        wanted = f"{self.standing_namespace}.svc.{self.facts.dns_domain}"
        found = together(self.reach.threads, lambda c: settings(self.asker, c), self.clients)
        for client, (servers, search) in zip(self.clients, found, strict=True):
            if not servers or not set(servers) <= {self.facts.dns_ip, NODE_LOCAL_DNS} or wanted not in search:
                raise AbilityNotMet(
                    Finding(
                        "A Pod's resolver is not set up for the cluster", str(client.place),
                        f"server {self.facts.dns_ip}, search list with {wanted}",
                        f"servers {', '.join(servers) or 'none'}; search {', '.join(search) or 'none'}",
                        f"clusterDNS of the kubelet on {client.place.node}, and its CNI's DNS settings",
                        (client.place.node,),
                    )
                )  # fmt: skip


@dataclass
class OutsideNames:
    """Names outside: an ExternalName Service (needs no internet), and a real one where Linux can reach it."""

    names: ClusterNames
    workshop: Any
    linux_clients: Sequence[Client]

    def external_name_must_follow(self) -> None:
        """The Service's CNAME follows each change of externalName, and an A record follows a change of type."""
        shop, name = self.workshop, "dns-test-service-3"
        made = shop.service(name, app="nobody", ports=[{"name": "http", "port": 80}])
        spec = {"type": "ExternalName", "externalName": "foo.example.com"}
        shop.create({**made, "spec": spec})
        full = f"{name}.{shop.namespace}.svc.{self.names.facts.dns_domain}"
        self._must_say(full, "CNAME", "foo.example.com", tries=30)
        shop.cluster.patch("Service", name, shop.namespace, {"spec": {"externalName": "bar.example.com"}})
        self._must_say(full, "CNAME", "bar.example.com")
        ports = [{"name": "http", "port": 80, "protocol": "TCP"}]
        changed = shop.cluster.patch(
            "Service", name, shop.namespace, {"spec": {"type": "ClusterIP", "externalName": None, "ports": ports}}
        )
        self._must_say(full, "A", changed["spec"]["clusterIP"])

    def _must_say(self, name: str, kind: str, answer: str, tries: int = 5) -> None:
        """Asked as what has just changed: a DNS server that has not heard of it answers for as long as its cache keeps
        it that there is no such name, or no such record, and the other ones what is right (see `Stateful.must_route`).
        """
        target = lookup(name, frozenset({answer}), kind=kind, dns_pods=self.names.dns_pods(), hold_tries=tries)
        self.names.reach.every(self.names.clients, [target], within="dns_answers", after_change=True)

    def outside_must_be_reached(self) -> None:
        """A public name resolves and answers HTTP, if it does from Linux; otherwise that half is not judged."""
        if not self.linux_clients or not self._answers(self.linux_clients[0]):
            where = self.linux_clients[0].place if self.linux_clients else self.names.clients[0].place
            why = (
                f"{OUTSIDE} is not reached from a Linux Pod either"
                if self.linux_clients
                else "no Linux Node takes Pods, so there is nothing to compare with"
            )
            self.names.recorder.part(
                Part("outside name", where, OUTSIDE, Outcome.SKIPPED, reason=f"missing input: {why}")
            )
            return
        answered = together(self.names.reach.threads, self._answers, self.names.clients)
        bad = [client for client, good in zip(self.names.clients, answered, strict=True) if not good]
        for client, good in zip(self.names.clients, answered, strict=True):
            self.names.recorder.part(
                Part("outside name", client.place, OUTSIDE, Outcome.PASSED if good else Outcome.FAILED)
            )
        if bad:
            nodes = tuple(sorted({client.place.node for client in bad}))
            raise AbilityNotMet(
                Finding(
                    "Names outside the cluster are not reached from Windows", f"Pods on {', '.join(nodes)}",
                    f"{OUTSIDE} resolves and answers HTTP, as it does from Linux", "no answer in 10 tries",
                    "look at the DNS Pods' forwarders as seen from these Nodes, and at their way out", nodes,
                )
            )  # fmt: skip

    def _answers(self, client: Client) -> bool:
        command = f"{client.curl} -g -q -s -4 --connect-timeout 5 --max-time 10 http://{OUTSIDE}/"
        ask = Ask("outside", command, times=10, pause=1, until_good=True, longest=10)
        return bool(self.names.asker.ask(client, [ask])["outside"][-1].good)


def cluster_dns_or_skip(facts: Facts) -> None:
    """Raises NotTested on a cluster without a DNS Service."""
    if not facts.dns_ip:
        raise NotTested("the cluster has no DNS Service kube-system/kube-dns", reason=SkipReason.MISSING_INPUT)
