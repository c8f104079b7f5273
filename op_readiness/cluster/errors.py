"""What a Kubernetes API did instead of giving what was asked for.

Every error names the call (verb, resource, namespace/name), the status, the reason and the server's own words. Two
families: *refused* (the server answered, and the answer is no) and *unavailable* (no answer that can be trusted came,
in spite of the tries that are stated). Neither says that an ability is not met: that is for observations to judge.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Call:
    """One call in words: verb, resource, and which object."""

    verb: str
    resource: str
    namespace: str = ""
    name: str = ""

    def __str__(self) -> str:
        which = "/".join(part for part in (self.namespace, self.name) if part)
        return " ".join(part for part in (self.verb, self.resource, which) if part)


@dataclass
class Tried:
    """What it took to get an answer: tries in all, and those that ended in an admission webhook's deadline."""

    tries: int = 0
    webhook_deadlines: int = 0
    seen: list[str] = field(default_factory=list)


class ApiError(Exception):
    """A call that did not give what was asked for. `status` is 0 when no HTTP answer came."""

    def __init__(self, call: Call, *, status: int = 0, reason: str = "", message: str = "") -> None:
        self.call, self.status, self.reason, self.message = call, status, reason, message
        self.headers: Mapping[str, str] = {}
        self.details: dict[str, Any] = {}
        self.tries = 1
        super().__init__(call, status, reason, message)

    def __str__(self) -> str:
        answer = " ".join(part for part in (str(self.status or ""), self.reason) if part)
        tries = f" (after {self.tries} tries)" if self.tries > 1 else ""
        return f"{self.call}: {': '.join(part for part in (answer, self.message) if part)}{tries}"


class ApiRefused(ApiError):
    """The server answered with a status that will not change by asking again."""


class Unauthorized(ApiRefused):
    """401: the credentials were not accepted."""


class Forbidden(ApiRefused):
    """403: by RBAC, or by admission (Pod Security, quota, policies); `message` says which."""


class NotFound(ApiRefused):
    """404."""


class Conflict(ApiRefused):
    """409: a stale resourceVersion, a UID that is another's, or AlreadyExists."""

    @property
    def already_exists(self) -> bool:
        """Whether an object of that name stands in the way."""
        return self.reason == "AlreadyExists"


class Gone(ApiRefused):
    """410: the resourceVersion is too old; list again."""


class Invalid(ApiRefused):
    """422: validation; `details["causes"]` has one entry a field."""


class ApiUnavailable(ApiError):
    """No answer that can be trusted: refused or broken connections, silence, 429, 5xx, all stated tries used up.

    `outcome_unknown` says that a write may have been done: no answer came, or a 5xx of the API server or of what
    stands in front of it.
    """

    outcome_unknown = False


BY_STATUS: dict[int, type[ApiRefused]] = {
    401: Unauthorized, 403: Forbidden, 404: NotFound, 409: Conflict, 410: Gone, 422: Invalid,
}  # fmt: skip


def from_status(call: Call, status: int, body: Mapping[str, Any], headers: Mapping[str, str]) -> ApiError:
    """The error for an HTTP status and the `Status` object (or whatever stood in its place) of its body."""
    kind = ApiUnavailable if status == 429 or status >= 500 else BY_STATUS.get(status, ApiRefused)
    error = kind(call, status=status, reason=str(body.get("reason") or ""), message=str(body.get("message") or ""))
    error.headers = headers
    error.details = dict(body.get("details") or {})
    if isinstance(error, ApiUnavailable):
        error.outcome_unknown = status >= 500 and not is_webhook_deadline(error)
    return error


def is_webhook_deadline(error: ApiError) -> bool:
    """Whether an admission webhook did not answer in time, so that nothing was written and asking again is safe."""
    words = error.message.lower()
    late = "deadline exceeded" in words or "timeout" in words or "timed out" in words
    return error.status == 500 and "webhook" in words and late


class ExecError(Exception):
    """A command in a container that gave no exit code."""

    def __init__(self, where: str, command: str, message: str) -> None:
        self.where, self.command, self.message = where, command, message
        super().__init__(where, command, message)

    def __str__(self) -> str:
        return f"exec {self.command} in {self.where}: {self.message}"


class ExecDidNotReturn(ExecError):
    """The connection or the stream ended, or the deadline passed, before an exit code came. The command may have run.

    `stdout` and `stderr` are what had come by then.
    """

    def __init__(self, where: str, command: str, message: str, *, stdout: str = "", stderr: str = "") -> None:
        super().__init__(where, command, message)
        self.stdout, self.stderr = stdout, stderr


class ExecRefused(ExecError):
    """The API server or the kubelet said no before the command ran: no such container, no right, no way to the Node."""

    def __init__(self, where: str, command: str, status: int, message: str, *, reason: str = "") -> None:
        super().__init__(where, command, message)
        self.status, self.reason = status, reason

    def __str__(self) -> str:
        return f"exec {self.command} in {self.where}: {self.status} {self.reason}".rstrip() + f": {self.message}"
