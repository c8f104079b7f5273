"""Asks an API server the requests of requests/*.yaml and keeps of each answer what two servers must have in common."""

from __future__ import annotations

import base64
import contextlib
import copy
import http.client
import json
import re
import ssl
import time
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
DUAL_STACK = HERE / "requests" / "dual-stack" / "services.yaml"
"""Asked of a server whose Services have both IP families."""
RANGES = ("10.96.0.0/16", "fd00:10:96::/112")
TABLES = tuple(sorted((HERE / "requests").glob("*.yaml")))
HEARD_OF = re.compile(
    r"/namespaces/quota/|/(priorityclasses|namespaces|serviceaccounts|(cluster)?role(binding)?s)(/[^/]+)?$"
)
PAUSE = 0.2
"""Seconds in which a real server hears of its own quotas, limits, classes, roles and Namespaces."""
SILENCE = 0.4
"""Seconds without a line after which a watch has shown what it had to show."""
ADMIN, BOB = "TOKEN", "BOB"
VARIES = {
    "uid", "resourceVersion", "creationTimestamp", "deletionTimestamp", "lastTransitionTime", "token", "time",
    "expirationTimestamp", "continue", "batch.kubernetes.io/controller-uid", "controller-uid",
}  # fmt: skip
LEFT_OUT = {"managedFields", "description"}
PATTERNS = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "UID"),
    (re.compile(r"\b([gG]-)[a-z0-9]{5}\b"), r"\1XXXXX"),
    (re.compile(r"kube-api-access-[a-z0-9]{5}"), "kube-api-access-XXXXX"),
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z"), "TIME"),
    (re.compile(r"((?:patch: |^)Invalid value: ).*(?=: strict decoding error)"), r"\1OBJECT"),
    (re.compile(r"(?<=current: )\d+"), "VERSION"),
    (re.compile(r"^\d+(s|m|m\d+s)$"), "AGE"),
    (re.compile(r"(may not be changed)\n.*", re.S), r"\1"),
    (re.compile(r"(?<=in record \()\d+"), "VERSION"),
    (re.compile(r"may not change fields other than (.*?)\n.*", re.S), r"may not change fields other than \1"),
    (re.compile(r"fd00:10:96::(?!7\d$|[79]\d\b)[1-9a-f][0-9a-f]*"), "DRAWN"),
    (re.compile(r"10\.96\.(?!0\.)\d+\.\d+|(?<=:)3\d{4}(?=/TCP)"), "DRAWN"),
)


def requests(table: Path) -> list[dict[str, Any]]:
    """The rows of one file of the table, shorthands written out."""
    return [_written_out(row) for row in yaml.safe_load(table.read_text())]


def all_requests() -> list[dict[str, Any]]:
    """The rows of all files, in the order in which they are asked."""
    return [row for table in TABLES for row in requests(table)]


def recorded_file(table: Path) -> Path:
    """Where the answers to one file's rows are kept."""
    return HERE / "recorded" / table.relative_to(HERE / "requests").with_suffix(".json")


def recorded_answers() -> list[dict[str, Any]]:
    """The recorded answers to all rows."""
    return [answer for table in TABLES for answer in json.loads(recorded_file(table).read_text())]


def _written_out(row: dict[str, Any]) -> dict[str, Any]:
    system = next((name for name in ("windows", "linux") if name in row), None)
    if system is None:
        return row
    container = {"name": "c", "image": "x", **row.get("container", {})}
    spec = {"containers": [container], **({"os": {"name": "windows"}} if system == "windows" else {}), **row[system]}
    body = {"metadata": {"name": "p"}, "spec": copy.deepcopy(spec)}
    return {"do": "POST /api/v1/namespaces/t/pods?dryRun=All", "body": body}


class Asker:
    """Asks one server, over one connection as long as the server keeps it.

    A real server's admission hears of some objects by watches of its own: `pause` seconds are left after such writes.
    """

    def __init__(self, server: str, pause: float) -> None:
        self._host, self._pause = server.removeprefix("https://"), pause
        self._connection: http.client.HTTPSConnection | None = None

    def ask(self, row: dict[str, Any]) -> dict[str, Any]:
        """The answer to one row: code, warnings, and the body without what differs from run to run."""
        method, path = row["do"].split(" ", 1)
        endless = "watch=" in path
        response = self._sent(method, path, _data(row), _headers(row))
        body = _lines(response, row.get("seconds", SILENCE)) if endless else response.read()
        if endless:
            self.close()
        if self._pause and method != "GET" and response.status < 300 and HEARD_OF.search(path):
            time.sleep(self._pause)
        return _answer(row, response.status, response.headers, body)

    def _sent(self, method: str, path: str, data: bytes | None, headers: dict[str, str]) -> http.client.HTTPResponse:
        if self._connection is None:
            context = ssl._create_unverified_context()
            self._connection = http.client.HTTPSConnection(self._host, context=context, timeout=20)
        self._connection.request(method, path, data, headers)
        response = self._connection.getresponse()
        if response.status == 301:
            response.read()
            return self._sent(method, response.headers["Location"], data, headers)
        return response

    def close(self) -> None:
        """Leave the server."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _headers(row: dict[str, Any]) -> dict[str, str]:
    headers = {"Accept": row.get("accept", "application/json"), "User-Agent": "Python-urllib/3"}
    if not {"body", "raw", "raw64"}.isdisjoint(row):
        headers["Content-Type"] = row.get("type", "application/json")
    token = row.get("as", ADMIN)
    return headers | ({"Authorization": f"Bearer {token}"} if token else {})


def _data(row: dict[str, Any]) -> bytes | None:
    if "raw64" in row:
        return base64.b64decode(row["raw64"])
    if "raw" in row:
        return str(row["raw"]).encode()
    return json.dumps(row["body"]).encode() if "body" in row else None


def _lines(response: http.client.HTTPResponse, seconds: float) -> bytes:
    """Lines that come until the end, or until `seconds` pass without one."""
    raw: Any = response.fp
    if raw is not None:
        raw.raw._sock.settimeout(seconds)
    lines = b""
    with contextlib.suppress(TimeoutError):
        while line := response.readline():
            lines += line
    return lines


def _answer(row: dict[str, Any], code: int, headers: Any, body: bytes) -> dict[str, Any]:
    lines = body.decode().splitlines()
    try:
        shown: Any = [json.loads(line) for line in lines] if "watch=" in row["do"] else json.loads(body)
    except ValueError:
        try:
            shown = [json.loads(line) for line in lines]
        except ValueError:
            shown = lines
    if row.get("compare") == "code":
        shown = "ANY"
    elif row.get("compare") == "head" and isinstance(shown, dict):
        shown = {key: value for key, value in shown.items() if key not in ("items", "rows")}
    elif row.get("compare") == "head":
        shown = "EVENTS"
    body_shown = steady(shown, managed=row.get("managed", False))
    return {"code": code, "warnings": headers.get_all("Warning") or [], "body": body_shown}


def steady(value: Any, *, managed: bool = False) -> Any:
    """A value without what differs from run to run; `managed`: managedFields are compared too."""
    if isinstance(value, dict):
        if value.get("type") == "BOOKMARK":
            value = {"type": "BOOKMARK", "object": {"metadata": value["object"]["metadata"]}}
        kept = {key: item for key, item in value.items() if key not in LEFT_OUT}
        shown = {
            key: "*" if key in VARIES and item else steady(item, managed=managed) for key, item in sorted(kept.items())
        }
        for rules in ("resourceRules", "nonResourceRules"):
            if rules in shown:
                shown[rules] = sorted(shown[rules], key=json.dumps)
        if managed and "managedFields" in value:
            shown["managedFields"] = sorted(map(steady, value["managedFields"]), key=_manager)
        return shown
    if isinstance(value, list):
        return [steady(item, managed=managed) for item in value]
    if isinstance(value, str):
        for pattern, instead in PATTERNS:
            value = pattern.sub(instead, value)
    if isinstance(value, int) and not isinstance(value, bool) and 30000 <= value <= 32767 and value != 30080:
        return "DRAWN"
    return value


def _manager(entry: dict[str, Any]) -> tuple[str, ...]:
    """Entries of one second have no order of their own."""
    return entry["operation"], entry["manager"], entry["apiVersion"], entry.get("subresource", "")


def ask_all(server: str, pause: float = 0, rows: list[dict[str, Any]] | None = None) -> list[dict[str, Any]]:
    """The answers to `rows`, without them to the rows of all files, in their order."""
    with contextlib.closing(Asker(server, pause)) as asker:
        return [asker.ask(row) for row in (all_requests() if rows is None else rows)]
