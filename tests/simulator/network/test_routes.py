"""Public cases as states of ROUTE and IPAM: directions, sizes, waves, and single losses."""

from __future__ import annotations

import pytest

from op_readiness.simulator.network.interface import Reset
from op_readiness.simulator.network.keys import RouteKey, RouteValue
from tests.simulator.network import hooks
from tests.simulator.network.seeing import VIP, answers
from tests.simulator.network.worlds import World, name_at, run, udp_name_at

DROP = RouteValue("drop")


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
