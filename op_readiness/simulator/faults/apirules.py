"""What the API server answers while an API fault is in: one pure decision for whoever carries it out.

`ApiRules.verdict` looks at a request and says: pass it on, answer it with a failure, wait first, or treat its watch so.
The embedded server asks it in a middleware, the proxy in front of a real one asks it for each request; neither knows
anything of faults. With no fault in, `quiet` is true and nobody has to ask.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from op_readiness.simulator.clock import Clock
from op_readiness.simulator.faults.condition import Condition
from op_readiness.simulator.faults.match import all_fit
from op_readiness.simulator.faults.schema import Step
from op_readiness.simulator.faults.words import FaultError, nearest, seconds

COMPONENT_AGENT = "op-readiness-simulator"
"""User-Agent of the simulator's own clients: kubelets, keepers, controllers."""
REASONS = {
    400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 409: "Conflict", 410: "Expired",
    429: "TooManyRequests", 500: "InternalError", 503: "ServiceUnavailable", 504: "Timeout",
}  # fmt: skip
FIELDS = ("client", "verb", "resource", "subresource", "namespace", "name", "path", "user_agent", "method")
METHOD_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
RESOURCE = re.compile(
    r"^/(?:api/v1|apis/[^/]+/[^/]+)(?:/namespaces/(?P<namespace>[^/]+)(?=/))?/(?P<resource>[^/]+)"
    r"(?:/(?P<name>[^/]+)(?:/(?P<subresource>[^/]+))?)?"
)


@dataclass(frozen=True)
class ApiRequest:
    """One request to the API server. `client` is `components` (the simulator's own) or `tool` (anybody else)."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    user_agent: str = ""

    def fields(self) -> dict[str, str]:
        """What filters of a step can name."""
        found = RESOURCE.match(self.path)
        parts = {name: value or "" for name, value in found.groupdict().items()} if found else {}
        client = "components" if self.user_agent.startswith(COMPONENT_AGENT) else "tool"
        own = {"client": client, "path": self.path, "user_agent": self.user_agent, "method": self.method}
        return {**dict.fromkeys(FIELDS, ""), **parts, **own, "verb": self._verb(parts)}

    def _verb(self, parts: Mapping[str, str]) -> str:
        if self.method in METHOD_VERBS:
            return (
                "connect"
                if parts.get("subresource") in ("exec", "attach", "portforward")
                else METHOD_VERBS[self.method]
            )
        if parts.get("subresource") in ("exec", "attach", "portforward"):
            return "connect"
        if self.query.get("watch", "") in ("1", "true"):
            return "watch"
        return "get" if not parts or parts.get("name") else "list"


@dataclass(frozen=True)
class Verdict:
    """What becomes of a request: waits `delay` cluster seconds first, then is answered with `status`, is cut without
    an answer (`cut`), or passes; `watch` (silence, cut, expire) says what its stream of events meets."""

    delay: float = 0.0
    status: int = 0
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False
    watch: str = ""
    changes: tuple[Any, ...] = ()
    """What admission makes of the body before it is stored."""

    @property
    def passes(self) -> bool:
        """Whether the request reaches the API server."""
        return not self.status and not self.cut


PASS = Verdict()


class ApiRules:
    """The API faults that are in. `changed` is set, and replaced by a fresh one, whenever that set changes."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._rules: list[tuple[Step, Condition]] = []
        self.changed = asyncio.Event()

    @property
    def quiet(self) -> bool:
        """Whether no API fault is in, so that requests need no look."""
        return not self._rules

    def check(self, step: Step) -> None:
        """Raise FaultError for a key field that a request does not have."""
        for name in step.key:
            if name not in FIELDS:
                raise FaultError(f"an API request has no field {name!r}{nearest(name, FIELDS)}")

    def add(self, step: Step, condition: Condition) -> None:
        """Put a rule in."""
        self._rules.append((step, condition))
        self.touch()

    def clear(self) -> None:
        """Take all rules out."""
        self._rules.clear()
        self.touch()

    def touch(self) -> None:
        """Wake those who carry watches, because a rule began or ended."""
        self.changed.set()
        self.changed = asyncio.Event()

    def verdict(self, request: ApiRequest) -> Verdict:
        """What becomes of a request that has just arrived."""
        delay, fields = 0.0, request.fields()
        changes: tuple[Any, ...] = ()
        for step, condition in self._rules:
            if not _concerns(step, fields) or not condition.holds():
                continue
            if step.do in ("silence", "cut", "expire") and fields["verb"] == "watch":
                continue  # streams ask `stream_verdict`, also later
            if not condition.take():
                continue
            if step.do == "delay":
                delay += seconds(step.value)
            elif step.do == "alter":
                changes = (*changes, step.value)
            else:
                return _answered(step, delay)
        return Verdict(delay=delay, changes=changes) if delay or changes else PASS

    def stream_verdict(self, request: ApiRequest) -> str:
        """What a watch meets at this moment: silence, cut, expire, or nothing."""
        fields = request.fields()
        for step, condition in self._rules:
            if step.do in ("silence", "cut", "expire") and _concerns(step, fields) and condition.holds():
                return step.do if step.do == "silence" or condition.take() else ""
        return ""


def mutated(body: bytes, changes: tuple[Any, ...]) -> bytes:
    """A JSON body as a mutating webhook leaves it; any other body stays as it is."""
    try:
        found = json.loads(body)
    except ValueError:
        return body
    for change in changes:
        found = _merged(found, change)
    return json.dumps(found).encode()


def _merged(old: Any, change: Any) -> Any:
    """A merge patch; `{each: ..}` is for every entry of a list."""
    if isinstance(change, Mapping) and set(change) == {"each"}:
        return [_merged(entry, change["each"]) for entry in old or ()]
    if not isinstance(change, Mapping):
        return change
    base = dict(old) if isinstance(old, Mapping) else {}
    for name, value in change.items():
        if value is None:
            base.pop(name, None)
        else:
            base[name] = _merged(base.get(name), value)
    return base


def _concerns(step: Step, fields: Mapping[str, str]) -> bool:
    return all_fit({"client": "tool", **step.key}, fields)


def _answered(step: Step, delay: float) -> Verdict:
    if step.do in ("drop", "cut"):
        return Verdict(delay=delay, cut=True)
    value = step.value if isinstance(step.value, Mapping) else {}
    if step.do == "throttle":
        wait = str(int(seconds(value.get("retry_after", 1))))
        body = status_object(429, "too many requests, please try again later")
        return Verdict(delay=delay, status=429, body=body, headers={"Retry-After": wait})
    if step.do == "expire":
        return Verdict(delay=delay, status=410, body=status_object(410, "The resourceVersion is too old"))
    code = int(value.get("status", 500))
    return Verdict(
        delay=delay, status=code, body=status_object(code, str(value.get("message", "etcdserver: request timed out")))
    )


def status_object(code: int, message: str) -> bytes:
    """A Kubernetes Status of kind Failure as JSON."""
    status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message,
              "reason": REASONS.get(code, ""), "code": code}  # fmt: skip
    return json.dumps(status).encode()


EXPIRED_EVENT = (
    json.dumps({"type": "ERROR", "object": json.loads(status_object(410, "too old resource version"))}).encode() + b"\n"
)
"""What a watch sends before it ends when its version has expired."""
