"""What stands in the tables of a Node: the fields that a fault can match (keys) and change (values).

Keys are frozen so that they can be looked up; values are frozen so that a hook changes them with
`dataclasses.replace` and never alters what a keeper remembers. Times are cluster seconds, sizes are bytes of payload.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Backend:
    """Where a load balancer sends a connection."""

    ip: str
    port: int


@dataclass(frozen=True)
class LbKey:
    """One face of one Service port in the load balancer of one Node (state LB).

    `face` is ClusterIP, NodePort, ExternalIP or LoadBalancer; `vip` is empty for NodePort; `port` is the one that
    clients use (the node port for NodePort), `service_port` the Service's own.
    """

    namespace: str
    name: str
    port_name: str
    service_port: int
    protocol: str
    face: str
    family: str
    vip: str
    port: int


@dataclass(frozen=True)
class LbValue:
    """What one Node does with connections to a face.

    `internal_port` is the one port that a Windows load balancer has (None on Linux: each backend's own). `affinity`
    is how long a client keeps its backend, 0 for not at all. `reject` answers an empty Service with a refusal.
    `source_vip` is what remote backends answer to (Windows; without one their answers are lost). `policy` is the
    Service's externalTrafficPolicy, `internal_policy` its internalTrafficPolicy. `verdict` is `pass`, or for faults
    what every connection meets here: drop, refuse, reset or no-reply (opens, and nothing comes back).
    """

    backends: tuple[Backend, ...]
    internal_port: int | None = None
    affinity: int = 0
    reject: bool = False
    source_vip: str = ""
    policy: str = "Cluster"
    internal_policy: str = "Cluster"
    service_type: str = "ClusterIP"
    verdict: str = "pass"


@dataclass(frozen=True)
class EpValue:
    """A Pod's own endpoint on its Node (state EP; the key is the Pod's UID).

    `state` is attached, created (has its addresses, no packet passes) or missing (the Pod has no adapter). `masked`:
    Pods of other Nodes see it at its Node's address, because no exception of its outbound NAT names them.
    """

    state: str
    addresses: tuple[str, ...]
    namespace: str = ""
    name: str = ""
    order: int = 0
    masked: bool = False


@dataclass(frozen=True)
class AclBlock:
    """An ipBlock of a rule."""

    cidr: str
    excepts: tuple[str, ...] = ()


@dataclass(frozen=True)
class AclPort:
    """Ports of a rule, `first` to `last`; `named` if the policy gave a name for them."""

    protocol: str
    first: int
    last: int
    named: bool = False


@dataclass(frozen=True)
class AclRule:
    """Traffic that an ACL allows: `peers` (addresses) and `blocks`, both empty for none and `anyone` for all of them.

    `ports` None: every port.
    """

    peers: frozenset[str] = frozenset()
    blocks: tuple[AclBlock, ...] = ()
    anyone: bool = False
    ports: tuple[AclPort, ...] | None = None


@dataclass(frozen=True)
class AclValue:
    """Rules in force on a Pod's endpoint (state ACL; the key is the Pod's UID). None: everything passes.

    What a faulty implementation does otherwise: `host` lets the Pod's own Node in whatever the rules say (probes),
    `services` judges what comes through a Service too, `ranges` and `named` understand such ports.
    """

    ingress: tuple[AclRule, ...] | None = None
    egress: tuple[AclRule, ...] | None = None
    host: bool = True
    services: bool = True
    ranges: bool = True
    named: bool = True


@dataclass(frozen=True)
class DnsKey:
    """Whose resolver: a Pod's (`uid`, `pod` as namespace/name), or the Node's own (both empty). State DNS."""

    node: str
    os: str
    uid: str = ""
    pod: str = ""
    order: int = 0
    started: float = 0.0


@dataclass(frozen=True)
class DnsValue:
    """Servers in order, search list and `ndots` (Linux) of one resolver."""

    servers: tuple[str, ...]
    search: tuple[str, ...] = ()
    ndots: int = 1


@dataclass(frozen=True)
class DnsQueryKey:
    """One question on its way to one server (state DNS, lookup only). `zone` is cluster or external.

    `age` is how long the Pod's endpoint has been there, `order` the how manieth Pod since its Node began it was.
    """

    node: str
    os: str
    pod: str
    server: str
    protocol: str
    name: str
    type: str
    zone: str
    age: float = 0.0
    order: int = 0


@dataclass(frozen=True)
class DnsPath:
    """What a question meets: pass, drop, servfail, nxdomain or refused, after `delay`; `addresses` replaces answers."""

    verdict: str = "pass"
    delay: float = 0.0
    addresses: tuple[str, ...] | None = None


@dataclass(frozen=True)
class RouteKey:
    """One message between two ends (state ROUTE, lookup only).

    It is looked up in the table of the Node that it leaves (`at` is out) and, if that is another one, in the table of
    the Node that it reaches (`at` is in): a rate of loss is for one of them, or it counts twice. `from_` and `to_`
    follow the message: of a reply, `from_` is the server. Kinds are pod, host, external (the control-plane host, the
    site, a client outside) and internet. `via` is podip, self (a Pod to its own address), hostprobe (a host to a Pod
    of its own), nodeip, clusterip, nodeport, externalip, loadbalancer, external or internet. A connection to a node
    port meets two stretches, to the Node and from there to the backend. `direction` is request or reply, `stage` open
    (SYN and SYN-ACK) or data; `port` is the server's, `size` the payload's. `opened` is when the connection opened, so
    that a fault can cut what is older. `hairpin`: a Pod meets itself through a Service.
    """

    at: str
    from_node: str
    to_node: str
    from_os: str
    to_os: str
    from_build: str
    to_build: str
    from_subnet: str
    to_subnet: str
    from_kind: str
    to_kind: str
    from_pod: str
    to_pod: str
    from_ip: str
    to_ip: str
    port: int
    protocol: str
    family: str
    via: str
    service: str
    direction: str
    stage: str
    size: int
    same_node: bool
    hairpin: bool
    opened: float = 0.0


@dataclass(frozen=True)
class RouteValue:
    """What a message meets: pass, drop, refuse, reset or no-reply; `loss` (0 to 1) of those that pass; `delay`."""

    verdict: str = "pass"
    loss: float = 0.0
    delay: float = 0.0


@dataclass(frozen=True)
class Host:
    """A machine that is no Node of ours: the control-plane host, a client outside, a host of the internet."""

    name: str
    ip: str
    os: str = "linux"
    build: str = ""
    pod_cidr: str = ""
    names: tuple[str, ...] = field(default=())
    ip6: str = ""
    pod_cidr6: str = ""
