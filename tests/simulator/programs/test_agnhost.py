"""agnhost's subcommands, with arguments that no readiness test uses; answers as the real one was seen to give them."""

from __future__ import annotations

import json
import re

import pytest

from op_readiness.simulator.network.interface import HttpRequest, HttpResponse, Peer

from .containers import Container, Net, play


async def ask(container: Container, target: str, port: int = 8090, **changes) -> HttpResponse | None:
    """One request straight to a container's server."""
    server = container.network.servers["TCP", port]
    request = HttpRequest(changes.pop("method", "GET"), target, changes.pop("headers", {"Host": "h"}), **changes)
    return await server.http(request, Peer("10.244.9.9", 5555))


async def netexec(net: Net, os: str = "linux", *flags: str) -> Container:
    """A container that serves on 8090 and 8091."""
    container = Container(net, "10.244.2.7", os)
    await container.start("/agnhost", "netexec", "--http-port=8090", "--udp-port=8091", *flags)
    return container


@pytest.mark.parametrize(
    ("target", "status", "body"),
    [
        ("/hostname", 200, "pod-a"),
        ("/hostName", 200, "pod-a"),
        ("/clientip", 200, "10.244.9.9:5555"),
        ("/serverport", 200, "8090"),
        ("/healthz", 200, ""),
        ("/readyz", 200, "ok"),
        ("/echo", 200, ""),
        ("/echo?msg=Gr%C3%BC%C3%9Fe+an", 200, "Grüße an"),
        ("/echo?msg=m&code=404", 404, "m"),
        ("/echo?msg=m&code=x7", 200, "argument 'code' must be an integer or empty, got \"x7\"\n"),
        ("/header?key=x-test", 200, "7"),
        ("/header?key=Host", 200, ""),
        ("/envvar?var=HOME", 200, "/root"),
        ("/envvar", 400, "'var' query parameter is required\n"),
        ("/envvar?var=NOPE", 500, 'env var "NOPE" is not set\n'),
        ("/shell?cmd=echo%20hi", 200, '{"output":"hi\\n"}'),
        ("/shell?cmd=exit%203", 200, '{"error":"exit status 3"}'),
        ("/shell?shellCommand=true&cmd=false", 200, "{}"),
        ("/shell?cmd=echo%20x%3Bexit%204", 200, '{"error":"exit status 4","output":"x\\n"}'),
        ("/shell?cmd=echo%20x;exit%204", 200, "{}"),
        ("/shell?cmd=kill%20-9%20$$", 200, '{"error":"signal: killed"}'),
        ("/shell?cmd=echo%20%27%3Ca%26b%3E%27", 200, '{"output":"\\u003ca\\u0026b\\u003e\\n"}'),
        ("/redirect?location=/echo%3Fmsg=foobar", 302, '<a href="/echo?msg=foobar">Found</a>.\n\n'),
        ("/redirect?location=/x&code=307", 307, '<a href="/x">Temporary Redirect</a>.\n\n'),
        ("//hostname", 307, '<a href="/hostname">Temporary Redirect</a>.\n\n'),
        ("/upload", 200, '{"error":"Unable to upload file."}'),
        ("/exit?code=abc", 200, "argument 'code' must be an integer [0-127] or empty, got \"abc\"\n"),
        ("/exit?wait=5", 200, "argument 'wait' must be a valid golang duration or empty, got \"5\"\n"),
        ("/dial?host=1.2.3.4&port=1&request=", 400, "request parameter not specified. <nil>\n"),
        ("/dial?request=x&tries=abc", 400, 'tries parameter is invalid. strconv.Atoi: parsing "abc": invalid syntax\n'),
        ("/dial?request=x&protocol=tcp", 400, "unsupported protocol. tcp\n"),
        ("/dial?host=nosuch&port=1&request=x", 400,
         "host and/or port param are invalid. lookup nosuch on 10.96.0.10:53: no such host\n"),
        ("/dial?host=10.244.2.7&port=abc&request=x", 400,
         "host and/or port param are invalid. lookup tcp/abc: unknown port\n"),
        ("/dial?host=10.244.2.7&port=8090&request=echo%3Fmsg=abc%26code=500&tries=2", 200,
         '{"responses":["abc","abc"]}'),
        ("/dial?host=10.244.2.7&port=8090&request=healthz", 200, "{}"),
        ("/dial?host=10.244.2.7&port=9&request=hostname", 200,
         '{"errors":["Get \\"http://10.244.2.7:9/hostname\\": dial tcp 10.244.2.7:9: connect: connection refused"]}'),
        ("/dial?host=10.244.2.7&port=8091&protocol=UDP&request=echo%20Hello%20World", 200,
         '{"responses":["hello world"]}'),
        ("/dial?host=10.244.2.7&port=8090&request=shutdown", 200,
         '{"errors":["Get \\"http://10.244.2.7:8090/shutdown\\": EOF"]}'),
    ],
)  # fmt: skip
def test_netexec_answers_like_the_real_one(target, status, body):
    """Status and body of every path."""

    async def scene(net: Net) -> None:
        container = await netexec(net)
        response = await ask(container, target, headers={"Host": "h", "X-Test": "7"})
        assert response is not None
        assert (response.status, response.body.decode()) == (status, body)

    play(scene)


@pytest.mark.parametrize("target", ["/echo?code=99", "/echo?code=1000", "/shutdown", "/exit?code=7",
 "/redirect?code=42"])
def test_netexec_closes_the_connection_without_an_answer(target):
    """Panics and exits leave the caller with nothing."""

    async def scene(net: Net) -> None:
        assert await ask(await netexec(net), target) is None

    play(scene)


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        (b" HostName\n", b"pod-a"), (b"ECHO Hello  World ", b"hello  world"), (b"clientip", b"1.2.3.4:5"),
        (b"serverport", b"8091"), (b"envvar HOME", b"/root"), (b"ENVVAR nope", b""), (b"echo", None), (b"", None),
        (b"hostnamex", None),
    ],
)  # fmt: skip
def test_netexec_answers_datagrams(data, answer):
    """Blanks are cut and case does not matter; nothing answers what it does not know."""

    async def scene(net: Net) -> None:
        container = await netexec(net)
        assert await container.network.servers["UDP", 8091].datagram(data, Peer("1.2.3.4", 5)) == answer

    play(scene)


def test_netexec_without_udp_is_never_healthy():
    """--udp-port=-1 gives 412 for ever, with --http-override every path is another one."""

    async def scene(net: Net) -> None:
        container = Container(net)
        await container.start("/agnhost", "netexec", "--udp-port=-1", "--http_port", "8090")
        assert (await ask(container, "/healthz")).status == 412
        other = Container(net, "10.244.1.6")
        await other.start("/agnhost", "netexec", "--http-port=8090", "--http-override=/echo?msg=fixed&code=418")
        response = await ask(other, "/whatever", method="POST")
        assert (response.status, response.body) == (418, b"fixed")

    play(scene)


def test_netexec_delays_its_end_and_says_so():
    """After SIGTERM it serves on for --delay-shutdown, /readyz being 503 and /healthz 200."""

    async def scene(net: Net) -> None:
        container = Container(net)
        process, task = await container.start("/agnhost", "netexec", "--http-port=8090", "--delay-shutdown=2")
        process.stop.set()
        await net.clock.turn(1)
        assert [(await ask(container, path)).status for path in ("/readyz", "/healthz")] == [503, 200]
        await net.clock.turn(1.1)
        assert task.result() == 0

    play(scene)


def test_netexec_exits_after_its_answer():
    """With a timeout /exit answers first and then ends with the code."""

    async def scene(net: Net) -> None:
        container = Container(net)
        _, task = await container.start("/agnhost", "netexec", "--http-port=8090")
        assert (await ask(container, "/exit?code=300&timeout=2s")).status == 200
        await net.clock.turn(0.1)
        assert task.result() == 44

    play(scene)


def test_netexec_says_which_port_is_taken():
    """The second server on a port ends with 1."""

    async def scene(net: Net) -> None:
        container = await netexec(net)
        ran = await container.run("/agnhost", "netexec", "--http-port=8090", "--udp-port=-1")
        assert ran.code == 1
        assert "listen tcp :8090: bind: address already in use\n" in ran.err
        ran = await container.run("/agnhost", "netexec", "--http-port=99999", "--udp-port=-1")
        assert "listen tcp: address 99999: invalid port\n" in ran.err

    play(scene)


def test_upload_keeps_the_file():
    """What was posted is in the named file."""

    async def scene(net: Net) -> None:
        container = await netexec(net)
        container.files.write("/tmp/x.bin", b"\x00payload\r\n")
        ran = await container.run("curl", "-s", "-F", "file=@/tmp/x.bin", "http://10.244.2.7:8090/upload")
        assert container.files.read(json.loads(ran.out)["output"]) == b"\x00payload\r\n"

    play(scene)


@pytest.mark.parametrize(
    ("os", "words", "err"),
    [
        ("linux", ("10.244.2.7:7777", "--timeout=3s"), "REFUSED\n"),
        ("windows", ("10.244.2.7:7777",),
         "OTHER: dial tcp 10.244.2.7:7777: connectex: No connection could be made because the target machine actively "
         "refused it.\n"),
        ("linux", ("192.0.2.1:80", "--timeout=1500ms"), "TIMEOUT\n"),
        ("linux", ("192.0.2.1:80",), "TIMEOUT\n"),
        ("linux", ("198.51.100.1:80",), "OTHER: dial tcp 198.51.100.1:80: connect: network is unreachable\n"),
        ("linux", ("10.244.2.7:8090", "--timeout", "-1s"), "TIMEOUT\n"),
        ("linux", ("10.244.2.7",), "UNKNOWN: address 10.244.2.7: missing port in address\n"),
        ("linux", ("10.244.2.7", "--protocol=udp"), "DNS: address 10.244.2.7: missing port in address\n"),
        ("linux", ("fd00::5:9",), "UNKNOWN: address fd00::5:9: too many colons in address\n"),
        ("linux", ("h:nosuchport",), "DNS: lookup tcp/nosuchport: unknown port\n"),
        ("linux", ("h:99999",), "DNS: address 99999: invalid port\n"),
        ("linux", ("nosuch.t:80",), "DNS: lookup nosuch.t on 10.96.0.10:53: no such host\n"),
        ("windows", ("nosuch.t:80",), "DNS: lookup nosuch.t: no such host\n"),
        ("linux", ("bad_name..x:1",), "DNS: lookup bad_name..x: no such host\n"),
        ("linux", ("10.244.2.7:1", "--protocol=icmp"), "Unsupported protocol\nicmp"),
        ("linux", ("10.244.2.7:1", "--protocol=sctp", "--timeout=1s"), "OTHER: protocol not supported\n"),
        ("windows", ("10.244.2.7:1", "--protocol=sctp"), "TIMEOUT\n"),
        ("linux", ("10.244.2.7:8091", "--protocol=udp", "--udp-data=envvar NOPE"),
         "OTHER: No data received from the server. Cannot guarantee the server received the request.\n"),
        ("linux", ("a:1", "b:2"), "Error: accepts 1 arg(s), received 2\n"),
        ("linux", ("h:1", "--nosuch"), "Error: unknown flag: --nosuch\n"),
        ("linux", ("h:1", "--timeout=3"),
         'Error: invalid argument "3" for "--timeout" flag: time: missing unit in duration "3"\n'),
    ],
)  # fmt: skip
def test_connect_fails_in_the_words_of_its_system(os, words, err):
    """stderr tells why, stdout stays empty, the exit code is 1."""

    async def scene(net: Net) -> None:
        net.silent.add("192.0.2.1")
        await netexec(net)
        ran = await Container(net, os=os).run("/agnhost", "connect", *words)
        assert (ran.code, ran.out, ran.err) == (1, "", err)

    play(scene)


def test_connect_names_both_ends_of_a_silent_datagram():
    """A UDP time-out names the local and the remote socket; Windows never hears of a refusal."""

    async def scene(net: Net) -> None:
        await netexec(net)
        quiet = ("--protocol=udp", "--timeout=2s")
        ran = await Container(net).run("/agnhost", "connect", "10.244.2.7:8091", "--udp-data=nonsense", *quiet)
        assert re.fullmatch(r"TIMEOUT: read udp 10\.244\.1\.5:\d+->10\.244\.2\.7:8091: i/o timeout\n", ran.err)
        ran = await Container(net).run("/agnhost", "connect", "10.244.2.7:1", *quiet)
        assert re.fullmatch(r"REFUSED: read udp \S+->10\.244\.2\.7:1: read: connection refused\n", ran.err)
        ran = await Container(net, "10.244.3.3", "windows").run("/agnhost", "connect", "10.244.2.7:1", *quiet)
        assert ran.err.startswith("TIMEOUT: ")

    play(scene)


@pytest.mark.parametrize("words", [("10.244.2.7:8090",), ("10.244.2.7:8091", "--protocol=udp"), ("web:8090",
 "--protocol=")])
def test_connect_succeeds_without_a_word(words):
    """0 and nothing else."""

    async def scene(net: Net) -> None:
        net.names["web"] = ["10.244.2.7"]
        await netexec(net, "windows")
        ran = await Container(net).run("/agnhost", "connect", *words)
        assert (ran.code, ran.out, ran.err) == (0, "", "")

    play(scene)


@pytest.mark.parametrize(
    ("words", "code", "err"),
    [
        (("nosuch",), 1, 'Error: unknown command "nosuch" for "app"\n'),
        (("netexec", "extra"), 1, "Error: accepts at most 0 arg(s), received 1\n"),
        (("guestbook",), 127, "agnhost guestbook: this subcommand is not simulated\n"),
        (("dns-suffix",), 2, "panic: open /etc/resolv.conf: no such file or directory\n"),
        (("inclusterclient",), 1, "unable to load in-cluster configuration"),
        (("no-snat-test",), 1, "POD_IP env var was not present in the environment\n"),
        (("serve-hostname", "--tcp"), 1, "Can't server TCP/UDP mode and HTTP mode at the same time\n"),
        (("logs-generator", "-d", "1s"), 255, "Invalid total number of lines: 0\n"),
    ],
)
def test_wrong_use_is_refused(words, code, err):
    """Exit code and text of calls that cannot be."""

    async def scene(net: Net) -> None:
        ran = await Container(net).run("/agnhost", *words)
        assert ran.code == code
        assert err in ran.err

    play(scene)


def test_dns_settings_are_shown():
    """Linux reads resolv.conf's first lines word by word, Windows the adapter."""

    async def scene(net: Net) -> None:
        linux, windows = Container(net), Container(net, "10.244.3.3", "windows")
        linux.files.write("/etc/resolv.conf", b"search a.b  c.d\nnameserver 10.0.0.1\nnameserver 10.0.0.2\n")
        windows.network.dns.servers, windows.network.dns.search = ("10.96.0.10", "1.1.1.1"), ("t.svc", "x.y")
        assert (await linux.run("/agnhost", "dns-suffix")).out == "a.b,,c.d\n"
        assert (await linux.run("/agnhost", "dns-server-list")).out == "10.0.0.1\n"
        assert (await windows.run("/agnhost", "dns-suffix")).out == "t.svc,x.y\n"
        assert (await windows.run("/agnhost", "dns-server-list")).out == "10.96.0.10,1.1.1.1\n"

    play(scene)


def test_serve_hostname_serves_raw_and_lingers():
    """--tcp writes the name and closes; after SIGTERM a minute passes before it ends."""

    async def scene(net: Net) -> None:
        container = Container(net)
        process, task = await container.start("/agnhost", "serve-hostname", "--tcp", "--http=false", "--port=7")
        ran = await Container(net, "10.244.1.6").run("curl", "-sS", "http://10.244.1.5:7")
        assert (ran.code, ran.err) == (1, "curl: (1) Received HTTP/0.9 when not allowed\n")
        process.stop.set()
        await net.clock.turn(59)
        assert not task.done()
        await net.clock.turn(2)
        assert task.result() == 0

    play(scene)


def test_porter_serves_what_the_environment_says():
    """HTTP, JSON and UDP ports with fixed texts."""

    async def scene(net: Net) -> None:
        container = Container(net)
        container.env |= {"SERVE_PORT_901": "nine", "SERVE_UDP_PORT_902": "u", "SERVE_TLS_PORT_903": "t"}
        await container.start("/agnhost", "porter", "--json-response")
        assert (await ask(container, "/x", 901)).body == b'{"Method":"GET","Body":"nine"}'
        assert await container.network.datagram("10.244.1.5", 902, b"?", 1) == b"u"
        ran = await container.run("curl", "-sk", "https://10.244.1.5:903")
        assert ran.out == '{"Method":"GET","Body":"t"}'

    play(scene)


@pytest.mark.parametrize(
    ("target", "status", "body"),
    [
        ("/sub", 301, ""), ("/sub/a.txt", 200, "hello"), ("/nosuch", 404, "404 page not found\n"),
        ("/sub/", 200, '<!doctype html>\n<meta name="viewport" content="width=device-width">\n<pre>\n'
                       '<a href="a.txt">a.txt</a>\n</pre>\n'),
    ],
)  # fmt: skip
def test_webserver_serves_files(target, status, body):
    """Files, listings, redirects to folders."""

    async def scene(net: Net) -> None:
        container = Container(net)
        container.files.makedirs("/sub")
        container.files.write("/sub/a.txt", b"hello")
        await container.start("/agnhost", "test-webserver", "--port=81")
        response = await ask(container, target, 81)
        assert (response.status, response.body.decode()) == (status, body)
        assert response.headers["Access-Control-Allow-Origin"] == "*"

    play(scene)


def test_liveness_turns_bad_after_ten_seconds():
    """200 first, 500 then."""

    async def scene(net: Net) -> None:
        container = Container(net)
        await container.start("/agnhost", "liveness")
        assert (await ask(container, "/healthz", 8080)).body == b"ok"
        await net.clock.turn(10.5)
        assert (await ask(container, "/healthz", 8080)).status == 500

    play(scene)


@pytest.mark.parametrize(
    ("os", "words", "code", "out"),
    [
        ("linux", ("--file_content=/d/f",), 0, 'content of file "/d/f": line\n\n'),
        ("linux", ("--file-content", "/d/no"), 1,
         'error reading file content for "/d/no": open /d/no: no such file or directory\n'),
        ("linux", ("--file_mode=/d/f",), 0, 'mode of file "/d/f": -rw-r-----\n'),
        ("windows", ("--file_perm=C:\\d\\f",), 0, 'perms of Windows file "C:\\\\d\\\\f": -rw-r-----\n'),
        ("windows", ("--file_owner=C:\\d\\f", "--fs_type=C:\\d"), 0, ""),
        ("linux", ("--fs_type=/d", "--file_owner=/d/f"), 0,
         'mount type of "/d": 61267\nowner UID of "/d/f": 0\nowner GID of "/d/f": 0\n'),
        ("linux", ("--new_file_0660=/d/n", "--file_mode=/d/n"), 0,
         'content of file "/d/n": mount-tester new file\n\nmode of file "/d/n": -rw-rw----\n'),
        ("linux", ("--new_file_0644=/no/n",), 1,
         'error writing new file "/no/n": open /no/n: no such file or directory\n'),
        ("linux", ("--file_content_in_loop=/d/no", "--retry_time=3"), 1,
         "Error reading file /d/no: open /d/no: no such file or directory, retrying\n" * 2),
        ("linux", ("--file_content_in_loop=/d/f", "--retry_time=1"), 0,
         'content of file "/d/f": line\n\nUnexpected content. Expected: mount-tester new file\n. Retrying\n'),
    ],
)  # fmt: skip
def test_mounttest_looks_and_writes(os, words, code, out):
    """Lines and exit codes, those of Windows included."""

    async def scene(net: Net) -> None:
        container = Container(net, os=os)
        container.files.makedirs("/d")
        container.files.write("/d/f", b"line\n", mode=0o640)
        ran = await container.run("/agnhost", "mounttest", *words)
        assert (ran.code, ran.out) == (code, out)

    play(scene)


def test_inclusterclient_notices_a_new_token():
    """The hash in the log is of the token in the file, re-read when a minute old; failures are told and outlived."""

    async def scene(net: Net) -> None:
        seen: list[str] = []

        async def api(request: HttpRequest, peer: Peer) -> HttpResponse:
            seen.append(request.headers["Authorization"])
            return HttpResponse(200 if "one" in seen[-1] else 401, b"ok")

        from op_readiness.simulator.network.interface import Server

        net.namespace("10.96.0.1").listen("TCP", 443, Server(http=api, tls=True))
        container = Container(net)
        folder = "/var/run/secrets/kubernetes.io/serviceaccount"
        container.files.makedirs(folder)
        container.files.write(f"{folder}/token", b"one")
        container.files.write(f"{folder}/ca.crt", b"-----BEGIN CERTIFICATE-----")
        container.env |= {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"}
        process, _ = await container.start("/agnhost", "inclusterclient", "--poll-interval=20")
        await net.clock.turn(41)
        container.files.write(f"{folder}/token", b"two")
        await net.clock.turn(60)
        assert seen[:3] == ["Bearer one"] * 3 and seen[-1] == "Bearer two"
        log = bytes(process.stderr.data).decode()
        assert "the server has asked for the client to provide credentials" in log
        assert len(set(re.findall(r"authz_header=(\S{43})\n", log))) == 2

    play(scene)
