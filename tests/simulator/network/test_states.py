"""Public cases as states of the tables: what each breaks, and what goes on working beside it."""

from __future__ import annotations

import pytest

from op_readiness.simulator.network.interface import NetworkFailure, Refused, Reset, TimedOut
from op_readiness.simulator.network.keys import Backend, RouteKey, RouteValue
from tests.simulator.network import hooks
from tests.simulator.network.worlds import World, get, name_at, run, udp_name_at

VIP = "10.96.0.50"
DROP = RouteValue("drop")


async def answers(world: World, work: object, seconds: float = 200.0) -> str:
    """The name that came, or the failure's class."""
    try:
        return str(await world.after(work, seconds))  # type: ignore[arg-type]
    except NetworkFailure as error:
        return type(error).__name__


async def seen(world: World, client: object, tries: int = 40) -> set[str]:
    return {await answers(world, name_at(client, VIP, 80, 3)) for _ in range(tries)}  # type: ignore[arg-type]


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


def test_replies_lost_on_one_node_cut_one_direction() -> None:
    """C23: what comes into the Node gets no answer, what goes out of it does; UDP arrives all the same."""

    async def story(world: World) -> None:
        windows, linux = world.pod("w", "win-1"), world.pod("l", "linux-1")
        arrived = []
        server = windows.namespace.stack.server("UDP", 8081, windows.ips[0])
        assert server is not None
        inner = server.datagram

        async def noted(data: bytes, peer: object) -> bytes | None:
            arrived.append(data)
            return await inner(data, peer)  # type: ignore[misc,arg-type]

        server.datagram = noted
        hooks.route(world, DROP, from_node="win-1", direction="reply", same_node=False)
        assert await answers(world, name_at(linux.namespace, windows.ips[0])) == "TimedOut"
        assert await answers(world, name_at(windows.namespace, linux.ips[0])) == "l"
        assert await answers(world, udp_name_at(linux.namespace, windows.ips[0])) == "TimedOut"
        assert arrived == [b"hostname"]

    run(story)


def test_an_overlay_split_by_system() -> None:
    """C24: Windows and Linux do not hear one another, each hears its own."""

    async def story(world: World) -> None:
        pods = {node: world.pod(node, node) for node in world.nodes}
        hooks.route_if(world, DROP, lambda key: {key.from_os, key.to_os} == {"windows", "linux"})
        assert await answers(world, name_at(pods["win-1"].namespace, pods["win-2"].ips[0])) == "win-2"
        assert await answers(world, name_at(pods["linux-1"].namespace, pods["linux-2"].ips[0])) == "linux-2"
        assert await answers(world, name_at(pods["linux-1"].namespace, pods["win-1"].ips[0])) == "TimedOut"
        assert await answers(world, name_at(pods["win-1"].namespace, pods["linux-1"].ips[0])) == "TimedOut"

    run(story)


def test_pod_ip_dropped_while_the_service_answers() -> None:
    """C25: only the direct way is cut."""

    async def story(world: World) -> None:
        server, client = world.pod("w", "win-1"), world.pod("l", "linux-1")
        world.service("s", [server])
        await world.settled()
        hooks.route(world, DROP, via="podip", to_node="win-1", from_os="linux", direction="request")
        assert await answers(world, name_at(client.namespace, server.ips[0])) == "TimedOut"
        assert await answers(world, name_at(client.namespace, VIP, 80)) == "w"

    run(story)


def test_open_without_data() -> None:
    """C30: the connection opens and no byte comes back."""

    async def story(world: World) -> None:
        server, client = world.pod("l", "linux-1"), world.pod("w", "win-1")
        world.service("s", [server])
        await world.settled()
        hooks.route(world, RouteValue("no-reply"), from_node="win-1", via="clusterip", protocol="TCP", stage="data")
        connection = await world.after(client.namespace.connect(VIP, 80, 3))
        assert connection.peer.port == 80
        assert await answers(world, name_at(client.namespace, VIP, 80)) == "TimedOut"
        hooks.heal_hooks(world)
        hooks.alter(world.network.tables["win-1"].lb, lambda key: True, verdict="no-reply")
        await world.after(client.namespace.connect(VIP, 80, 3))
        assert await answers(world, name_at(client.namespace, VIP, 80)) == "TimedOut"

    run(story)


def test_a_small_mtu_loses_only_what_is_large() -> None:
    """An answer over the limit never comes, a small one does."""

    async def story(world: World) -> None:
        server, client = world.pod("w", "win-1"), world.pod("l", "linux-1")
        large = world.pod("x" * 2000, "win-1")
        hooks.route_if(world, DROP, lambda key: key.size > 1400 and not key.same_node)
        assert await answers(world, name_at(client.namespace, server.ips[0])) == "w"
        assert await answers(world, name_at(client.namespace, large.ips[0])) == "TimedOut"

    run(story)


def test_a_square_wave_shows_as_runs_of_lost_short_tries_and_late_long_ones() -> None:
    """C34: five seconds pass, five drop; TCP with patience gets through by repeating itself."""

    async def story(world: World) -> None:
        server, client = world.pod("w", "win-1"), world.pod("l", "win-2")
        start, low = world.clock.now(), 5.0
        hooks.route_if(world, DROP, lambda key: (world.clock.now() - start) % 10 >= low)
        tries = []
        for second in range(10):
            await world.clock.turn(start + second - world.clock.now())
            work = udp_name_at(client.namespace, server.ips[0], timeout=0.5)
            tries.append(await answers(world, work, 0.5))
        assert tries == ["w"] * 5 + ["TimedOut"] * 5
        await world.clock.turn(start + 17 - world.clock.now())
        assert await answers(world, name_at(client.namespace, server.ips[0], timeout=10), 8) == "w"

    run(story)


def test_old_connections_are_reset_and_new_ones_open() -> None:
    """C37: a rebuilt ACL cuts what was open before."""

    async def story(world: World) -> None:
        server, client = world.pod("w", "win-1"), world.pod("l", "linux-1")
        connection = await world.after(client.namespace.connect(server.ips[0], 8080, 3))
        await world.clock.turn(5)
        cut = world.clock.now()
        hooks.route_if(world, RouteValue("reset"), lambda key: key.stage == "data" and key.opened < cut)
        with pytest.raises(Reset):
            await world.after(connection.exchange(b"GET / HTTP/1.1\r\n\r\n", 3))
        assert await answers(world, name_at(client.namespace, server.ips[0])) == "w"

    run(story)


def test_probes_from_the_host_are_cut_while_pods_talk() -> None:
    """C38: the Node does not reach its own Pods, everybody else does."""

    async def story(world: World) -> None:
        server, client = world.pod("w", "win-1"), world.pod("l", "linux-1")
        hooks.route(world, DROP, via="hostprobe", from_node="win-1")
        assert await answers(world, name_at(world.network.host("win-1"), server.ips[0])) == "TimedOut"
        assert await answers(world, name_at(client.namespace, server.ips[0])) == "w"

    run(story)


def test_the_udp_half_of_a_service_is_missing() -> None:
    """C39: the creation of the UDP load balancer is lost, TCP works."""

    async def story(world: World) -> None:
        pod, client = world.pod("p", "linux-1"), world.pod("c", "win-1")
        hooks.on_write(world.network.tables["win-1"].lb, {"create"}, lambda key: key.protocol == "UDP", "drop")
        world.service("s", [pod])
        await world.settled()
        assert await answers(world, name_at(client.namespace, VIP, 80)) == "p"
        assert await answers(world, udp_name_at(client.namespace, VIP, 90)) == "TimedOut"

    run(story)


def test_two_nodes_with_one_range_hand_out_one_address_twice() -> None:
    """C40: the name that answers is that of whoever the asker's Node believes in."""

    async def story(world: World) -> None:
        world.network.tables["win-2"].ipam.set("range", "10.244.1.0/24")
        one, two = world.pod("one", "win-1"), world.pod("two", "win-2")
        assert one.ips == two.ips
        names = {
            await answers(world, name_at(world.pod(f"c-{node}", node).namespace, one.ips[0])) for node in world.nodes
        }
        assert "two" in names
        assert names != {"one"}

    run(story)


def test_without_a_source_vip_remote_answers_are_lost() -> None:
    """C118: Services of that Node's clients fail towards other Nodes, Pod addresses work."""

    async def story(world: World) -> None:
        pod, client = world.pod("p", "linux-1"), world.pod("c", "win-1")
        world.service("s", [pod])
        await world.settled()
        hooks.alter(world.network.tables["win-1"].lb, lambda key: True, source_vip="")
        assert await answers(world, name_at(client.namespace, VIP, 80)) == "TimedOut"
        assert await answers(world, name_at(client.namespace, pod.ips[0])) == "p"

    run(story)


def test_a_little_loss_is_lateness_for_tcp() -> None:
    """C146: a lost SYN is sent again, a lost datagram is not."""

    async def story(world: World) -> None:
        server, client = world.pod("s", "win-1"), world.pod("c", "linux-1")
        lost = [0]

        def first(key: RouteKey) -> bool:
            lost[0] += key.at == "out"
            return lost[0] == 1

        hooks.route_if(world, DROP, first)
        assert await answers(world, name_at(client.namespace, server.ips[0])) == "s"
        lost[0] = 0
        assert await answers(world, udp_name_at(client.namespace, server.ips[0])) == "TimedOut"

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
