"""NT AUTHORITY\\NetworkService on a Node: a HostProcess Pod that reads the host's network objects, and dials out.

Adapters, routes and DNS servers are read by the console's tools and by Windows PowerShell's cmdlets: what the one tells
need not be what the other may.

Who it is is told by its SID, the same in every language. What it can do in a domain depends on the Node's computer
account, so that half is recorded.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from op_readiness.model.errors import CouldNotTell
from op_readiness.model.facts import NodeFact
from op_readiness.model.findings import Outcome, Part
from op_readiness.observe.checks import Check, Checks
from op_readiness.observe.domains import statuses
from op_readiness.observe.finished import json_lines
from op_readiness.observe.reach import together
from op_readiness.observe.shell import Answer, Asker, Client
from op_readiness.suite.making import Workshop
from op_readiness.suite.subjects.active_directory.users import HOLD, as_refused_logon
from op_readiness.workloads import scripts
from op_readiness.workloads.pods import Manifest

Object = dict[str, Any]
USER, SID = "NT AUTHORITY\\NetworkService", "S-1-5-20"
SCRIPT = "network-objects"
SITE_LOCAL = ipaddress.ip_network("fec0::/10")
"""What Windows names as DNS servers of an adapter that was given none: nobody answers there."""
DIAL_SECONDS = "10"
DEFAULT_ROUTE = re.compile(r"0\.0\.0\.0\s+0\.0\.0\.0")


@dataclass
class NetworkService:
    """A HostProcess Pod as NetworkService on each selected Windows Node."""

    workshop: Workshop
    asker: Asker
    nodes: Sequence[NodeFact]
    clients: list[Client] = field(default_factory=list)

    def start(self) -> None:
        """All Pods made at once, running; a user without a token is the ability's own answer."""
        namespace = self.workshop.own_namespace("privileged")
        manifests = [self._pod(n, node) for n, node in enumerate(self.nodes)]
        try:
            pods = self.workshop.pods(manifests, until_ready=False)
        except CouldNotTell as error:
            raise as_refused_logon(error) from error
        self.clients = [
            Client.at(namespace, pod["metadata"]["name"], node, uid=pod["metadata"]["uid"])
            for pod, node in zip(pods, self.nodes, strict=True)
        ]

    def must_read_the_host(self) -> None:
        """Each is NetworkService, sees its Node's address and default route, and reaches the API server over TCP."""
        checks = Checks(self.workshop.recorder)
        for found in together(self.workshop.threads, self._seen, list(zip(self.clients, self.nodes, strict=True))):
            for check in found:
                checks.take(check)
        checks.must_hold(
            "NetworkService does not act with the host's network", code="host-network",
            hint="containerd 1.6.4 or later; look at the HostProcess Pod's user and hostNetwork",
        )  # fmt: skip

    def record_the_domain(self) -> None:
        """Note what the Nodes' computer accounts are to their domain."""
        for client, answer in zip(self.clients, together(self.workshop.threads, self._channel, self.clients),
                                  strict=True):  # fmt: skip
            found = ", ".join(str(status) for status in statuses(answer.text)) or answer.text.strip()[:120]
            where = f"Node {client.place.node}"
            self.workshop.recorder.note(f"{where}: nltest /query as NetworkService: {found} (recorded)")
        if domain := (self.workshop.context.inputs.get("gmsa") or {}).get("domain"):
            self._record_a_share(rf"\\{domain}\SYSVOL")

    def _record_a_share(self, share: str) -> None:
        """What every computer account of the domain may read, read as the Node's; no name in it is kept."""
        def look(client: Client) -> Answer:
            return self.asker.answer(client, ["cmd", "/S", "/C", f"dir /b {share}"])

        for client, answer in zip(self.clients, together(self.workshop.threads, look, self.clients), strict=True):
            found = "listed" if answer.good else " ".join(answer.text.split())[:120] or f"exit code {answer.code}"
            self.workshop.recorder.note(f"Node {client.place.node}: {share} as NetworkService: {found} (recorded)")

    def _channel(self, client: Client) -> Answer:
        return self.asker.answer(client, ["cmd", "/S", "/C", "nltest /query"])

    def _seen(self, pair: tuple[Client, NodeFact]) -> list[Check]:
        client, node = pair
        address = next((ip for ip in node.internal_ips if ":" not in ip), next(iter(node.internal_ips), ""))
        return [
            self._check(client, "user of", "its SID", SID, ["cmd", "/S", "/C", "whoami /user"],
                        lambda text: re.search(rf"{SID}(?![\d-])", text) is not None),
            self._check(client, "adapters seen by", address, "the Node's InternalIP",
                        ["cmd", "/S", "/C", "ipconfig /all"],
                        lambda text: re.search(rf"(?<![\d.]){re.escape(address)}(?![\d.])", text) is not None),
            self._check(client, "routes seen by", "0.0.0.0/0", "a default route", ["cmd", "/S", "/C", "route print -4"],
                        lambda text: DEFAULT_ROUTE.search(text) is not None),
            self._dial(client),
            *self._objects(client, address),
        ]  # fmt: skip

    def _objects(self, client: Client, address: str) -> list[Check]:
        """Addresses, routes and DNS servers by cmdlets of the host's own PowerShell; networks of HNS are recorded."""
        recorder, place = self.workshop.recorder, client.place
        self.workshop.note_script(SCRIPT)
        answer = self.asker.answer(client, scripts.command(SCRIPT, on_host=True))
        lines = json_lines(answer.text)
        if not lines:
            seen = answer.text or f"exit code {answer.code}"
            return [Check("network objects seen by", place, f"{SCRIPT}.ps1", "what its header promises", seen, False)]
        said = lines[-1]
        hns = said["hns"]["error"] or said["hns"]["missing"] or ", ".join(said["hns"]["value"]) or "none"
        recorder.note(f"Node {place.node}: Get-HnsNetwork as NetworkService: {hns} (recorded)")
        default = "::/0" if ":" in address else "0.0.0.0/0"
        wanted: dict[str, tuple[str, str, str, Callable[[list[str]], bool]]] = {
            "addresses": ("Get-NetIPAddress", address, "the Node's InternalIP", lambda found: address in found),
            "routes": ("Get-NetRoute", default, "a default route", lambda found: default in found),
            "dns": ("Get-DnsClientServerAddress", "DNS servers", "one or more of an adapter", lambda found: any(
                map(is_server, found))),
        }  # fmt: skip
        checks = []
        for name, (cmdlet, target, expected, good) in wanted.items():
            one = said[name]
            if one["missing"]:
                recorder.part(Part(cmdlet, place, target, Outcome.SKIPPED, place.node, reason=one["missing"]))
                continue
            seen = one["error"] or ", ".join(one["value"]) or "none"
            checks.append(Check(cmdlet, place, target, expected, seen, not one["error"] and good(one["value"])))
        return checks

    def _check(self, client: Client, path: str, target: str, expected: str, argv: list[str], good: Any) -> Check:
        answer = self.asker.answer(client, argv)
        command = f"kubectl -n {client.namespace} exec {client.pod} -- {' '.join(argv)}"
        return Check(path, client.place, target, expected, answer.text or f"exit code {answer.code}",
                     answer.good and good(answer.text), command)  # fmt: skip

    def _dial(self, client: Client) -> Check:
        """Any HTTP status of the API server will do: TCP and TLS are what is asked for."""
        url = f"https://{self._api_server()}/version"
        argv = ["curl.exe", "-sk", "-o", "NUL", "-w", "%{http_code}", "--connect-timeout", DIAL_SECONDS, url]
        answer = self.asker.answer(client, argv)
        code = answer.text.strip()
        return Check("TCP from", client.place, url, "an HTTP status", code or f"exit code {answer.code}",
                     code.isdecimal() and int(code) > 0)  # fmt: skip

    def _api_server(self) -> str:
        """Address and port of the API server, as Nodes reach it."""
        cluster = self.workshop.cluster
        for piece in cluster.list("EndpointSlice", "default", labels="kubernetes.io/service-name=kubernetes"):
            if piece.get("endpoints") and piece.get("ports"):
                address = piece["endpoints"][0]["addresses"][0]
                return f"[{address}]:{piece['ports'][0]['port']}" if ":" in address else (
                    f"{address}:{piece['ports'][0]['port']}"
                )
        return f"{cluster.get('Service', 'kubernetes', 'default')['spec']['clusterIP']}:443"

    def _pod(self, number: int, node: NodeFact) -> Manifest:
        options = {"hostProcess": True, "runAsUserName": USER}
        context = {"windowsOptions": options}
        spec: Object = {"hostNetwork": True, "restartPolicy": "Never", "securityContext": context}
        return self.workshop.pod(
            f"network-service-{number}", "windows", node, [], spec=spec, container={"command": HOLD}
        )


def is_server(text: str) -> bool:
    """Whether it is the address of a DNS server that somebody gave an adapter."""
    try:
        return ipaddress.ip_address(text.partition("%")[0]) not in SITE_LOCAL
    except ValueError:
        return False
