"""DNS settings and records that come with a Pod's spec: dnsConfig, hostAliases, hostname and subdomain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from op_readiness.model.errors import AbilityNotMet
from op_readiness.model.facts import Facts, NodeFact
from op_readiness.model.findings import Finding
from op_readiness.observe.dns import lookup, settings
from op_readiness.observe.reach import Reach, together
from op_readiness.observe.shell import Answer, Ask, Asker, Client
from op_readiness.suite.making import Workshop

Object = dict[str, Any]
SERVER, SEARCH = "1.1.1.1", "resolv.conf.local"  # test/e2e/network/dns.go
RECORD, RECORD_IP = "notexistname.example.org", "192.0.2.123"
ALIAS, ALIAS_IP = "alias.readiness.local", "123.45.67.89"  # test/e2e/common/node/kubelet.go
HOST, SUBDOMAIN = "named", "custom-records"
COREFILE = f"""
.:53 {{
    hosts {{
        {RECORD_IP} {RECORD}
    }}
    log
}}
"""
HINT = "dnsConfig and hostAliases are applied by the kubelet and the CNI of the Node"


@dataclass
class CustomRecords:
    """Pods with DNS settings of their own on each selected Windows Node."""

    workshop: Workshop
    facts: Facts
    nodes: Sequence[NodeFact]
    asker: Asker
    reach: Reach
    helper: Object = field(default_factory=dict)
    clients: dict[str, list[Client]] = field(default_factory=dict)

    def start(self) -> None:
        """A DNS server of our own, then on each Node a Pod for each kind of setting, all at once."""
        shop = self.workshop
        shop.create(shop.service(SUBDOMAIN, app="named", clusterIP="None"))
        self.helper = self._helper()
        own = {"dnsPolicy": "None", "dnsConfig": {"nameservers": [self.helper["status"]["podIP"]]}}
        none = {"dnsPolicy": "None", "dnsConfig": {"nameservers": [SERVER], "searches": [SEARCH]}}
        listed = {
            "dnsPolicy": "None",
            "dnsConfig": {
                "nameservers": [self.facts.dns_ip, SERVER],
                "searches": [f"default.svc.{self.facts.dns_domain}"],
            },
        }
        aliases = {"hostAliases": [{"ip": ALIAS_IP, "hostnames": [ALIAS]}], "subdomain": SUBDOMAIN}
        kinds: dict[str, dict[str, Any]] = {"none": none, "own": own, "listed": listed, "named": aliases}
        manifests = [
            self._pod(f"{kind}-{n}", node, {**spec, **({"hostname": f"{HOST}-{n}"} if kind == "named" else {})}, kind)
            for kind, spec in kinds.items()
            for n, node in enumerate(self.nodes)
        ]
        pods = shop.pods(manifests, until_ready=False)
        for manifest, pod in zip(manifests, pods, strict=True):
            self.clients.setdefault(manifest["metadata"]["labels"]["app"], []).append(self._client(pod))

    def settings_of_the_spec_must_be_in_force(self) -> None:
        """dnsPolicy None: exactly the servers and searches of dnsConfig."""
        found = together(self.reach.threads, lambda c: settings(self.asker, c), self.clients["none"])
        for client, (servers, search) in zip(self.clients["none"], found, strict=True):
            if servers != [SERVER] or SEARCH not in search:
                seen = f"servers {', '.join(servers) or 'none'}; search {', '.join(search) or 'none'}"
                raise self._not_met(
                    "A Pod does not get the DNS settings of its spec", client, f"server {SERVER}, search {SEARCH}", seen
                )

    def records_of_a_server_of_ones_own_must_resolve(self) -> None:
        """A record that only our DNS server has, asked by a Pod whose spec names that server."""
        self.reach.every(
            self.clients["own"], [lookup(RECORD, frozenset({RECORD_IP}), hold_tries=5)], within="dns_answers", hint=HINT
        )

    def search_list_must_be_used(self) -> None:
        """With `default.svc` searched `kubernetes` is met, `kubernetezzzzzzzz` is not; both servers are listed."""
        for client, answers in self._each("listed", self._search_asks):
            good, bad, listed = answers["good"][-1], answers["bad"][-1], answers["ipconfig"][-1]
            if not good.good:
                raise self._not_met(
                    "The search list of a Pod's spec is not used", client, "https://kubernetes:443 answers", good.text
                )
            if bad.good:
                raise self._not_met(
                    "A name that nobody has is met", client, "no answer for kubernetezzzzzzzz", bad.text
                )
            if SERVER not in listed.text:
                raise self._not_met(
                    "A DNS server of a Pod's spec is missing", client, f"{SERVER} in ipconfig /all", listed.text[-300:]
                )

    @staticmethod
    def _search_asks(client: Client) -> list[Ask]:
        curl = f"{client.curl} -g -q -sS -k --connect-timeout 5 --max-time 15"
        return [
            Ask("good", f"{curl} https://kubernetes:443/version", times=5, pause=1, until_good=True, longest=20),
            Ask("bad", f"{curl} https://kubernetezzzzzzzz:443/version", longest=30),
            Ask("ipconfig", "ipconfig /all"),
        ]

    def host_aliases_must_resolve(self) -> None:
        """The managed hosts file has the alias, and a program finds it there."""
        for client, answers in self._each("named", lambda client: [Ask("hosts", "/agnhost etc-hosts")]):
            text = answers["hosts"][-1].text
            if not any(ALIAS_IP in line and ALIAS in line for line in text.splitlines()):
                raise self._not_met(
                    "hostAliases are not in the Pod's hosts file", client, f"{ALIAS_IP} {ALIAS}", text[-300:]
                )

    def hostname_and_subdomain_must_resolve(self) -> None:
        """HOST.SUBDOMAIN.NAMESPACE.svc gives the Pod's IP, the headless Service's SRV record names every Pod."""
        zone = f"{SUBDOMAIN}.{self.workshop.namespace}.svc.{self.facts.dns_domain}"
        targets = [
            lookup(f"{HOST}-{n}.{zone}", frozenset({client.ip}), hold_tries=5)
            for n, client in enumerate(self.clients["named"])
        ]
        srv = frozenset(f"8080 {HOST}-{n}.{zone}" for n in range(len(self.nodes)))
        targets.append(lookup(f"_http._tcp.{zone}", srv, kind="SRV", hold_tries=5))
        # as what has just changed: a DNS server that was asked too early remembers a name as missing (see `Stateful`)
        self.reach.every(self.clients["named"], targets, within="dns_answers", hint=HINT, after_change=True)

    def _each(self, kind: str, asks: Any) -> list[tuple[Client, dict[str, list[Answer]]]]:
        clients = self.clients[kind]
        return list(
            zip(
                clients,
                together(self.reach.threads, lambda c: self.asker.ask(c, asks(c)), clients),
                strict=True,
            )
        )

    def _pod(self, name: str, node: NodeFact, spec: dict[str, Any], kind: str) -> Object:
        manifest = self.workshop.echo_pod(name, "windows", node, app=kind, probed=False)
        manifest["spec"].update(spec)
        return manifest

    def _helper(self) -> Object:
        shop, linux = self.workshop, self.facts.usable_nodes("linux")
        data = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"Corefile": COREFILE}}
        shop.create({**data, "metadata": {"name": "corefile", "namespace": shop.namespace, "labels": shop.labels}})
        node = (linux or list(self.nodes))[0]
        manifest = shop.pod(
            "dns", node.os, node, ["-conf", "/etc/coredns/Corefile"],
            container={"command": ["/coredns"], "volumeMounts": [{"name": "config", "mountPath": "/etc/coredns"}]},
            spec={"dnsPolicy": "Default", "volumes": [{"name": "config", "configMap": {"name": "corefile"}}]},
        )  # fmt: skip
        return shop.pods([manifest], until_ready=False)[0]

    def _client(self, pod: Object) -> Client:
        return Client.of(pod, self.facts.node(pod["spec"]["nodeName"]))

    @staticmethod
    def _not_met(what: str, client: Client, expected: str, seen: str) -> AbilityNotMet:
        return AbilityNotMet(Finding(what, str(client.place), expected, seen, HINT, nodes=(client.place.node,)))
