"""Which address a server sees its client at: agnhost's /clientip says `ip:port`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from op_readiness.observe.shell import Answer, Ask, Asker, Client
from op_readiness.observe.targets import Exposed, Object, pod_target
from op_readiness.observe.traffic import ANSWER_SECONDS, Target

URL_PATH = "/clientip"


@dataclass(frozen=True)
class SeenClient(Target):
    """A server that must see its client at `client_ip`: the answer is an address and no name."""

    client_ip: str = ""
    url_path: str = field(default=URL_PATH, kw_only=True)

    @property
    def expected(self) -> frozenset[str]:
        """The client's own address, and no other."""
        return frozenset({self.client_ip})

    @property
    def names_pods(self) -> bool:
        """An address is no witness of the server."""
        return False

    @property
    def expectation(self) -> str:
        """What a finding says was expected."""
        return f"the server sees the client's own Pod IP {self.client_ip}: between Pods nothing is translated"

    def hint(self, nodes: str, control: str) -> str:
        """Where a translation comes from on Windows."""
        return f"look at the OutBoundNAT exceptions of the HNS endpoints on {nodes}: the Pod ranges belong in them"

    def read(self, answer: Answer) -> str:
        """The address, without the port."""
        return host_of(answer.text.strip()) if answer.good else ""


def seen_by(pod: Object, client: Client) -> SeenClient:
    """A Pod by its IP, asked by `client`, that must see the client's own Pod IP."""
    plain = pod_target(pod)
    return SeenClient(
        path="Pod IP, source address", what=plain.what, host=plain.host, port=plain.port, backends=plain.backends,
        node=plain.node, client_ip=client.ip,
    )  # fmt: skip


def through(exposed: Exposed, asker: Asker, client: Client) -> str:
    """The address at which a Pod behind a Service sees `client`; empty when no answer came."""
    target = replace(exposed.by_cluster_ip(), url_path=URL_PATH)
    ask = Ask("seen", target.command(client), times=3, pause=1, until_good=True, longest=ANSWER_SECONDS)
    answers = asker.ask(client, [ask])["seen"]
    return next((host_of(answer.text.strip()) for answer in answers if answer.good), "")


def host_of(text: str) -> str:
    """The host of `host:port`, an IPv6 address without its brackets; the text itself where there is no port."""
    host, colon, port = text.rpartition(":")
    return host.removeprefix("[").removesuffix("]") if colon and port.isdecimal() else text
