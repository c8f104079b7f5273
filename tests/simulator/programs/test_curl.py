"""curl, wget and nc: exit codes, texts, outputs, globbing, redirects, time-outs."""

from __future__ import annotations

import pytest

from op_readiness.simulator.network.interface import HttpRequest, HttpResponse, Peer, Reset, Server

from .containers import Container, Net, play

SERVER = "10.244.2.7"


async def serve(net: Net) -> list[HttpRequest]:
    """A server with a few odd paths on 80 and TLS on 443; gives what it was asked."""
    asked: list[HttpRequest] = []

    async def http(request: HttpRequest, peer: Peer) -> HttpResponse | None:
        asked.append(request)
        path = request.target.partition("?")[0]
        if path == "/none":
            return None
        if path == "/reset":
            raise Reset("connection reset by peer")
        if path == "/slow":
            await net.clock.sleep(60)
        if path == "/moved":
            return HttpResponse(302, b"", {"Location": "/there"})
        if path == "/busy" and len(asked) < 3:
            return HttpResponse(503, b"busy")
        return HttpResponse(404 if path == "/missing" else 200, f"{request.method} {request.target}".encode(),
                            {"X-A": "b"})  # fmt: skip

    place = net.namespace(SERVER)
    place.listen("TCP", 80, Server(http=http))
    place.listen("TCP", 443, Server(http=http, tls=True))
    net.names["web.t.svc"] = [SERVER]
    net.silent.add("192.0.2.1")
    return asked


@pytest.mark.parametrize(
    ("words", "code", "out", "err"),
    [
        ((SERVER,), 0, "GET /", ""),
        (("http://web.t.svc:80/a?b=c", "-g"), 0, "GET /a?b=c", ""),
        (("-X", "PUT", f"{SERVER}/x"), 0, "PUT /x", ""),
        (("-d", "a=1", "--data", "b=2", f"{SERVER}/p"), 0, "POST /p", ""),
        (("-I", SERVER), 0, "HTTP/1.1 200 OK\r\nX-A: b\r\n\r\nHEAD /", ""),
        (("-i", f"{SERVER}/missing"), 0, "HTTP/1.1 404 Not Found\r\nX-A: b\r\n\r\nGET /missing", ""),
        ((f"{SERVER}/[1-3]",), 0, "GET /1GET /2GET /3", ""),
        ((f"{SERVER}/{{a,b}}[01-02]",), 0, "GET /a01GET /a02GET /b01GET /b02", ""),
        (("-g", f"{SERVER}/[1-3]"), 0, "GET /[1-3]", ""),
        ((f"{SERVER}/1", f"{SERVER}/2"), 0, "GET /1GET /2", ""),
        (("-L", f"{SERVER}/moved"), 0, "GET /there", ""),
        (("-o", "/dev/null", "-w", "%{http_code} %{num_redirects} %{remote_ip}:%{remote_port}\\n",
         f"{SERVER}/moved"), 0,
         f"302 0 {SERVER}:80\n", ""),
        (("-w", "%{nope}", SERVER), 0, "GET /", "curl: unknown --write-out variable: 'nope'\n"),
        (("--retry", "5", f"{SERVER}/busy"), 0, "GET /busy", ""),
        (("--resolve", f"x.y:80:{SERVER}", "http://x.y/"), 0, "GET /", ""),
        ((f"{SERVER}/missing", "--fail"), 22, "", "curl: (22) The requested URL returned error: 404\n"),
        (("--fail-with-body", f"{SERVER}/missing"), 22, "GET /missing",
         "curl: (22) The requested URL returned error: 404\n"),
        ((f"{SERVER}/none",), 52, "", "curl: (52) Empty reply from server\n"),
        ((f"{SERVER}/reset",), 56, "", "curl: (56) Recv failure: Connection reset by peer\n"),
        ((f"{SERVER}:81",), 7, "",
         f"curl: (7) Failed to connect to {SERVER} port 81 after 0 ms: Couldn't connect to server\n"),
        (("198.51.100.1",), 7, "",
         "curl: (7) Failed to connect to 198.51.100.1 port 80 after 0 ms: Couldn't connect to server\n"),
        (("192.0.2.1", "--connect-timeout", "2.5"), 28, "",
         "curl: (28) Failed to connect to 192.0.2.1 port 80 after 2500 ms: Timeout was reached\n"),
        (("-m3", f"{SERVER}/slow"), 28, "",
         "curl: (28) Operation timed out after 3000 milliseconds with 0 bytes received\n"),
        (("http://nosuch:8/",), 6, "", "curl: (6) Could not resolve host: nosuch\n"),
        (("-4", "[fd00::1]"), 6, "", "curl: (6) Could not resolve host: fd00::1\n"),
        (("ftp://x/",), 1, "", 'curl: (1) Protocol "ftp" not supported\n'),
        (("http://x:99999/",), 3, "",
         "curl: (3) URL rejected: Port number was not a decimal number between 0 and 65535\n"),
        ((f"{SERVER}/[3-x]",), 3, "", f"curl: (3) bad range in URL position 13:\n{SERVER}/[3-x]\n"),
        ((f"https://{SERVER}/x", "-k"), 0, "GET /x", ""),
        ((f"https://{SERVER}:80/",), 60, "", None),
        (("-k", f"https://{SERVER}:80/"), 35, "",
         "curl: (35) TLS connect error: error:0A0000C6:SSL routines::packet length too long\n"),
        ((f"https://{SERVER}/",), 60, "", None),
        (("--nosuch", SERVER), 2, "",
         "curl: option --nosuch: is unknown\ncurl: try 'curl --help' for more information\n"),
        (("-T", "f", SERVER), 2, "",
         "curl: option -T: is not simulated\ncurl: try 'curl --help' for more information\n"),
        (("-m", "x", SERVER), 2, "", None),
        ((), 2, "", "curl: (2) no URL specified\n"),
        (("-o", "/no/f", SERVER), 23, "", None),
    ],
)  # fmt: skip
def test_curl_ends_like_the_real_one(words, code, out, err):
    """Exit code, body and the error that -sS shows (None: only the code counts)."""

    async def scene(net: Net) -> None:
        await serve(net)
        ran = await Container(net).run("curl", "-sS", *words)
        assert (ran.code, ran.out) == (code, out)
        assert err is None or ran.err == err

    play(scene)


def test_curl_sends_headers_and_bodies():
    """-H sets and removes, --json and -d @file send bodies, -G puts them into the query."""

    async def scene(net: Net) -> None:
        asked = await serve(net)
        container = Container(net, os="windows")
        container.files.write("/b.json", b'{"a":\n1}')
        await container.run("curl.exe", "-s", "-H", "X-Q: 1", "-H", "Accept:", "--json", "@/b.json", SERVER)
        await container.run("curl.exe", "-s", "-G", "-d", "q=1", f"{SERVER}/s?a=b", "-u", "me:pw")
        assert asked[0].body == b'{"a":\n1}'
        assert asked[0].headers["X-Q"] == "1" and asked[0].headers["Content-Type"] == "application/json"
        assert asked[1].target == "/s?a=b&q=1" and asked[1].headers["Authorization"] == "Basic bWU6cHc="

    play(scene)


def test_curl_shows_its_meter_unless_silent():
    """Without -s the progress meter goes to stderr, before the error."""

    async def scene(net: Net) -> None:
        await serve(net)
        ran = await Container(net).run("curl", "http://nosuch/")
        assert ran.err.startswith("  % Total") and ran.err.endswith("curl: (6) Could not resolve host: nosuch\n")

    play(scene)


def test_curl_writes_files():
    """-o with #1, -O with the remote name."""

    async def scene(net: Net) -> None:
        await serve(net)
        container = Container(net)
        await container.run("curl", "-s", f"{SERVER}/[1-2]", "-o", "/tmp/f#1")
        assert container.files.read("/tmp/f1") == b"GET /1"
        await container.run("sh", "-c", f"cd /tmp && curl -sO {SERVER}/dir/name.txt?q")
        assert container.files.read("/tmp/name.txt") == b"GET /dir/name.txt?q"

    play(scene)


@pytest.mark.parametrize(
    ("words", "code", "err"),
    [
        (("-vz", SERVER, "80", "-w", "3"), 0, f"Connection to {SERVER} 80 port [tcp/http] succeeded!\n"),
        (("-v", "-z", "web.t.svc", "443"), 0, f"Connection to web.t.svc ({SERVER}) 443 port [tcp/https] succeeded!\n"),
        (("-vz", SERVER, "9999"), 1, f"nc: connect to {SERVER} port 9999 (tcp) failed: Connection refused\n"),
        (("-zv", "-w2", "192.0.2.1", "80"), 1,
         "nc: connect to 192.0.2.1 port 80 (tcp) timed out: Operation now in progress\n"),
        (("-z", "nosuch", "80"), 1, 'nc: getaddrinfo for host "nosuch" port 80: Name or service not known\n'),
    ],
)  # fmt: skip
def test_nc_tells_of_a_connection(words, code, err):
    """Exit code and the line of -v."""

    async def scene(net: Net) -> None:
        await serve(net)
        ran = await Container(net).run("nc", *words)
        assert (ran.code, ran.err) == (code, err)

    play(scene)


def test_nc_carries_what_it_is_given():
    """A request typed into nc is answered, over TCP and UDP."""

    async def scene(net: Net) -> None:
        await Container(net, SERVER).start("/agnhost", "netexec")
        client = Container(net)
        ran = await client.run("sh", "-c", f"echo hostName | nc -u -w 2 {SERVER} 8081")
        assert (ran.code, ran.out) == (0, "pod-a")
        ran = await client.run("sh", "-c", f"printf 'GET /hostname HTTP/1.0\\r\\n\\r\\n' | nc {SERVER} 8080")
        assert ran.out.startswith("HTTP/1.1 200 OK\r\n") and ran.out.endswith("\r\n\r\npod-a")

    play(scene)


@pytest.mark.parametrize(
    ("os", "words", "code", "out", "err"),
    [
        ("linux", ("-q", "-O", "-", f"http://{SERVER}/w"), 0, "GET /w", ""),
        ("linux", ("-qO-", "-T1", "http://192.0.2.1"), 1, "", "wget: download timed out\n"),
        ("linux", ("-q", f"{SERVER}/missing"), 1, "", "wget: server returned error: HTTP/1.1 404 Not Found\n"),
        ("linux", ("-q", "nosuch"), 1, "", "wget: bad address 'nosuch'\n"),
        ("linux", ("-q", f"{SERVER}:81"), 1, "",
         f"wget: can't connect to remote host ({SERVER}): Connection refused\n"),
        ("windows", ("-T", "1", SERVER), 1, "", "wget: unrecognized option: T\n"),
    ],
)
def test_wget_is_busyboxs(os, words, code, out, err):
    """BusyBox's words; its Windows build knows no -T."""

    async def scene(net: Net) -> None:
        await serve(net)
        ran = await Container(net, os=os).run("wget", *words)
        assert (ran.code, ran.out, ran.err) == (code, out, err)

    play(scene)
