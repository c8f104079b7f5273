"""Where packets go in a healthy cluster, and how attempts end."""

from __future__ import annotations

import pytest

from op_readiness.simulator.network.interface import NoRoute, Refused, TimedOut
from tests.simulator.network.worlds import World, get, name_at, run, serve_name, udp_name_at


@pytest.mark.parametrize("client", ["win-1", "win-2", "linux-1"])
@pytest.mark.parametrize("server", ["win-1", "linux-2"])
def test_every_pod_reaches_every_pod_by_its_address(client: str, server: str) -> None:
    """HTTP and UDP arrive by Pod IP, and the server sees the client's own address."""

    async def story(world: World) -> None:
        there, here = world.pod("there", server), world.pod("here", client)
        response = await world.after(get(here.namespace, there.ips[0]))
        assert response.body == b"there"
        assert response.headers["X-Peer"] == here.ips[0]
        assert await world.after(udp_name_at(here.namespace, there.ips[0])) == "there"

    run(story)


@pytest.mark.parametrize("client", ["win-1", "linux-1"])
def test_a_service_reaches_every_backend(client: str) -> None:
    """The names seen through a ClusterIP are those of all backends, once the proxies have caught up."""

    async def story(world: World) -> None:
        pods = [world.pod(f"p{at}", node) for at, node in enumerate(("win-1", "win-2", "linux-1"))]
        here = world.pod("here", client)
        world.service("s", pods)
        with pytest.raises(TimedOut):
            await world.after(name_at(here.namespace, "10.96.0.50", 80, timeout=0.5), 0.6)
        await world.settled()
        seen = {await world.after(name_at(here.namespace, "10.96.0.50", 80)) for _ in range(40)}
        assert seen == {"p0", "p1", "p2"}
        assert await world.after(udp_name_at(here.namespace, "10.96.0.50", 90)) in seen

    run(story)


def test_a_service_without_endpoints_is_refused_on_linux_and_silent_on_windows() -> None:
    """iptables rejects, winkernel has no load balancer left."""

    async def story(world: World) -> None:
        linux, windows = world.pod("l", "linux-1"), world.pod("w", "win-1")
        world.service("s", [])
        await world.settled()
        with pytest.raises(Refused):
            await world.after(name_at(linux.namespace, "10.96.0.50", 80))
        with pytest.raises(TimedOut):
            await world.after(name_at(windows.namespace, "10.96.0.50", 80))

    run(story)


def test_node_ports_answer_on_every_node_but_a_windows_node_itself() -> None:
    """Every Node hands node port traffic to a backend, its own Pods' too; what a Windows Node itself sends is lost."""

    async def story(world: World) -> None:
        windows, linux = world.pod("w", "win-1"), world.pod("l", "linux-1")
        other = world.pod("o", "win-1")
        world.service("s", [windows], type="NodePort")
        await world.settled()
        for node in world.nodes.values():
            assert await world.after(name_at(linux.namespace, node.ip, 30080)) == "w"
            assert await world.after(name_at(other.namespace, node.ip, 30080)) == "w"
        assert await world.after(name_at(windows.namespace, world.nodes["linux-1"].ip, 30080)) == "w"
        assert await world.after(udp_name_at(windows.namespace, world.nodes["win-2"].ip, 30090)) == "w"
        with pytest.raises(TimedOut):
            await world.after(name_at(world.network.host("win-1"), world.nodes["win-1"].ip, 30080))
        assert await world.after(name_at(world.network.external("203.0.113.9"), world.nodes["win-2"].ip, 30080)) == "w"

    run(story)


def test_external_traffic_policy_local_keeps_the_client_and_answers_only_beside_a_backend() -> None:
    """The Node with a backend shows the client, a Node without one does not answer, the VIP works anywhere."""

    async def story(world: World) -> None:
        server, client = world.pod("w", "win-1"), world.pod("l", "linux-1")
        world.service("s", [server], type="NodePort", externalTrafficPolicy="Local")
        await world.settled()
        response = await world.after(get(client.namespace, world.nodes["win-1"].ip, 30080))
        assert response.headers["X-Peer"] == world.nodes["linux-1"].ip  # a Pod's packets to Nodes are masqueraded
        with pytest.raises(Refused):
            await world.after(name_at(client.namespace, world.nodes["win-2"].ip, 30080))
        elsewhere = world.pod("e", "win-2")
        assert await world.after(name_at(elsewhere.namespace, "10.96.0.50", 80)) == "w"

    run(story)


def test_a_pod_reaches_itself_through_its_own_service() -> None:
    """Hairpin works on both systems, and the server does not see its own address as the client's on Windows."""

    async def story(world: World) -> None:
        for node in ("win-1", "linux-1"):
            pod = world.pod("self", node)
            world.service("s", [pod])
            await world.settled()
            assert await world.after(name_at(pod.namespace, "10.96.0.50", 80)) == "self"

    run(story)


def test_refusals_take_the_time_and_the_form_of_the_client_system() -> None:
    """Linux hears of a closed port at once; Windows after 2 s for TCP, and never for UDP."""

    async def story(world: World) -> None:
        server = world.pod("s", "linux-2")
        linux, windows = world.pod("l", "linux-1"), world.pod("w", "win-1")
        with pytest.raises(Refused):
            await world.after(linux.namespace.connect(server.ips[0], 9999, 1), 0)
        with pytest.raises(TimedOut):
            await world.after(windows.namespace.connect(server.ips[0], 9999, 1))
        before = world.clock.now()
        with pytest.raises(Refused, match="actively refused"):
            await world.after(windows.namespace.connect(server.ips[0], 9999, 10), 2)
        assert world.clock.now() == before + 2
        with pytest.raises(Refused):
            await world.after(linux.namespace.datagram(server.ips[0], 9999, b"x", 5), 0)
        with pytest.raises(TimedOut):
            await world.after(windows.namespace.datagram(server.ips[0], 9999, b"x", 5))

    run(story)


@pytest.mark.parametrize(("node", "seconds"), [("win-1", 21.0), ("linux-1", 133.0)])
def test_a_silent_address_ends_when_the_system_gives_up(node: str, seconds: float) -> None:
    """Without a time-out of its own a connect lasts as long as the operating system's."""

    async def story(world: World) -> None:
        pod, before = world.pod("p", node), world.clock.now()
        with pytest.raises(TimedOut):
            await world.after(pod.namespace.connect("192.0.2.1", 80, None), seconds)
        assert world.clock.now() == before + seconds

    run(story)


def test_an_address_of_the_own_subnet_that_nobody_has_is_no_route_to_host() -> None:
    """Linux says so after 3 s, or times out before."""

    async def story(world: World) -> None:
        pod = world.pod("p", "linux-1")
        with pytest.raises(NoRoute, match="no route to host"):
            await world.after(pod.namespace.connect("10.244.3.200", 80, None), 3)
        with pytest.raises(TimedOut):
            await world.after(pod.namespace.connect("10.244.3.200", 80, 1), 1)

    run(story)


def test_hosts_reach_their_pods_and_pods_reach_nodes_api_server_and_internet() -> None:
    """Kubelet probes, kubelet ports, `kubernetes` by its VIP, and a public page."""

    async def story(world: World) -> None:
        world.services.put({
            "metadata": {"namespace": "default", "name": "kubernetes"},
            "spec": {"clusterIP": "10.96.0.1", "ports": [{"name": "https", "port": 443}]},
        })
        world.endpointslices.put({
            "metadata": {
                "namespace": "default", "name": "kubernetes", "labels": {"kubernetes.io/service-name": "kubernetes"},
            },
            "ports": [{"name": "https", "port": 6443}],
            "endpoints": [{"addresses": ["10.240.0.2"]}],
        })
        await world.settled()
        for node in ("win-1", "linux-1"):
            pod, host = world.pod("p", node), world.network.host(node)
            serve_name(host, f"agent-{node}", 9100)
            assert await world.after(name_at(host, pod.ips[0])) == "p"
            assert await world.after(name_at(pod.namespace, world.nodes[node].ip, 9100)) == f"agent-{node}"
            kubelet = await world.after(pod.namespace.connect(world.nodes["win-2"].ip, 10250, 3))
            assert (await world.after(kubelet.request(_https("/pods"), 3))).status == 401
            await world.after(pod.namespace.ping(world.nodes["win-2"].ip, 3))
            assert await world.after(name_at(world.network.external(), pod.ips[0])) == "p"
            connection = await world.after(pod.namespace.connect("10.96.0.1", 443, 5))
            request = _https("/healthz")
            assert (await world.after(connection.request(request, 5))).body == b"ok"
            assert (await world.after(connection.request(_https("/api"), 5))).status == 403
            page = await world.after(get(pod.namespace, "142.250.185.68", 80))
            assert page.status == 200

    run(story)


def _https(target: str):  # type: ignore[no-untyped-def]
    from op_readiness.simulator.network.interface import HttpRequest

    return HttpRequest("GET", target, tls=True)


def test_session_affinity_keeps_a_client_with_its_backend() -> None:
    """Fifteen answers in a row come from one backend."""

    async def story(world: World) -> None:
        pods = [world.pod(f"p{at}", "win-2") for at in range(3)]
        here = world.pod("here", "win-1")
        world.service("s", pods, sessionAffinity="ClientIP")
        await world.settled()
        assert len({await world.after(name_at(here.namespace, "10.96.0.50", 80)) for _ in range(15)}) == 1

    run(story)
