"""Public cases as states of LB, REP and EP: what each breaks, and what goes on working beside it."""

from __future__ import annotations

import pytest

from op_readiness.simulator.network.interface import Refused, TimedOut
from op_readiness.simulator.network.keys import Backend, RouteValue
from tests.simulator.network import hooks
from tests.simulator.network.seeing import VIP, answers, seen
from tests.simulator.network.worlds import World, get, name_at, run, udp_name_at

DROP = RouteValue("drop")


def test_recycled_addresses_meet_what_a_node_remembers() -> None:
    """C01 by churn alone: a shared pool gives one Node the address that it still believes elsewhere."""

    async def story(world: World) -> None:
        net, other = world.network, world.pod("other", "linux-1")
        tables = net.tables["win-1"]
        hooks.on_write(tables.rep, {"delete"}, lambda _: True, "drop")
        tables.ipam.on_lookup.append(lambda _, key, met: "yes" if key == "recycle" else met)
        net.tables["win-2"].ipam.on_lookup.append(lambda _, key, met: "gives" if key == "recycle" else met)
        old = world.pod("old", "win-2")
        net.detach("uid-2")
        new = world.pod("new", "win-1")
        assert new.ips == old.ips
        assert await answers(world, name_at(other.namespace, new.ips[0])) == "TimedOut"
        assert world.pod("next", "win-1").ips == ["10.244.1.3"]

    run(story)


def test_an_address_that_two_pods_had_is_given_back_by_the_last_of_them() -> None:
    """Otherwise a later Pod would get the address of one that still runs, long after the fault is out."""

    async def story(world: World) -> None:
        net = world.network
        ipam = net.tables["win-1"].ipam
        stays = world.pod("stays", "win-1")
        ipam.on_lookup.append(lambda _, key, met: met if key == "range" else None)
        assert world.pod("twin", "win-1").ips == stays.ips
        ipam.on_lookup.clear()
        await net.heal()
        net.detach("uid-2")
        assert ipam.programmed[stays.ips[0]] == "uid-1"
        net.detach("uid-1")
        assert stays.ips[0] not in ipam.programmed

    run(story)


def test_healed_the_first_of_two_pods_with_one_address_has_it_on_every_node() -> None:
    """C40: on its own Node too, while the other still runs, and after that one went."""

    async def story(world: World) -> None:
        net = world.network
        first, other = world.pod("first", "win-2"), world.pod("other", "linux-1")
        ipam = net.tables["win-1"].ipam
        ipam.on_lookup.append(lambda _, key, met: "10.244.2.0/24" if key == "range" else met)
        assert world.pod("twin", "win-1").ips == first.ips
        ipam.on_lookup.clear()
        await net.heal()
        for _ in range(2):
            assert await answers(world, name_at(first.namespace, other.ips[0])) == "other"
            assert await answers(world, name_at(other.namespace, first.ips[0])) == "first"
            net.detach("uid-3")

    run(story)


def test_a_stale_remote_endpoint_cuts_off_the_pod_that_gets_its_address() -> None:
    """C01: the address comes back on the Node that remembers its old place, and nothing gets in or out."""

    async def story(world: World) -> None:
        net = world.network
        old, other = world.pod("old", "win-2"), world.pod("other", "linux-1")
        hooks.on_write(net.tables["win-1"].rep, {"delete"}, lambda ip: ip == old.ips[0], "drop")
        net.detach("uid-1")
        net.tables["win-1"].ipam.set("range", "10.244.2.0/24")
        net.tables["win-1"].ipam.set("next", old.ips[0])
        new = world.pod("new", "win-1")
        assert new.ips == old.ips
        assert await answers(world, name_at(other.namespace, new.ips[0])) == "TimedOut"
        assert await answers(world, name_at(new.namespace, other.ips[0])) == "TimedOut"
        assert await answers(world, name_at(new.namespace, new.ips[0])) == "new"

    run(story)


def test_an_address_that_moved_is_missed_only_from_the_node_with_the_old_entry() -> None:
    """C03: Windows takes the entry it finds, so from that Node the backend is lost; other clients reach it."""

    async def story(world: World) -> None:
        net = world.network
        old = world.pod("old", "win-2")
        hooks.on_write(net.tables["win-1"].rep, {"delete"}, lambda ip: ip == old.ips[0], "drop")
        net.detach("uid-1")
        net.tables["linux-1"].ipam.set("range", "10.244.2.0/24")
        net.tables["linux-1"].ipam.set("next", old.ips[0])
        new = world.pod("new", "linux-1")
        windows, linux = world.pod("w", "win-1"), world.pod("l", "linux-2")
        assert await answers(world, name_at(windows.namespace, new.ips[0])) == "TimedOut"
        assert await answers(world, name_at(linux.namespace, new.ips[0])) == "new"

    run(story)


@pytest.mark.parametrize(("state", "own"), [("missing", []), ("created", ["10.244.1.3"])])
def test_a_pod_without_its_endpoint_has_no_network(state: str, own: list[str]) -> None:
    """C02, C31: the API shows an address; the Pod has no adapter, or one that nothing passes."""

    async def story(world: World) -> None:
        net = world.network
        net.tables["win-1"].ep.on_write.append(
            lambda _, operation, __, value: value if value is None else hooks.replace(value, state=state)
        )
        pod, other = world.pod("p", "win-1"), world.pod("o", "win-2")
        assert pod.ips == ["10.244.1.3"]
        assert pod.namespace.addresses == own
        assert await answers(world, name_at(other.namespace, pod.ips[0])) == "TimedOut"
        expected = "NoRoute" if state == "missing" else "TimedOut"
        assert await answers(world, name_at(pod.namespace, other.ips[0])) == expected

    run(story)


def test_a_load_balancer_taken_away_stays_away_until_its_service_changes_or_kube_proxy_restarts() -> None:
    """C04, C06: one Node loses one Service; a new Service there works, and so does the old one elsewhere."""

    async def story(world: World) -> None:
        pod = world.pod("p", "linux-1")
        one, two = world.pod("one", "win-1"), world.pod("two", "win-2")
        world.service("s", [pod])
        await world.settled()
        lb = world.network.tables["win-1"].lb
        for key in lb:
            lb.set(key, None)
        await world.clock.turn(100)
        assert await answers(world, name_at(one.namespace, VIP, 80)) == "TimedOut"
        assert await answers(world, name_at(two.namespace, VIP, 80)) == "p"
        world.service("fresh", [pod], clusterIP="10.96.0.51")
        await world.settled()
        assert await answers(world, name_at(one.namespace, "10.96.0.51", 80)) == "p"
        world.network.restart("kube-proxy", "win-1")
        await world.settled()
        assert await answers(world, name_at(one.namespace, VIP, 80)) == "p"

    run(story)


@pytest.mark.parametrize(("pods", "expected"), [(2, "TimedOut"), (3, "new")])
def test_a_failed_delete_makes_the_recreated_service_stale_for_the_same_number_of_endpoints(
    pods: int, expected: str
) -> None:
    """C08: winkernel takes the policy that it could not delete for the new one, unless the count differs."""

    async def story(world: World) -> None:
        old = [world.pod(f"o{at}", "linux-1") for at in range(2)]
        client = world.pod("c", "win-1")
        world.service("s", old)
        await world.settled()
        hooks.on_write(world.network.tables["win-1"].lb, {"delete"}, lambda _: True, "fail", times=2)
        world.services.drop("t", "s")
        world.endpointslices.drop("t", "s-a")
        await world.settled()
        for at in (1, 2):
            world.network.detach(f"uid-{at}")
        world.service("s", [world.pod("new", "linux-2") for _ in range(pods)])
        await world.settled()
        assert await seen(world, client.namespace, 10) == {expected}

    run(story)


def test_a_dropped_update_leaves_the_old_backends() -> None:
    """C44: the DNS Pod moved, the Windows Node still sends to the old address, the new one answers directly."""

    async def story(world: World) -> None:
        old, client, linux = world.pod("old", "linux-1"), world.pod("c", "win-1"), world.pod("l", "linux-2")
        world.service("s", [old])
        await world.settled()
        hooks.on_write(world.network.tables["win-1"].lb, {"update"}, lambda _: True, "drop")
        world.network.detach("uid-1")
        new = world.pod("new", "linux-2")
        world.slice("s", [new])
        await world.settled()
        assert await answers(world, name_at(client.namespace, VIP, 80)) == "TimedOut"
        assert await answers(world, name_at(client.namespace, new.ips[0])) == "new"
        assert await answers(world, name_at(linux.namespace, VIP, 80)) == "new"

    run(story)


def test_a_face_that_cannot_be_made_is_tried_again() -> None:
    """C45: creation fails for one protocol; every half minute kube-proxy tries the Service again."""

    async def story(world: World) -> None:
        pod, client = world.pod("p", "linux-1"), world.pod("c", "win-1")
        lb = world.network.tables["win-1"].lb
        hooks.on_write(lb, {"create"}, lambda key: key.protocol == "UDP", "fail", times=1)
        world.service("s", [pod])
        await world.settled()
        assert await answers(world, name_at(client.namespace, VIP, 80)) == "p"
        assert await answers(world, udp_name_at(client.namespace, VIP, 90)) == "TimedOut"
        await world.clock.turn(40)
        assert await answers(world, udp_name_at(client.namespace, VIP, 90)) == "p"

    run(story)


def test_hairpin_remote_only_and_local_only_losses_leave_the_other_backends() -> None:
    """C16, C17: the caller itself, or every remote backend, is lost through the Service and through nothing else."""

    async def story(world: World) -> None:
        near, far = world.pod("near", "win-1"), world.pod("far", "win-2")
        world.service("s", [near, far])
        await world.settled()
        hooks.route(world, DROP, from_node="win-1", via="clusterip", hairpin=True)
        assert await seen(world, near.namespace) == {"far", "TimedOut"}
        hooks.heal_hooks(world)
        hooks.route(world, DROP, from_node="win-1", via="clusterip", same_node=False)
        assert await seen(world, near.namespace) == {"near", "TimedOut"}
        assert await answers(world, name_at(near.namespace, far.ips[0])) == "far"

    run(story)


def test_one_internal_port_loses_the_backend_with_another_number() -> None:
    """A named targetPort with two numbers: Windows reaches one backend, Linux both."""

    async def story(world: World) -> None:
        one, two = world.pod("one", "linux-1"), world.pod("two", "linux-1")
        two.namespace.listen("TCP", 9090, two.namespace.stack.listeners["TCP", 8080][0][1])
        two.namespace.close("TCP", 8080)
        windows, linux = world.pod("w", "win-1"), world.pod("l", "linux-2")
        world.service("s", [])
        world.slice("s", [one], {"http": 8080}, "a")
        world.slice("s", [two], {"http": 9090}, "b")
        await world.settled()
        assert await seen(world, windows.namespace) == {"one", "Refused"}
        assert await seen(world, linux.namespace) == {"one", "two"}

    run(story)


def test_a_wrong_internal_port_is_met_from_windows_only() -> None:
    """C20: the load balancer sends to the Service's own port."""

    async def story(world: World) -> None:
        pod, windows, linux = world.pod("p", "linux-1"), world.pod("w", "win-1"), world.pod("l", "linux-2")
        world.service("s", [pod])
        await world.settled()
        hooks.alter(world.network.tables["win-1"].lb, lambda key: True, internal_port=80)
        with pytest.raises(Refused):
            await world.after(name_at(windows.namespace, VIP, 80))
        assert await answers(world, name_at(linux.namespace, VIP, 80)) == "p"

    run(story)


def test_a_missing_vip_entry_and_a_present_one_that_drops() -> None:
    """C19, C49: the cluster address of a Local Service is gone on one Node, or there and silent."""

    async def story(world: World) -> None:
        pod, client = world.pod("p", "win-2"), world.pod("c", "win-1")
        world.service("s", [pod], type="NodePort", externalTrafficPolicy="Local")
        await world.settled()
        lb = world.network.tables["win-1"].lb
        lb.on_lookup.append(lambda _, key, met: None if key.face == "ClusterIP" and met.policy == "Local" else met)
        assert await answers(world, name_at(client.namespace, VIP, 80)) == "TimedOut"
        lb.on_lookup.clear()
        hooks.alter(lb, lambda key: True, verdict="drop")
        assert await answers(world, name_at(client.namespace, VIP, 80)) == "TimedOut"

    run(story)


def test_everything_is_well_again_after_healing() -> None:
    """Whatever was taken away, set or leaked is as the API wants it."""

    async def story(world: World) -> None:
        pods = [world.pod(f"p{at}", node) for at, node in enumerate(world.nodes)]
        client = world.pod("c", "win-1")
        world.service("s", pods)
        await world.settled()
        net = world.network
        before = {node: net.dump(node) for node in world.nodes}
        for tables in net.tables.values():
            for key in tables.lb:
                tables.lb.set(key, None)
            for ip in tables.rep:
                tables.rep.set(ip, "linux-2")
            for uid in tables.ep:
                tables.ep.set(uid, None)
            tables.ipam.set("10.244.1.77", "leak")
        await net.heal()
        assert {node: _sorted(net.dump(node)) for node in world.nodes} == {n: _sorted(d) for n, d in before.items()}
        assert await seen(world, client.namespace, 60) == {"p0", "p1", "p2", "p3"}
        assert (await world.after(get(client.namespace, pods[2].ips[0]))).status == 200

    run(story)


def _sorted(dump: dict[str, object]) -> dict[str, list[str]]:
    tables = dump["tables"]
    assert isinstance(tables, dict)
    return {state: sorted(map(str, entries)) for state, entries in tables.items()}


def test_a_backend_written_by_hand_is_where_connections_go() -> None:
    """`set` needs no keeper: any backend can stand in a load balancer."""

    async def story(world: World) -> None:
        pod, other, client = world.pod("p", "linux-1"), world.pod("o", "linux-2"), world.pod("c", "win-1")
        world.service("s", [pod])
        await world.settled()
        lb = world.network.tables["win-1"].lb
        for key in lb:
            lb.set(key, hooks.replace(lb.programmed[key], backends=(Backend(other.ips[0], 8080),)))
        assert await answers(world, name_at(client.namespace, VIP, 80)) == "o"
        with pytest.raises(TimedOut):
            await world.after(client.namespace.connect("10.96.0.99", 80, 2))

    run(story)


def test_masked_pods_are_seen_at_their_nodes_address_by_pods_of_other_nodes() -> None:
    """Outbound NAT without exceptions: only what leaves the Node is translated, and answers come back."""

    async def story(world: World) -> None:
        here, near, far = world.pod("here", "win-1"), world.pod("near", "win-1"), world.pod("far", "linux-1")
        hooks.alter(world.network.tables["win-1"].ep, lambda _: True, masked=True)
        peers = [(await world.after(get(here.namespace, pod.ips[0]))).headers["X-Peer"] for pod in (near, far)]
        assert peers == [here.ips[0], world.nodes["win-1"].ip]

    run(story)
