"""The simulated network: all Nodes' tables and keepers, who is where, and the namespaces that are handed out.

Everything that happens to a message is computed by `paths` and `connection` from the tables; this module keeps the
registry, makes and takes away endpoints, and tells the world what happened so that faults can act on it.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from functools import partial
from typing import Any

from op_readiness.simulator.network.agent import CNI, Attachment, NodeAgent
from op_readiness.simulator.network.apiface import anonymous, greeting, unauthorized
from op_readiness.simulator.network.interface import HttpHandler, HttpRequest, HttpResponse, Peer, Server
from op_readiness.simulator.network.internet import SITE_RESOLVER, Internet
from op_readiness.simulator.network.ipam import OutOfAddresses
from op_readiness.simulator.network.keys import DnsKey, DnsValue, EpValue, Host
from op_readiness.simulator.network.kubeproxy import Surroundings
from op_readiness.simulator.network.namespace import Namespace, PodNetwork, Ways
from op_readiness.simulator.network.paths import Paths
from op_readiness.simulator.network.podsettings import dns_of, hosts_file
from op_readiness.simulator.network.policies import Policies
from op_readiness.simulator.network.services import Name, Object, ServiceMap, ServiceView
from op_readiness.simulator.network.stack import Stack
from op_readiness.simulator.network.table import WriteFailed
from op_readiness.simulator.network.tables import NodeTables, addresses_of, is_overlay

CONTROL_PLANE = "control-plane"
CONTROL_PLANE_IP = "10.240.0.2"
API_PORT, KUBELET_PORT = 6443, 10250
ADMIN_PORTS = (22, 3389)
CLUSTER_DNS = "10.96.0.10"
DOMAIN = "cluster.local"
NODE_DNS = DnsValue((SITE_RESOLVER,))
KUBERNETES = ("default", "kubernetes")


class AttachFailed(Exception):
    """A sandbox did not get its network; the text is what the kubelet's FailedCreatePodSandBox Event says after
    `Failed to create pod sandbox: rpc error: code = Unknown desc = `.
    """


class DetachFailed(Exception):
    """A sandbox did not lose its network; the text is what the kubelet's FailedKillPod Event says."""


class Network:
    """See the module. `world` gives nodes, clock, random, services, endpointslices and emit."""

    def __init__(self, world: Any) -> None:
        self.world, self.clock, self.chance = world, world.clock, world.random
        self.services = ServiceMap(world.services, world.endpointslices)
        self.services.listeners.append(self._service_changed)
        self.internet = Internet()
        self.api_server: HttpHandler = anonymous
        self._around = Surroundings(self.services, self.clock, world.emit)
        self.paths = Paths(self, self.clock, self.chance)
        self._ways = Ways(self.paths, self.clock, self.chance, DOMAIN + ".")
        self.policies = Policies(
            world.informer("/apis/networking.k8s.io/v1/networkpolicies"), world.informer("/api/v1/namespaces"),
            world.pods, self.clock, world.emit,
        )
        self.agents: dict[str, NodeAgent] = {}
        self._hosts: dict[str, Stack] = {}
        self._given_back: deque[str] = deque()
        self._pods: dict[str, Attachment] = {}
        self._add_agent(Host(CONTROL_PLANE, CONTROL_PLANE_IP), "external")
        self._follow_api_server()
        for name in world.nodes:
            self.add_node(name)

    # Nodes and namespaces

    @property
    def tables(self) -> dict[str, NodeTables]:
        """The tables of every Node, by name."""
        return {name: agent.tables for name, agent in self.agents.items() if name != CONTROL_PLANE}

    def add_node(self, name: str) -> None:
        """A Node joins; what is there already is programmed on it. Its tables and components are the world's too."""
        node = self.world.nodes[name]
        agent = self._add_agent(node, "host")
        agent.host.listen("TCP", KUBELET_PORT, Server(http=unauthorized, tls=True))
        if getattr(node, "host", None) is not None and node.os == "windows":
            for port in ADMIN_PORTS:
                agent.host.listen("TCP", port, Server(raw=greeting, up=partial(_serves, node, port)))
        known = getattr(node, "tables", None)
        if isinstance(known, dict):
            known.update({table.state: table for table in agent.tables.all()})
        if hasattr(self.world, "component"):
            for component, act in agent.restarts().items():
                self.world.component(component, name, act)

    def remove_node(self, name: str) -> None:
        """A Node leaves for good."""
        agent = self.agents.pop(name, None)
        if agent is not None:
            agent.close()
            self._hosts = {ip: stack for ip, stack in self._hosts.items() if stack is not agent.host}

    def host(self, node: str) -> Namespace:
        """The Node's own namespace."""
        agent = self.agents[node]
        return Namespace(agent.host, self._ways, self._dns_key(agent))

    def external(self, ip: str = CONTROL_PLANE_IP) -> Namespace:
        """The control-plane host's namespace, or that of a client outside the cluster at another address."""
        if self._hosts.get(ip) is self.agents[CONTROL_PLANE].host:
            return self.host(CONTROL_PLANE)
        stack = self.internet.stacks.setdefault(ip, Stack("external", Host(ip, ip), None, (ip,)))
        return Namespace(stack, self._ways, DnsKey(ip, "linux"))

    # Pods

    def attach(self, pod: Object, node: str) -> PodNetwork:
        """Give a Pod's sandbox its network; raises AttachFailed with the Event's text."""
        agent, uid = self.agents[node], pod["metadata"]["uid"]
        name = f"{pod['metadata'].get('namespace', 'default')}/{pod['metadata']['name']}"
        dns = dns_of(pod, (CLUSTER_DNS,), DOMAIN, NODE_DNS)
        if pod["spec"].get("hostNetwork"):
            if agent.machine.os == "windows":  # no DNS settings of its own: the Node's adapter is its adapter
                key = self._dns_key(agent)
            else:
                key = DnsKey(node, agent.machine.os, uid, name, 0, self.clock.now())
                agent.set_dns(key, dns)
            ips = list(addresses_of(agent.machine))
            return PodNetwork(Namespace(agent.host, self._ways, key, hosts_file(pod, ips, DOMAIN)), ips, dns)
        if uid in self._pods:
            self._detach_former(agent, uid)
        attachment = self._add_endpoint(agent, pod, name, dns)
        hosts = hosts_file(pod, list(attachment.ips), DOMAIN)
        namespace = Namespace(attachment.stack, self._ways, attachment.dns_key, hosts)
        return PodNetwork(namespace, list(attachment.ips), dns)

    def _detach_former(self, agent: NodeAgent, uid: str) -> None:
        """The network of the sandbox that a Pod had before its Node restarted; raises AttachFailed while it stays."""
        try:
            self.detach(uid)
        except DetachFailed as error:
            raise AttachFailed(self._sandbox_text(agent, str(error.__cause__))) from error

    def detach(self, pod: Object | str, node: str = "") -> None:
        """Take a Pod's network away (its UID or the Pod); raises DetachFailed. Nothing happens to an unknown one."""
        uid = pod if isinstance(pod, str) else pod["metadata"]["uid"]
        attachment = self._pods.get(uid)
        if attachment is None or node not in ("", attachment.node):
            self._forget_host_pod(uid)
            return
        agent = self.agents.get(attachment.node)
        try:
            if agent is not None:
                agent.remove(uid)
        except WriteFailed as error:
            raise DetachFailed(_teardown_text(attachment, error)) from error
        del self._pods[uid]
        self.policies.remove(uid)
        twin = next((one for one in self._pods.values() if one.ip == attachment.ip), None)
        for other in self.agents.values():
            if other is not agent:
                for ip in attachment.ips:
                    other.remote.release(ip, CNI)
            if twin is not None and twin.node != other.machine.name:  # an address that two Pods had is still wanted
                other.remote.acquire(twin.ip, twin.node, CNI)
        self._tell("pod detached", attachment)

    # Acts and reset

    def restart(self, component: str, node: str) -> None:
        """Restart `kube-proxy`, `cni` or `hns` on a Node; raises KeyError for what there is not.

        kube-proxy programmes everything anew, and the CNI its remote endpoints, after about a second. HNS comes back
        with what the keepers had written into it (faults say what it loses).
        """
        self.agents[node].restarts()[component]()
        self.world.emit(f"{component} restarted", node=node)

    def stop(self, component: str, node: str) -> None:
        """Stop kube-proxy on a Node (`restart` starts it again); raises KeyError for anything else."""
        {"kube-proxy": self.agents[node].proxy.stop}[component]()

    async def heal(self) -> None:
        """Write every table anew from what is wanted, at once; caches are emptied. Hooks are not touched."""
        where: dict[str, str] = {}
        for attachment in self._pods.values():
            for ip in attachment.ips:
                where.setdefault(ip, attachment.node)  # of two Pods with one address the first keeps it
        for agent in self.agents.values():
            agent.remote.forget()
            for ip, node in where.items():
                if node != agent.machine.name:
                    agent.remote.acquire(ip, node, CNI)
            agent.heal()
            agent.proxy.rebuild()
        self._given_back.clear()
        self.policies.rewrite()
        self.paths.forget()
        self._ways.healed += 1

    def close(self) -> None:
        """Stop every keeper."""
        for agent in self.agents.values():
            agent.close()
        self.policies.close()

    def dump(self, node: str) -> dict[str, Any]:
        """The tables of a Node as JSON, for people."""
        return {"node": node, "tables": self.agents[node].tables.dump()}

    # Places (what paths ask)

    def host_at(self, ip: str) -> Stack | None:
        """The Node's or control-plane host's stack at an address."""
        return self._hosts.get(ip)

    def pod_stack(self, uid: str) -> Stack | None:
        """A Pod's stack."""
        attachment = self._pods.get(uid)
        return None if attachment is None else attachment.stack

    def tables_of(self, node: str) -> NodeTables | None:
        """A Node's tables."""
        agent = self.agents.get(node)
        return None if agent is None else agent.tables

    def outside(self, ip: str) -> Stack | None:
        """A host outside."""
        return self.internet.stacks.get(ip)

    def balancer_nodes(self, ip: str, port: int, protocol: str) -> list[NodeTables]:
        """Nodes that offer a load balancer's address."""
        return [tables for tables in self.tables.values() if tables.lb.found((protocol, ip, port))]

    # Inside

    def _add_agent(self, machine: Any, kind: str) -> NodeAgent:
        agent = self.agents[machine.name] = NodeAgent(machine, kind, self._around, self._given_back)
        self._hosts.update(dict.fromkeys(addresses_of(machine), agent.host))
        agent.set_dns(self._dns_key(agent), NODE_DNS)
        for attachment in self._pods.values():
            self._tell_where(agent, attachment)
        agent.proxy.sync()
        return agent

    @staticmethod
    def _tell_where(agent: NodeAgent, attachment: Attachment) -> None:
        """Let a Node know on which Node a Pod's addresses are."""
        for ip in attachment.ips:
            agent.remote.acquire(ip, attachment.node, CNI)

    def _dns_key(self, agent: NodeAgent) -> DnsKey:
        return DnsKey(agent.machine.name, agent.machine.os)

    def _add_endpoint(self, agent: NodeAgent, pod: Object, name: str, dns: DnsValue) -> Attachment:
        uid, (namespace, _, short) = pod["metadata"]["uid"], name.partition("/")
        node, ips = agent.machine.name, tuple[str, ...]()
        if agent.ipam is None:
            raise AttachFailed(self._sandbox_text(agent, "no addresses are given out here"))
        try:
            ips = (agent.ipam.allocate(uid),)
            agent.started += 1
            ips += agent.address_beside(ips[0], uid)
            endpoint = EpValue("attached", ips, namespace, short, agent.started)
            stack = Stack("pod", agent.machine, agent.tables, ips, uid, name)
            key = DnsKey(node, agent.machine.os, uid, name, agent.started, self.clock.now())
            attachment = Attachment(uid, node, endpoint, stack, key, dns)
            agent.add(attachment)
            self.policies.add(pod, ips, agent.tables.acl)
        except (OutOfAddresses, WriteFailed) as error:
            self._undo(agent, uid, ips)
            raise AttachFailed(self._sandbox_text(agent, str(error))) from error
        self._pods[uid] = attachment
        for other in self.agents.values():
            if other is not agent:
                self._tell_where(other, attachment)
        self._tell("pod attached", attachment)
        return attachment

    def _undo(self, agent: NodeAgent, uid: str, ips: tuple[str, ...]) -> None:
        """What a sandbox whose network failed leaves: nothing, unless it cannot be given back."""
        with suppress(WriteFailed):
            self.policies.remove(uid)
            agent.remove(uid)
        for one in ips:
            agent.free(one)

    def _forget_host_pod(self, uid: str) -> None:
        for agent in self.agents.values():
            for key in [key for key in agent.wanted_dns if key.uid == uid]:
                agent.forget_dns(key)

    def _tell(self, event: str, attachment: Attachment) -> None:
        endpoint = attachment.endpoint
        self.world.emit(
            event, node=attachment.node, ip=attachment.ip, uid=attachment.uid, namespace=endpoint.namespace,
            name=endpoint.name, pod=f"{endpoint.namespace}/{endpoint.name}", order=endpoint.order,
        )

    def _sandbox_text(self, agent: NodeAgent, why: str) -> str:
        sandbox = f"{self.chance.getrandbits(256):064x}"
        windows = 'type="win-overlay" name="vxlan0"' if is_overlay(agent.machine) else 'type="win-bridge" name="cbr0"'
        plugin = f"plugin {windows}" if agent.machine.os == "windows" else 'plugin type="flannel"'
        return f'failed to setup network for sandbox "{sandbox}": {plugin} failed (add): {why}'

    def _service_changed(self, name: Name, old: ServiceView | None, new: ServiceView | None) -> None:
        if name == KUBERNETES:
            self._follow_api_server()
        for agent in self.agents.values():
            agent.proxy.changed(name)
        namespace, short = name
        before, after = (old.addresses() if old else set()), (new.addresses() if new else set())
        if new is None:
            self.world.emit("service deleted", namespace=namespace, name=short, backends=sorted(before))
        elif old is None:
            self.world.emit("service created", namespace=namespace, name=short, backends=sorted(after))
        if new is not None and before != after:
            self.world.emit(
                "endpoint changed", namespace=namespace, name=short,
                added=sorted(after - before), removed=sorted(before - after),
            )

    def _follow_api_server(self) -> None:
        """The control-plane host has the addresses and ports that `default/kubernetes` leads to."""
        host = self.agents[CONTROL_PLANE].host
        view = self.services.views.get(KUBERNETES)
        ends = [(end.ip, end.port) for port in view.ports for end in port.endpoints] if view else []
        for ip, port in [(CONTROL_PLANE_IP, API_PORT), *ends]:
            self._hosts[ip] = host
            if host.server("TCP", port, ip) is None:
                host.listen("TCP", port, Server(http=self._answer_as_api_server, tls=True))

    async def _answer_as_api_server(self, request: HttpRequest, peer: Peer) -> HttpResponse | None:
        return await self.api_server(request, peer)


def _teardown_text(attachment: Attachment, why: Exception) -> str:
    endpoint = attachment.endpoint
    return (
        f'error killing pod: failed to "KillPodSandbox" for "{attachment.uid}" with KillPodSandboxError: "rpc error: '
        f'code = Unknown desc = failed to destroy network for sandbox of {endpoint.namespace}/{endpoint.name}: {why}"'
    )


def _serves(node: Any, port: int) -> bool:
    """Whether a service for administrators listens on a Node's port now."""
    return port in node.host.ports()
