"""What the scheduler knows: Nodes with the Pods placed on them, kept up to date instead of counted anew each time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from op_readiness.simulator.api import Object, key_of
from op_readiness.simulator.controlplane.scheduler.quantities import Amounts, amount, amounts, plus, pod_requests

Key = tuple[str, str]
Port = tuple[str, str, int]
EVERYWHERE = "0.0.0.0"


class NodeState:
    """One Node and its Pods, with the sums over them."""

    def __init__(self, node: Object) -> None:
        self.pods: dict[Key, Object] = {}
        self.used: Amounts = {}
        self.ports: dict[Port, int] = {}
        self.renew(node)

    def renew(self, node: Object) -> None:
        """Take the Node's newest version."""
        self.node, self.name = node, node["metadata"]["name"]
        status = node.get("status") or {}
        self.allocatable: Amounts = amounts(status.get("allocatable") or status.get("capacity"))

    @property
    def labels(self) -> dict[str, str]:
        """The Node's labels."""
        labels: dict[str, str] = self.node["metadata"].get("labels") or {}
        return labels

    @property
    def room_for_pods(self) -> int:
        """How many Pods the Node may hold."""
        return self.allocatable.get("pods", amount("pods", "110"))

    def put(self, pod: Object) -> None:
        """Count a Pod here (in place of an older version of it)."""
        self.take(key_of(pod))
        self.pods[key_of(pod)] = pod
        self.used = plus(self.used, pod_requests(pod))
        for port in host_ports(pod):
            self.ports[port] = self.ports.get(port, 0) + 1

    def take(self, key: Key) -> Object | None:
        """Count a Pod here no more; gives it, if it was here."""
        pod = self.pods.pop(key, None)
        if pod is None:
            return None
        for name, value in pod_requests(pod).items():
            self.used[name] -= value
        for port in host_ports(pod):
            self.ports[port] -= 1
            if not self.ports[port]:
                del self.ports[port]
        return pod

    def without(self, keys: Iterable[Key]) -> NodeState:
        """A copy on which these Pods are not."""
        left = NodeState(self.node)
        gone = set(keys)
        for key, pod in self.pods.items():
            if key not in gone:
                left.put(pod)
        return left


class Snapshot:
    """All Nodes, and which Pods have rules about others."""

    def __init__(self, nodes: Iterable[Object] = (), pods: Iterable[Object] = ()) -> None:
        self.nodes: dict[str, NodeState] = {}
        self.namespaces: dict[str, dict[str, str]] = {}
        self._place: dict[Key, str] = {}
        self._early: dict[str, dict[Key, Object]] = {}
        self._averse: dict[Key, str] = {}
        for node in nodes:
            self.set_node(node)
        for pod in pods:
            self.put(pod, pod["spec"]["nodeName"])

    def set_node(self, node: Object) -> None:
        """A Node is new or has changed."""
        name = node["metadata"]["name"]
        if name in self.nodes:
            self.nodes[name].renew(node)
            return
        state = self.nodes[name] = NodeState(node)
        for pod in self._early.pop(name, {}).values():
            state.put(pod)

    def drop_node(self, name: str) -> None:
        """A Node is gone; its Pods are kept in mind, should it come back."""
        state = self.nodes.pop(name, None)
        if state is not None and state.pods:
            self._early[name] = state.pods

    def put(self, pod: Object, node: str) -> None:
        """The Pod is on that Node."""
        key = key_of(pod)
        if self._place.get(key, node) != node:
            self.take(key)
        self._place[key] = node
        if node in self.nodes:
            self.nodes[node].put(pod)
        else:
            self._early.setdefault(node, {})[key] = pod
        if (pod["spec"].get("affinity") or {}).get("podAntiAffinity"):
            self._averse[key] = node

    def take(self, key: Key) -> bool:
        """The Pod is on no Node any more; gives whether it was on one."""
        node = self._place.pop(key, None)
        self._averse.pop(key, None)
        if node is None:
            return False
        if node in self.nodes:
            self.nodes[node].take(key)
        self._early.get(node, {}).pop(key, None)
        return True

    def placed(self) -> Iterator[tuple[Object, NodeState]]:
        """Every Pod with its Node."""
        for state in self.nodes.values():
            for pod in state.pods.values():
                yield pod, state

    def averse(self) -> Iterator[tuple[Object, NodeState]]:
        """The Pods with anti-affinity, with their Nodes."""
        for key, name in self._averse.items():
            state = self.nodes.get(name)
            if state is not None and key in state.pods:
                yield state.pods[key], state


def host_ports(pod: Object) -> list[Port]:
    """(address, protocol, port) of every port that the Pod takes on its Node."""
    sidecars = [each for each in pod["spec"].get("initContainers") or [] if each.get("restartPolicy") == "Always"]
    return [
        (port.get("hostIP") or EVERYWHERE, port.get("protocol", "TCP"), port["hostPort"])
        for container in [*pod["spec"]["containers"], *sidecars]
        for port in container.get("ports") or []
        if port.get("hostPort")
    ]


def ports_collide(wanted: list[Port], taken: Iterable[Port]) -> bool:
    """Whether one of the wanted ports is taken on the same address, or on all of them."""
    return any(
        protocol == other_protocol and number == other and (EVERYWHERE in (ip, other_ip) or ip == other_ip)
        for ip, protocol, number in wanted
        for other_ip, other_protocol, other in taken
    )
