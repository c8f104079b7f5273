"""Refusals in the API server's own words: each becomes a Status with code, reason, message and details."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]


def quoted(value: Any) -> str:
    """A value as Go's JSON writes it inside messages (`\\u003c` for `<`)."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


class Failure(Exception):
    """The request is refused; `status` gives the Status object, `warnings` go out as headers all the same."""

    def __init__(self, code: int, reason: str, message: str, details: Object | None = None) -> None:
        super().__init__(message)
        self.code, self.reason, self.message, self.details = code, reason, message, details
        self.metadata: Object = {}

    def status(self) -> Object:
        """The Status object of this refusal, keys in the server's order."""
        status: Object = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": self.metadata,
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            status["reason"] = self.reason
        if self.details is not None:
            status["details"] = self.details
        status["code"] = self.code
        return status


@dataclass(frozen=True)
class FieldError:
    """One cause of a 422; `body` is the text after the field's path."""

    field: str
    reason: str
    body: str

    @property
    def message(self) -> str:
        """The cause as it stands in the Status' message."""
        return f"{self.field}: {self.body}"


def forbidden_field(field: str, why: str) -> FieldError:
    """The field may not be set."""
    return FieldError(field, "FieldValueForbidden", f"Forbidden: {why}" if why else "Forbidden")


def invalid_value(field: str, value: Any, why: str) -> FieldError:
    """The value breaks a rule; it is repeated in the text."""
    return FieldError(field, "FieldValueInvalid", f"Invalid value: {quoted(value)}: {why}")


def required(field: str, why: str = "") -> FieldError:
    """The field is missing."""
    return FieldError(field, "FieldValueRequired", f"Required value: {why}" if why else "Required value")


def too_long(field: str, limit: int) -> FieldError:
    """The text has too many bytes."""
    return FieldError(field, "FieldValueTooLong", f"Too long: may not be more than {limit} bytes")


def not_supported(field: str, value: Any, supported: Iterable[str], *, in_order: bool = False) -> FieldError:
    """The value is none of those that the field knows."""
    names = list(supported) if in_order else sorted(supported)
    listed = ", ".join(quoted(name) for name in names)
    return FieldError(
        field, "FieldValueNotSupported", f"Unsupported value: {quoted(value)}: supported values: {listed}"
    )


def duplicate(field: str, value: Any) -> FieldError:
    """The value is there twice."""
    return FieldError(field, "FieldValueDuplicate", f"Duplicate value: {quoted(value)}")


def absent(field: str, value: Any) -> FieldError:
    """The value names something that is not there."""
    return FieldError(field, "FieldValueNotFound", f"Not found: {quoted(value)}")


def qualified(plural: str, group: str) -> str:
    """`pods`, or `deployments.apps`."""
    return f"{plural}.{group}" if group else plural


def _details(name: str, group: str, kind: str) -> Object:
    details = {"name": name, "group": group, "kind": kind}
    return {key: value for key, value in details.items() if value}


def bad_request(message: str) -> Failure:
    """400 BadRequest."""
    return Failure(400, "BadRequest", message)


def not_found(plural: str, group: str, name: str) -> Failure:
    """404 for an object."""
    return Failure(
        404, "NotFound", f"{qualified(plural, group)} {quoted(name)} not found", _details(name, group, plural)
    )


def no_resource() -> Failure:
    """404 for a resource that this server does not serve."""
    return Failure(404, "NotFound", "the server could not find the requested resource", {})


def already_exists(plural: str, group: str, name: str, *, going: bool = False) -> Failure:
    """409 for a name that is taken."""
    prefix = "object is being deleted: " if going else ""
    text = f"{prefix}{qualified(plural, group)} {quoted(name)} already exists"
    return Failure(409, "AlreadyExists", text, _details(name, group, plural))


def conflict(plural: str, group: str, name: str, why: str) -> Failure:
    """409 for a write that came too late."""
    text = f"Operation cannot be fulfilled on {qualified(plural, group)} {quoted(name)}: {why}"
    return Failure(409, "Conflict", text, _details(name, group, plural))


MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


def forbidden(plural: str, group: str, name: str, why: str) -> Failure:
    """403 of an admission step or of authorization."""
    subject = f"{qualified(plural, group)} {quoted(name)}" if name else qualified(plural, group)
    return Failure(403, "Forbidden", f"{subject} is forbidden: {why}", _details(name, group, plural))


def method_not_allowed() -> Failure:
    """405 for a verb that the resource lacks."""
    return Failure(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {})


def invalid(kind: str, group: str, name: str, errors: list[FieldError]) -> Failure:
    """422 with one cause for each field."""
    messages = list(dict.fromkeys(error.message for error in errors))
    text = messages[0] if len(messages) == 1 else f"[{', '.join(messages)}]"
    details = _details(name, group, kind)
    details["causes"] = [{"reason": e.reason, "message": e.body, "field": e.field} for e in errors]
    return Failure(422, "Invalid", f"{qualified(kind, group)} {quoted(name)} is invalid: {text}", details)
