"""Names: what the cluster's zone says, how CoreDNS serves it, and how each system asks."""

from __future__ import annotations

import pytest

from op_readiness.simulator.network.dnsmessage import (
    DnsAnswer,
    DnsQuery,
    DnsRecord,
    decode_answer,
    decode_query,
    encode_answer,
    encode_query,
)
from op_readiness.simulator.network.dnsserver import CoreDns
from op_readiness.simulator.network.interface import NameFailure, Peer
from op_readiness.simulator.network.internet import SITE_RESOLVER
from op_readiness.simulator.network.keys import DnsPath, DnsValue, RouteValue
from op_readiness.simulator.network.zone import ClusterZone
from tests.simulator.network import hooks
from tests.simulator.network.worlds import World, run

FULL = "s.t.svc.cluster.local"


def with_dns(world: World, node: str = "linux-1") -> CoreDns:
    """CoreDNS in a Pod behind 10.96.0.10."""
    pod = world.pod("coredns", node)
    server = CoreDns(
        world.clock, world.random, ClusterZone(world.network.services), forward=(SITE_RESOLVER,)
    )
    server.serve(pod.namespace)
    ports = [{"name": "dns", "port": 53, "protocol": "UDP"}, {"name": "dns-tcp", "port": 53, "protocol": "TCP"}]
    world.services.put({
        "metadata": {"namespace": "kube-system", "name": "kube-dns"},
        "spec": {"clusterIP": "10.96.0.10", "ports": ports},
    })
    world.endpointslices.put({
        "metadata": {
            "namespace": "kube-system", "name": "kube-dns-a", "labels": {"kubernetes.io/service-name": "kube-dns"},
        },
        "ports": ports,
        "endpoints": [{"addresses": pod.ips, "nodeName": node}],
    })
    return server


def failure(error: pytest.ExceptionInfo[NameFailure]) -> tuple[str, str]:
    return error.value.kind, error.value.server


def test_messages_survive_the_wire() -> None:
    """Question and answer come back as they were, and what is too large is cut."""
    query = DnsQuery("a.b.", "SRV", 7, 1232)
    assert decode_query(encode_query(query)) == query
    records = tuple(DnsRecord("a.b.", "SRV", 30, f"0 50 80 p{at}.a.b.") for at in range(3))
    soa = DnsRecord("b.", "SOA", 30, "ns.b. hostmaster.b. 1 2 3 4 30")
    answer = DnsAnswer(DnsQuery("a.b.", "SRV", 7), "NXDOMAIN", records, (soa,), authoritative=True)
    assert decode_answer(encode_answer(answer)) == answer
    cut = decode_answer(encode_answer(answer, 60))
    assert cut.truncated
    assert cut.answers == ()


def test_the_zone_answers_as_coredns_does() -> None:
    """ClusterIP, headless, per-Pod, SRV, ExternalName, reverse, and the difference between no name and no record."""

    async def story(world: World) -> None:
        pod = world.pod("p", "linux-1")
        world.service("s", [pod])
        world.service("h", [pod], clusterIP="None")
        world.services.put({
            "metadata": {"namespace": "t", "name": "x"},
            "spec": {"type": "ExternalName", "externalName": "foo.example.com"},
        })
        zone = ClusterZone(world.network.services)
        said = {
            (name, kind): zone.answer(DnsQuery(f"{name}.cluster.local.", kind))
            for name, kind in [
                ("s.t.svc", "A"), ("s.t.svc", "AAAA"), ("h.t.svc", "A"), ("10-244-3-3.h.t.svc", "A"), ("no.t.svc", "A"),
                ("_http._tcp.s.t.svc", "SRV"), ("_http._tcp.h.t.svc", "SRV"), ("x.t.svc", "A"), ("t.svc", "A"),
                ("u.svc", "A"), ("10-244-3-3.t.pod", "A"),
            ]
        }
        data = {key: (answer.rcode, [record.data for record in answer.answers]) for key, answer in said.items()}
        assert data["s.t.svc", "A"] == ("NOERROR", ["10.96.0.50"])
        assert data["s.t.svc", "AAAA"] == ("NOERROR", [])
        assert said["s.t.svc", "AAAA"].authority[0].type == "SOA"
        assert data["h.t.svc", "A"] == ("NOERROR", pod.ips)
        assert data["10-244-3-3.h.t.svc", "A"] == ("NOERROR", pod.ips)
        assert data["no.t.svc", "A"] == ("NXDOMAIN", [])
        assert data["_http._tcp.s.t.svc", "SRV"] == ("NOERROR", [f"0 100 80 {FULL}."])
        assert data["_http._tcp.h.t.svc", "SRV"] == ("NOERROR", ["0 100 8080 10-244-3-3.h.t.svc.cluster.local."])
        assert data["x.t.svc", "A"] == ("NOERROR", ["foo.example.com."])
        assert data["t.svc", "A"] == ("NOERROR", [])
        assert data["u.svc", "A"] == ("NXDOMAIN", [])
        assert data["10-244-3-3.t.pod", "A"] == ("NOERROR", ["10.244.3.3"])
        reverse = zone.reverse(DnsQuery("50.0.96.10.in-addr.arpa.", "PTR"))
        assert reverse is not None
        assert reverse.answers[0].data == f"{FULL}."

    run(story)


def test_pods_find_services_and_internet_names_each_in_its_system_way() -> None:
    """Linux searches names with few dots, Windows takes a name with a dot as complete."""

    async def story(world: World) -> None:
        with_dns(world)
        world.service("s", [])
        linux, windows = world.pod("l", "linux-2"), world.pod("w", "win-1")
        await world.settled()
        for pod in (linux, windows):
            assert await world.after(pod.namespace.lookup(FULL)) == ["10.96.0.50"]
            assert await world.after(pod.namespace.lookup("s")) == ["10.96.0.50"]
            assert await world.after(pod.namespace.lookup("www.example.com")) == ["93.184.215.14"]
            assert await world.after(pod.namespace.lookup("localhost")) == ["127.0.0.1"]
            assert await world.after(pod.namespace.lookup(pod.namespace.stack.pod.split("/")[1])) == pod.ips
        assert await world.after(linux.namespace.lookup("s.t")) == ["10.96.0.50"]
        with pytest.raises(NameFailure) as error:
            await world.after(windows.namespace.lookup("s.t"))
        assert failure(error) == ("nxdomain", "10.96.0.10")
        with pytest.raises(NameFailure):
            await world.after(windows.namespace.lookup("s.t.svc.cluster.local", "IPv6"))

    run(story)


def test_a_missing_name_stays_missing_for_the_cache_time() -> None:
    """CoreDNS keeps what it said, also a no, for 30 s of cluster time."""

    async def story(world: World) -> None:
        with_dns(world)
        pod = world.pod("l", "linux-2")
        await world.settled()
        with pytest.raises(NameFailure):
            await world.after(pod.namespace.lookup(FULL))
        world.service("s", [])
        with pytest.raises(NameFailure):
            await world.after(pod.namespace.lookup(FULL))
        await world.clock.turn(31)
        assert await world.after(pod.namespace.lookup(FULL)) == ["10.96.0.50"]
        world.services.drop("t", "s")
        assert await world.after(pod.namespace.lookup(FULL)) == ["10.96.0.50"]
        await world.network.heal()
        with pytest.raises(NameFailure):
            await world.after(pod.namespace.lookup(FULL))

    run(story)


def test_an_external_name_is_followed() -> None:
    """The CNAME comes with the addresses of its target, and alone when there are none."""

    async def story(world: World) -> None:
        server = with_dns(world)
        for name, target in (("x", "www.example.com"), ("y", "foo.example.com")):
            world.services.put({
                "metadata": {"namespace": "t", "name": name}, "spec": {"type": "ExternalName", "externalName": target},
            })
        await world.settled()
        for name, data in (("x", ["www.example.com.", "93.184.215.14"]), ("y", ["foo.example.com."])):
            query = DnsQuery(f"{name}.t.svc.cluster.local.")
            answer = await world.after(server.answer(query, Peer("10.244.1.1", 1)))
            assert [record.data for record in answer.answers] == data

    run(story)


def test_large_answers_go_by_tcp_and_fail_where_that_is_blocked() -> None:
    """C99: a truncated answer is asked again over TCP; with TCP 53 dropped it never comes, small names do."""

    async def story(world: World) -> None:
        with_dns(world)
        world.service("h", [world.pod(f"p{at}", "linux-1") for at in range(40)], clusterIP="None")
        world.service("s", [])
        windows = world.pod("w", "win-1")
        await world.settled()
        name = "h.t.svc.cluster.local"
        assert len(await world.after(windows.namespace.lookup(name))) == 40
        hooks.route(world, RouteValue("drop"), from_node="win-1", protocol="TCP", port=53)
        with pytest.raises(NameFailure) as error:
            await world.after(windows.namespace.lookup(name))
        assert failure(error)[0] == "timeout"
        assert await world.after(windows.namespace.lookup(FULL)) == ["10.96.0.50"]

    run(story)


@pytest.mark.parametrize(("node", "seconds"), [("linux-1", 10.0), ("win-1", 7.0)])
def test_a_silent_server_costs_the_systems_patience(node: str, seconds: float) -> None:
    """Linux asks twice for 5 s, Windows for 1, 2 and 4 s."""

    async def story(world: World) -> None:
        pod = world.pod("p", node, dnsPolicy="None", dnsConfig={"nameservers": ["192.0.2.1"]})
        before = world.clock.now()
        with pytest.raises(NameFailure) as error:
            await world.after(pod.namespace.lookup("a.b.c."), seconds)
        assert failure(error) == ("timeout", "192.0.2.1")
        assert world.clock.now() == before + seconds

    run(story)


def test_a_second_server_is_asked_when_the_first_is_silent() -> None:
    """Windows goes on after a second."""

    async def story(world: World) -> None:
        config = {"nameservers": ["192.0.2.1", SITE_RESOLVER]}
        pod = world.pod("p", "win-1", dnsPolicy="None", dnsConfig=config)
        assert await world.after(pod.namespace.lookup("example.com"), 1) == ["93.184.215.14"]

    run(story)


def test_settings_come_from_the_pod_and_a_fault_can_change_them() -> None:
    """dnsPolicy None, host aliases, and a table entry altered behind the kubelet's back."""

    async def story(world: World) -> None:
        config = {"nameservers": ["1.1.1.1"], "searches": ["resolv.conf.local"]}
        aliases = [{"ip": "203.0.113.5", "hostnames": ["alias.example"]}]
        pod = world.pod("p", "win-1", dnsPolicy="None", dnsConfig=config, hostAliases=aliases)
        assert pod.dns == pod.namespace.dns == DnsValue(("1.1.1.1",), ("resolv.conf.local",), 1)
        assert await world.after(pod.namespace.lookup("alias.example")) == ["203.0.113.5"]
        seen = await world.after(pod.namespace.resolve("kubernetes.io", "A"))
        assert (seen.server, seen.answer.addresses()) == ("1.1.1.1", ["15.197.167.90"])
        world.network.tables["win-1"].dns.set(pod.namespace.dns_key, DnsValue(()))
        with pytest.raises(NameFailure):
            await world.after(pod.namespace.lookup("example.com"))

    run(story)


def test_faults_of_single_questions() -> None:
    """C46, C52: late at first, silent for external names, or for the second Pod of a Node only."""

    async def story(world: World) -> None:
        with_dns(world)
        world.service("s", [])
        one, two = world.pod("one", "win-1"), world.pod("two", "win-1")
        await world.settled()
        hooks.dns(world, DnsPath("drop"), lambda key: key.zone == "external" and key.order == 2)
        assert await world.after(one.namespace.lookup("example.com"))
        assert await world.after(two.namespace.lookup(FULL))
        with pytest.raises(NameFailure):
            await world.after(two.namespace.lookup("example.com"))
        hooks.heal_hooks(world)
        young = world.pod("young", "win-1")
        hooks.dns(world, DnsPath("drop"), lambda key: key.age < 20)
        with pytest.raises(NameFailure):
            await world.after(young.namespace.lookup(FULL), 8)
        await world.clock.turn(20)
        assert await world.after(young.namespace.lookup(FULL))

    run(story)
