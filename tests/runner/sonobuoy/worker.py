"""Sonobuoy's side of the contract, as its worker, aggregator and post-processor read what a plugin leaves."""

from __future__ import annotations

import io
import json
import socket
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import yaml

from tests.product import environment

PLUGIN = "op-readiness"
GLOBAL = f"plugins/{PLUGIN}/results/global"


def plugin_environment(results: Path, port: int = 0, **more: str) -> dict[str, str]:
    """What Sonobuoy gives the plugin's container."""
    given = {
        "SONOBUOY": "true", "SONOBUOY_K8S_VERSION": "v1.37.2", "SONOBUOY_RESULTS_DIR": str(results),
        "RESULTS_DIR": str(results), "SONOBUOY_CONFIG_DIR": str(results.parent / "config"),
        "SONOBUOY_PROGRESS_PORT": str(port or 1),
    }  # fmt: skip
    return environment(**{**given, **more})


# -- the worker --------------------------------------------------------------------------------------------------------


def sent_by_worker(results: Path) -> bytes:
    """What the worker sends once there is `done`: the gzipped file that it names."""
    named = (results / "done").read_text().strip()
    assert named.startswith("/") and " " not in named and named.endswith(".tar.gz"), named
    archive = Path(named)
    assert not archive.is_symlink() and archive.stat().st_mode & 0o444 == 0o444, "the worker is another user"
    assert (results / "done").stat().st_mode & 0o444 == 0o444
    return archive.read_bytes()


def unpacked(sent: bytes, folder: Path) -> Path:
    """What the aggregator unpacks: files and folders whose names stay inside."""
    target = folder / GLOBAL
    target.mkdir(parents=True)
    with tarfile.open(fileobj=io.BytesIO(sent), mode="r:gz") as archive:
        members = archive.getmembers()
        assert all(member.isfile() for member in members), members
        assert not any(member.name.startswith("/") or ".." in member.name.split("/") for member in members)
        archive.extractall(target, filter="data")
    return folder


# -- the post-processor ------------------------------------------------------------------------------------------------


def post_processed(folder: Path, only: tuple[str, ...] = ("junit_01.xml",)) -> dict[str, Any]:
    """sonobuoy_results.yaml for result-format junit."""
    files = sorted(path for path in (folder / GLOBAL).rglob("*") if path.name in only)
    items = [_file(path, path.relative_to(folder / f"plugins/{PLUGIN}")) for path in files]
    tree = {"name": PLUGIN, "status": _status(items), "meta": {"type": "summary"}, "items": items}
    (folder / f"plugins/{PLUGIN}/sonobuoy_results.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))
    return tree


def _file(path: Path, shown: Path) -> dict[str, Any]:
    meta = {"file": shown.as_posix(), "type": "file"}
    try:
        root = ElementTree.fromstring(path.read_bytes())
    except ElementTree.ParseError as error:
        return {"name": path.name, "status": "unknown", "meta": {**meta, "error": str(error)}}
    suites = list(root) if root.tag == "testsuites" else [root]
    items = [_suite(suite, number) for number, suite in enumerate(suites, 1) if suite.tag == "testsuite"]
    return {"name": path.name, "status": _status(items), "meta": meta, "items": items}


def _suite(suite: ElementTree.Element, number: int) -> dict[str, Any]:
    for count in ("tests", "failures"):
        int(suite.get(count, "0"))
    float(suite.get("time", "0"))
    cases = [_case(case) for case in suite if case.tag == "testcase"]  # one level: nested suites are not seen
    assert cases, "an empty suite counts as one passed test"
    return {"name": suite.get("name") or f"testsuite-{number:03}", "status": _status(cases), "items": cases}


def _case(case: ElementTree.Element) -> dict[str, Any]:
    status, details = "passed", {}
    for tag in ("error", "failure"):
        if (found := case.find(tag)) is not None:
            status, details[tag] = "failed", f"{found.get('message', '')} {found.text or ''}"
    status = "skipped" if case.find("skipped") is not None else status
    details |= {e.tag: e.text or "" for e in case if e.tag in ("system-out", "system-err")}
    return {"name": case.get("name", ""), "status": status, "details": details}


def leaves(tree: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every item without items."""
    for item in tree.get("items") or ():
        yield from leaves(item) if item.get("items") else iter([item])


def _status(items: list[dict[str, Any]]) -> str:
    found = {leaf["status"] for leaf in leaves({"items": items})}
    if found & {"failed", "timeout"}:
        return "failed"
    return "unknown" if not found or "unknown" in found else "passed"


def retrieved(folder: Path, target: Path) -> Path:
    """What `sonobuoy retrieve` brings."""
    for name, text in {
        "meta/info.json": "{}", "meta/run.log": "", f"plugins/{PLUGIN}/definition.json": "{}",
        "resources/ns/default/core_v1_pods.json": "[]", "serverversion.json": '{"gitVersion": "v1.37.2"}',
    }.items():  # fmt: skip
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    with tarfile.open(target, "w:gz") as archive:
        archive.add(folder, ".")
    return target


# -- the progress endpoint ---------------------------------------------------------------------------------------------


@dataclass
class Endpoint:
    """What was posted to the worker. `answer` 0 keeps quiet until `release`."""

    port: int
    answer: int = 200
    bodies: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)


@contextmanager
def progress_endpoint(answer: int = 200) -> Iterator[Endpoint]:
    """The worker's /progress."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            endpoint.problems += wrong_in(body) + ([] if self.path == "/progress" else [self.path])
            endpoint.bodies.append(body)
            if not endpoint.answer:
                endpoint.release.wait(60)
            else:
                self.send_response(endpoint.answer)
                self.send_header("Content-Length", "0")
                self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    endpoint = Endpoint(server.server_address[1], answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield endpoint
    finally:
        endpoint.release.set()
        server.shutdown()
        server.server_close()
        thread.join()


def wrong_in(body: dict[str, Any]) -> list[str]:
    """What the aggregator would not decode, or would overwrite."""
    kinds = {"msg": str, "total": int, "completed": int, "failures": list, "errors": list}
    wrong = [f"{key} is {value!r}" for key, value in body.items() if type(value) is not kinds.get(key)]
    bad = body["failures"]
    if not body["completed"] + len(bad) <= body["total"]:
        wrong.append(f"remaining is negative: {body}")
    return wrong if all(isinstance(name, str) for name in bad + body["errors"]) else [*wrong, "names are no strings"]


@contextmanager
def refusing_port() -> Iterator[int]:
    """A port where nobody listens, and that nobody else gets meanwhile."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]
