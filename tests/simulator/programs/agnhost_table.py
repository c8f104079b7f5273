"""The table of calls to agnhost (agnhost.yaml): read, put to the real binary and to the simulated program."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shlex
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from op_readiness.simulator.network.interface import HttpRequest, HttpResponse, Peer, Reset, Server

from .containers import Container, Net, play

TABLE = Path(__file__).with_name("agnhost.yaml")
FULL = "127.0.0.9"
CLIENT = Peer("127.0.0.1", 40000)
LOG = re.compile(r"^([IWEF])\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ \S+:\d+\] ", re.M)
NOISE = {"Date", "Last-Modified"}


@dataclass(frozen=True)
class Place:
    """Ports and folder that both sides use: the same words then mean the same thing."""

    ports: dict[str, int]
    folder: str

    def fill(self, text: str) -> str:
        """The text with its braces filled in."""
        for name, port in self.ports.items():
            text = text.replace("{" + name + "}", str(port))
        return text.replace("{dir}", self.folder)

    def words(self, line: str) -> list[str]:
        """A command line as agnhost's arguments."""
        return [self.fill(word) for word in shlex.split(line)]

    def env(self, row: dict[str, Any]) -> dict[str, str]:
        """The variables of a row."""
        return {self.fill(name): self.fill(value) for name, value in (row.get("env") or {}).items()}


@dataclass
class Answer:
    """What came back: of a request, a datagram (`status` 0) or a program. None: nothing came."""

    status: int | None = None
    body: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    err: str = ""


@lru_cache
def table() -> dict[str, Any]:
    """The whole table."""
    return dict(yaml.safe_load(TABLE.read_text("utf-8")))


def binary() -> Path | None:
    """The real agnhost: in the folder that KUBEBUILDER_ASSETS names, or where tests/control-plane/build puts it."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "op-readiness" / "control-plane"
    places = [Path(os.environ["KUBEBUILDER_ASSETS"]).expanduser()] if os.environ.get("KUBEBUILDER_ASSETS") else []
    places += sorted(folder.glob("*"), reverse=True)
    return next((place / "agnhost" for place in places if os.access(place / "agnhost", os.X_OK)), None)


def call_of(row: str | dict[str, Any]) -> dict[str, Any]:
    """A row of `calls` as a mapping."""
    return {"call": row} if isinstance(row, str) else row


def normal(text: str, place: Place) -> str:
    """A text without what may differ: client ports, the time, random names, log prefixes, stack traces."""
    own = "|".join(str(port) for port in place.ports.values())
    text = LOG.sub(r"\1 ", text)
    text = text.replace(str(binary()), "/agnhost")
    text = re.sub(rf"127\.0\.0\.1:(?!(?:{own}|8080|8000)\b)(\d{{4,}})", "127.0.0.1:CLIENT", text)
    text = re.sub(r"NOW: \d[^\"]*", "NOW: TIME", text)
    text = re.sub(r"/uploads/upload\d+", "/uploads/upload", text)
    text = re.sub(r"\n\ngoroutine \d+ \[.*", "", text, flags=re.S)
    return re.sub(r"^(panic: .*?)( \[recovered.*)?$", r"\1", text, flags=re.M)


def normalised(answer: Answer, place: Place) -> Answer:
    """An answer that can be compared."""
    headers = {name.title(): value for name, value in answer.headers.items()}
    kept = {name: value for name, value in headers.items() if name not in NOISE}
    if answer.body and "NOW: " in answer.body:
        kept.pop("Content-Length", None)  # nanoseconds without their last zeros
    body = None if answer.body is None else normal(answer.body, place)
    return Answer(answer.status, body, kept, normal(answer.err, place))


def write_files(folder: Path) -> None:
    """The table's files, on disk."""
    for name, spec in table()["files"].items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(spec["text"].encode())
        path.chmod(spec.get("mode", 0o644))
    for path in folder.rglob("*"):
        if path.is_dir():
            path.chmod(0o755)


def multipart(name: str, content: str) -> tuple[dict[str, str], bytes]:
    """Headers and body of a form with one file."""
    head = f'--b\r\nContent-Disposition: form-data; name="{name}"; filename="f"\r\n\r\n'
    return {"Content-Type": "multipart/form-data; boundary=b"}, f"{head}{content}\r\n--b--\r\n".encode()


def request_of(call: dict[str, Any], place: Place) -> HttpRequest:
    """The request of a row, the same for both sides."""
    method, _, target = place.fill(call["call"]).partition(" ")
    headers = {"Host": f"127.0.0.1:{place.ports['http']}", **(call.get("headers") or {})}
    body = b""
    if "form" in call:
        headers["Content-Type"], body = "application/x-www-form-urlencoded", call["form"].encode()
    if "file" in call:
        more, body = multipart(*call["file"])
        headers |= more
    if body or method in ("POST", "PUT"):
        headers["Content-Length"] = str(len(body))
    return HttpRequest(method, target, headers, body)


# -- the simulated side ----------------------------------------------------------------------------------------------


def _container(net: Net, place: Place, row: dict[str, Any], os_name: str = "linux") -> Container:
    container = Container(net, "127.0.0.1", os_name)
    container.hostname = socket.gethostname()
    container.env = {"PATH": container.env["PATH"], **place.env(row)}
    files = container.files
    files.makedirs(place.folder)
    for name, spec in table()["files"].items():
        path = f"{place.folder}/{name}"
        files.makedirs(path.rpartition("/")[0])
        files.write(path, spec["text"].encode(), mode=spec.get("mode", 0o644))
    if os_name == "linux":
        for path in ("/etc/resolv.conf", "/etc/hosts"):
            files.write(path, (row.get("private") or {}).get(path, Path(path).read_text()).encode())
    else:
        container.network.dns.servers = ("10.96.0.10",)
        container.network.dns.search = ("t.svc.cluster.local", "svc.cluster.local")
    return container


def _world(net: Net, place: Place, os_name: str = "linux") -> None:
    """What the real side has on loopback beside the programs."""
    async def mute(data: bytes, peer: Peer) -> bytes | None:
        return None

    net.silent.add(FULL)
    net.names["localhost"] = ["127.0.0.1"]
    net.namespace("127.0.0.1", os_name).listen("UDP", place.ports["mute"], Server(datagram=mute))


def _serve(net: Net, place: Place, server: dict[str, Any]) -> Container:
    made = _container(net, place, server)
    if "without" in server and made.files.is_folder(server["without"]):
        made.files.rmdir(server["without"])
    return made


def simulated_call(place: Place, server: dict[str, Any], call: dict[str, Any]) -> Answer:
    """One call of a server of the table."""
    seen = Answer()

    async def scene(net: Net) -> None:
        _world(net, place)
        container = _serve(net, place, {**server, **{k: call[k] for k in ("without",) if k in call}})
        process, task = await container.start("/agnhost", *place.words(server["start"]), pid1=False)
        assert not task.done(), process.stderr.data
        work = asyncio.ensure_future(_ask(container, place, server, call))
        while not work.done():
            await net.clock.turn(0.5)
        answer = await work
        seen.__dict__.update(answer.__dict__)
        if call.get("ends"):
            ran = await container.finish(process, task, 10)
            seen.err = f"exit {ran.code}"

    play(scene)
    return normalised(seen, place)


async def _ask(container: Container, place: Place, server: dict[str, Any], call: dict[str, Any]) -> Answer:
    kind, _, text = place.fill(call["call"]).partition(" ")
    servers = container.network.servers
    if kind == "UDP":
        data = await servers["UDP", place.ports["udp"]].datagram(text.encode(), CLIENT)
        return Answer(0, None if data is None else data.decode())
    if kind == "TCP":
        try:
            return Answer(0, (await servers["TCP", place.ports["tcp"]].raw(text.encode(), CLIENT)).decode())
        except Reset:
            return Answer(None, "reset")
    port = server.get("port", place.ports["http"])
    response = await servers["TCP", port].http(request_of(call, place), CLIENT)
    if response is None:
        return Answer()
    return Answer(response.status, response.body.decode(errors="replace"), response.headers)


def simulated_run(place: Place, row: dict[str, Any], os_name: str = "linux") -> Answer:
    """One command to its end."""
    seen = Answer()

    async def scene(net: Net) -> None:
        _world(net, place, os_name)
        container = _container(net, place, row, os_name)
        if row.get("server"):
            other = table()["servers"][row["server"]]
            await _serve(net, place, other).start("/agnhost", *place.words(other["start"]), pid1=False)
        ran = await container.run("/agnhost", *place.words(row["run"]))
        seen.status, seen.body, seen.err = ran.code, ran.out, ran.err

    play(scene)
    return normalised(seen, place)


def simulated_stop(place: Place, row: dict[str, Any]) -> Answer:
    """A first process that gets SIGTERM."""
    seen = Answer()

    async def scene(net: Net) -> None:
        _world(net, place)
        container = _container(net, place, row)
        process, task = await container.start("/agnhost", *place.words(row["run"]))
        assert not task.done(), process.stderr.data
        process.stop.set()
        ran = await container.finish(process, task, 100)
        seen.status, seen.body = ran.code, ran.out
        if "reads" in row:
            seen.body += container.files.read(place.fill(row["reads"])).decode()

    play(scene)
    return normalised(seen, place)


ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


def simulated_client(place: Place, row: dict[str, Any], port: int, seconds: float) -> str:
    """What inclusterclient says within that time."""
    said = ""

    async def scene(net: Net) -> None:
        nonlocal said
        container = _container(net, place, row)
        container.env |= client_env(port)
        container.files.makedirs(ACCOUNT)
        container.files.write(f"{ACCOUNT}/token", row["token"].encode())
        if row["ca"] == "own":
            container.files.write(f"{ACCOUNT}/ca.crt", b"-----BEGIN CERTIFICATE-----")
        if not row.get("nobody"):
            container.network.listen("TCP", port, Server(http=healthz, tls=True))
        process, task = await container.start("/agnhost", "inclusterclient", "--poll-interval=1")
        await net.clock.turn(seconds)
        said = f"{bytes(process.stderr.data).decode()}exit {task.result() if task.done() else None}"

    async def healthz(request: HttpRequest, peer: Peer) -> HttpResponse:
        return HttpResponse(row["status"], row["body"].encode(), {"Content-Type": "application/json"})

    play(scene)
    return normal(said, place)


def client_env(port: int) -> dict[str, str]:
    """Where inclusterclient looks for the API server."""
    return {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(port)}


# -- places ----------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def loopback(folder: Path) -> Iterator[Place]:
    """Free ports, a mute one, a full one, and the files; everything is closed afterwards."""
    write_files(folder)
    with contextlib.ExitStack() as held:
        names = ("http", "udp", "tcp", "closed")
        with contextlib.ExitStack() as taken:
            ports = {}
            for name in names:
                one = taken.enter_context(socket.socket())
                one.bind(("127.0.0.1", 0))
                ports[name] = one.getsockname()[1]
        mute = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        mute.bind(("127.0.0.1", 0))
        full = held.enter_context(socket.socket())
        full.bind((FULL, 0))
        full.listen(0)
        for _ in range(3):  # fills the queue: further connections get no answer
            waiting = held.enter_context(socket.socket())
            waiting.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                waiting.connect(full.getsockname())
        ports |= {"mute": mute.getsockname()[1], "full": full.getsockname()[1]}
        yield Place(ports, str(folder))


def can_unshare() -> str:
    """Why there is no namespace of one's own here; empty if there is."""
    import subprocess

    if not shutil.which("unshare"):
        return "there is no unshare (util-linux)"
    tried = subprocess.run(["unshare", "-rmp", "--fork", "true"], capture_output=True, text=True, check=False)
    return "" if tried.returncode == 0 else f"unshare: {tried.stderr.strip()}"
