"""dig, nslookup and CoreDNS."""

from __future__ import annotations

import pytest

from op_readiness.simulator.network.dnsmessage import DnsQuery
from op_readiness.simulator.network.dnsserver import ask

from .containers import Container, Dns, Net, play

COREFILE = """
# a comment
example.com example.org:53 {
    errors
    log
    health {
        lameduck 5s
    }
    ready
    hosts {
        1.2.3.4 web.example.com
        fd00::7 web.example.com
        5.6.7.8 {$NAME}.example.org
        fallthrough
    }
    cache 30
    reload
}
closed.test {
    hosts /etc/coredns/hosts
}
"""


async def dns(net: Net) -> Container:
    """A CoreDNS at the cluster's DNS address."""
    server = Container(net, "10.96.0.10", image="coredns/coredns:v1.12.0")
    server.files.makedirs("/etc/coredns")
    server.files.write("/etc/coredns/Corefile", COREFILE.encode())
    server.files.write("/etc/coredns/hosts", b"9.9.9.9 a.closed.test # x\n")
    server.env["NAME"] = "env"
    await server.start("/coredns", "-conf", "/etc/coredns/Corefile")
    net.search = ("example.com",)
    return server


@pytest.mark.parametrize(
    ("os", "line", "code", "out"),
    [
        ("linux", "dig +short web.example.com A", 0, "1.2.3.4\n"),
        ("windows", "dig +short web.example.com AAAA", 0, "fd00::7\r\n"),
        ("linux", "dig +notcp +noall +answer +search web A", 0, "web.example.com.\t3600\tIN\tA\t1.2.3.4\n"),
        ("linux", "dig +tcp +noall +answer -q env.example.org", 0, "env.example.org.\t3600\tIN\tA\t5.6.7.8\n"),
        ("linux", "dig @10.96.0.10 +noall +answer a.closed.test", 0, "a.closed.test.\t\t3600\tIN\tA\t9.9.9.9\n"),
        ("linux", "dig +short @192.0.2.1 x +time=1 +tries=2", 9,
         ";; communications error to 192.0.2.1#53: timed out\n" * 2 + ";; no servers could be reached\n"),
        ("windows", "dig +short @192.0.2.1 x +time=1", 9, ";; connection timed out; no servers could be reached\r\n"),
        ("linux", "nslookup web.example.com", 0,
         "Server:\t\t10.96.0.10\nAddress:\t10.96.0.10#53\n\nName:\tweb.example.com\nAddress: 1.2.3.4\n"
         "Name:\tweb.example.com\nAddress: fd00::7\n\n"),
        ("linux", "nslookup b.closed.test", 1,
         "Server:\t\t10.96.0.10\nAddress:\t10.96.0.10#53\n\n** server can't find b.closed.test: SERVFAIL\n\n"),
        ("windows", "nslookup -type=A web", 0,
         "Server:  UnKnown\r\nAddress:  10.96.0.10\r\n\r\nName:    web.example.com\r\nAddress:  1.2.3.4\r\n\r\n"),
        ("windows", "nslookup web.example.com", 0,
         "Server:  UnKnown\r\nAddress:  10.96.0.10\r\n\r\nName:    web.example.com\r\n"
         "Addresses:  1.2.3.4\r\n\t  fd00::7\r\n\r\n"),
    ],
)  # fmt: skip
def test_names_are_shown_in_each_tools_form(os, line, code, out):
    """Output and exit code of dig and of each nslookup."""

    async def scene(net: Net) -> None:
        net.silent.add("192.0.2.1")
        await dns(net)
        client = Container(net, os=os)
        if os == "windows":
            client.network.dns = Dns(("10.96.0.10",), ("example.com",))
        ran = await client.run(*line.split())
        assert (ran.code, ran.out) == (code, out)

    play(scene)


def test_windows_nslookup_fails_with_zero():
    """A name that is not there is told on stderr, and the exit code is 0."""

    async def scene(net: Net) -> None:
        await dns(net)
        client = Container(net, os="windows")
        client.network.dns = Dns(("10.96.0.10",))
        ran = await client.run("nslookup", "nosuch.example.com")
        assert (ran.code, ran.err) == (0, "*** UnKnown can't find nosuch.example.com: Query refused\r\n")
        ran = await client.run("nslookup", "x", "192.0.2.9")
        assert ran.code == 0 and "timed-out" in ran.err

    play(scene)


def test_dig_shows_all_sections():
    """Header, question, answer and statistics of a plain call."""

    async def scene(net: Net) -> None:
        await dns(net)
        out = (await Container(net).run("dig", "web.example.com")).out
        assert ";; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 7\n;; flags: qr aa rd; QUERY: 1, ANSWER: 1," in out
        assert ";web.example.com.\t\tIN\tA\n" in out
        assert ";; SERVER: 10.96.0.10#53(10.96.0.10) (UDP)\n" in out

    play(scene)


def test_coredns_reloads_and_leaves_slowly():
    """A changed Corefile counts within 30 s, a bad one does not; SIGTERM waits for the lame duck."""

    async def scene(net: Net) -> None:
        server = await dns(net)
        process, task = await Container(net, "10.96.0.11", image="agnhost").start("/coredns", "-conf", "/no")
        assert task.result() == 1 and bytes(process.stdout.data) == b"open /no: no such file or directory\n"
        server.files.write("/etc/coredns/Corefile", b"example.com {\n  template IN A {\n }\n}\n")
        await net.clock.turn(31)
        answer = await ask(server.network, "10.96.0.10", DnsQuery("web.example.com."), timeout=1)
        assert answer.addresses() == ["1.2.3.4"]
        server.files.write("/etc/coredns/Corefile",
         b"example.com {\n  hosts {\n 7.7.7.7 web.example.com\n }\n reload\n}\n")
        await net.clock.turn(31)
        answer = await ask(server.network, "10.96.0.10", DnsQuery("web.example.com."), timeout=1)
        assert answer.addresses() == ["7.7.7.7"]

    play(scene)


def test_coredns_serves_its_own_pages_until_the_end():
    """ready and health answer; the process ends with 0 five seconds after SIGTERM."""

    async def scene(net: Net) -> None:
        server = Container(net, "10.96.0.10", image="coredns")
        server.files.write("/C", COREFILE.replace("/etc/coredns/hosts", "").encode())
        process, task = await server.start("/coredns", "-conf=/C")
        client = Container(net)
        assert (await client.run("curl", "-s", "http://10.96.0.10:8181/ready")).out == "OK"
        assert (await client.run("curl", "-s", "http://10.96.0.10:8080/health")).out == "OK"
        process.stop.set()
        await net.clock.turn(4)
        assert not task.done()
        await net.clock.turn(2)
        assert task.result() == 0 and not server.network.servers

    play(scene)


@pytest.mark.parametrize(
    ("corefile", "words"),
    [
        (".:53 {\n nosuch\n}\n", "/C:2 - Error during parsing: Unknown directive 'nosuch'\n"),
        (".:53 {\n rewrite x\n}\n", "/C:2 - Error during parsing: directive 'rewrite' is not simulated\n"),
        (". {\n log\n", "/C - Error during parsing: Unexpected EOF\n"),
        (". {\n forward . /nofile\n}\n", '/C:2 - Error during parsing: not an IP address or file: "/nofile"\n'),
    ],
)
def test_a_bad_corefile_ends_coredns(corefile, words):
    """What it does not understand it refuses by name."""

    async def scene(net: Net) -> None:
        server = Container(net, image="coredns")
        server.files.write("/C", corefile.encode())
        ran = await server.run("/coredns", "-conf", "/C")
        assert (ran.code, ran.out) == (1, words)

    play(scene)
