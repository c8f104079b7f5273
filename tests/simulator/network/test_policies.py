"""NetworkPolicy: what is let in and out, when, and the ways in which implementations fail."""

from __future__ import annotations

from typing import Any

from tests.simulator.network import hooks
from tests.simulator.network.seeing import VIP, answers
from tests.simulator.network.worlds import World, name_at, run, udp_name_at

POLICIES, SPACES = "/apis/networking.k8s.io/v1/networkpolicies", "/api/v1/namespaces"
ALL: dict[str, Any] = {}


def policy(world: World, name: str, spec: dict[str, Any], space: str = "x") -> None:
    world.informer(POLICIES).put({"metadata": {"namespace": space, "name": name}, "spec": spec})


def spaces(world: World) -> None:
    for name in ("x", "y"):
        labels = {"kubernetes.io/metadata.name": name}
        world.informer(SPACES).put({"metadata": {"name": name, "labels": labels}})


async def open_from(world: World, clients: dict[str, Any], ip: str, port: int = 8080) -> list[str]:
    """Names of the clients that get through."""
    return [
        name for name, client in clients.items()
        if await answers(world, name_at(client.namespace, ip, port, 3)) not in ("TimedOut", "Refused")
    ]


def test_deny_all_then_allow_one_and_open_again() -> None:
    """Within seconds of each change; the Node's own probes pass throughout."""

    async def story(world: World) -> None:
        spaces(world)
        a = world.pod("a", "win-1", "x")
        clients = {"b": world.pod("b", "linux-1", "x"), "c": world.pod("c", "win-2", "y")}
        policy(world, "deny", {"podSelector": ALL, "policyTypes": ["Ingress"]})
        assert await open_from(world, clients, a.ips[0]) == ["b", "c"]
        await world.settled()
        assert await open_from(world, clients, a.ips[0]) == []
        assert await answers(world, name_at(world.network.host("win-1"), a.ips[0])) == "a"
        allow = {"podSelector": {"matchLabels": {"pod": "a"}}, "ingress": [{"from": [{"podSelector": ALL}]}]}
        policy(world, "allow", allow)
        await world.settled()
        assert await open_from(world, clients, a.ips[0]) == ["b"]
        allow["ingress"] = [{"from": [{"podSelector": ALL, "namespaceSelector": ALL}]}]
        policy(world, "allow", dict(allow))
        await world.settled()
        assert await open_from(world, clients, a.ips[0]) == ["b", "c"]
        for name in ("deny", "allow"):
            world.informer(POLICIES).drop("x", name)
        await world.settled()
        assert await open_from(world, clients, a.ips[0]) == ["b", "c"]

    run(story)


def test_rules_replaced_in_place_are_in_force_and_gone_with_their_policy() -> None:
    """Allow and deny in turn; a Pod that starts after the deletion is open, and so is the old one."""

    async def story(world: World) -> None:
        spaces(world)
        a = world.pod("a", "win-1", "x")
        clients = {"c": world.pod("c", "win-2", "y")}
        for rules in ([{"from": [{"namespaceSelector": ALL}]}], [], [{}], []):
            policy(world, "one", {"podSelector": ALL, "policyTypes": ["Ingress"], "ingress": rules})
            await world.settled()
            assert await open_from(world, clients, a.ips[0]) == (["c"] if rules else [])
        world.informer(POLICIES).drop("x", "one")
        late = world.pod("b", "win-1", "x")
        await world.settled()
        assert await open_from(world, clients, a.ips[0]) == await open_from(world, clients, late.ips[0]) == ["c"]

    run(story)


def test_a_pod_that_starts_after_the_policy_is_protected_at_once() -> None:
    """And not when the write of its rules is lost (C103)."""

    async def story(world: World) -> None:
        policy(world, "deny", {"podSelector": ALL})
        client = {"c": world.pod("c", "linux-1", "y")}
        assert await open_from(world, client, world.pod("a", "win-1", "x").ips[0]) == []
        hooks.on_write(world.network.tables["win-1"].acl, {"create"}, lambda _: True, "drop", times=1)
        late = world.pod("b", "win-1", "x")
        await world.clock.turn(60)
        assert await open_from(world, client, late.ips[0]) == ["c"]

    run(story)


def test_ports_by_number_range_and_name() -> None:
    """C107: an endpoint that understands neither ranges nor names lets less in."""

    async def story(world: World) -> None:
        container = {"ports": [{"name": "web", "containerPort": 8080}]}
        a = world.pod("a", "win-1", "x", containers=[container])
        client = {"c": world.pod("c", "linux-1", "x")}
        acl = world.network.tables["win-1"].acl
        for ports, flaw in (([{"port": "web"}], "named"), ([{"port": 8000, "endPort": 8090}], "ranges")):
            policy(world, "p", {"podSelector": ALL, "ingress": [{"ports": ports}]})
            await world.settled()
            assert await open_from(world, client, a.ips[0]) == ["c"]
            assert await answers(world, udp_name_at(client["c"].namespace, a.ips[0])) == "TimedOut"
            hooks.alter(acl, lambda _: True, **{flaw: False})
            assert await open_from(world, client, a.ips[0]) == []
            hooks.heal_hooks(world)

    run(story)


def test_services_and_probes_are_judged_as_the_endpoint_does_it() -> None:
    """C110, C105: a way round through a Service, and a Node whose probes are blocked."""

    async def story(world: World) -> None:
        a, client = world.pod("a", "win-1", "x"), world.pod("c", "win-1", "x")
        world.service("s", [a])
        policy(world, "deny", {"podSelector": ALL})
        await world.settled()
        assert await answers(world, name_at(client.namespace, VIP, 80)) == "TimedOut"
        hooks.alter(world.network.tables["win-1"].acl, lambda _: True, services=False, host=False)
        assert await answers(world, name_at(client.namespace, VIP, 80)) == "a"
        assert await answers(world, name_at(client.namespace, a.ips[0])) == "TimedOut"
        assert await answers(world, name_at(world.network.host("win-1"), a.ips[0])) == "TimedOut"

    run(story)


def test_egress_by_pod_and_by_block() -> None:
    """Nothing leaves but what a rule names."""

    async def story(world: World) -> None:
        client, b, c = (world.pod(name, node, "x") for name, node in (("a", "win-1"), ("b", "win-2"), ("c", "linux-1")))
        egress = [
            {"to": [{"podSelector": {"matchExpressions": [{"key": "pod", "operator": "In", "values": ["b"]}]}}]},
            {"to": [{"ipBlock": {"cidr": "93.184.0.0/16", "except": ["93.184.215.15/32"]}}]},
        ]
        policy(world, "p", {"podSelector": {"matchLabels": {"pod": "a"}}, "policyTypes": ["Egress"], "egress": egress})
        await world.settled()
        assert await answers(world, name_at(client.namespace, b.ips[0])) == "b"
        assert await answers(world, name_at(client.namespace, c.ips[0])) == "TimedOut"
        assert await answers(world, client.namespace.connect("93.184.215.14", 80, 3)) != "TimedOut"
        assert await answers(world, client.namespace.connect("93.184.215.15", 80, 3)) == "TimedOut"

    run(story)
