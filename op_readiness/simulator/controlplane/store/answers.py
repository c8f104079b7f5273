"""HTTP answers: JSON bodies, Status objects, warnings, and which representation the client accepts."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from op_readiness.simulator.controlplane.store.storage import encode
from op_readiness.simulator.controlplane.wire.failures import Failure

Object = dict[str, Any]
JSON = {"Content-Type": "application/json"}
ACCEPTED = "application/json, application/yaml, application/vnd.kubernetes.protobuf"
WATCHED = "application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch"
PLAIN = ("", "*/*", "application/*", "application/json")


def warned(headers: dict[str, str] | None, warnings: list[str]) -> list[tuple[str, str]]:
    """Headers with one Warning each."""
    listed = list((headers or JSON).items())
    for text in warnings:
        quoted = text.replace("\\", "\\\\").replace('"', '\\"')
        listed.append(("Warning", f'299 - "{quoted}"'))
    return listed


def answer(value: Object | bytes, code: int = 200, warnings: list[str] | None = None) -> web.Response:
    """A JSON answer."""
    data = value if isinstance(value, bytes) else encode(value)
    headers: Any = warned(None, warnings) if warnings else JSON
    return web.Response(body=data + b"\n", status=code, headers=headers)


def refused(failure: Failure, warnings: list[str]) -> web.Response:
    """A Status answer."""
    return answer(failure.status(), failure.code, warnings)


class Accepted:
    """What the Accept header asks for: `table`, `partial` (metadata alone) or the object."""

    def __init__(self, header: str) -> None:
        self.form, self.version = "object", "v1"
        clauses = [clause.strip() for clause in header.split(",")] if header else [""]
        unknown = False
        for clause in clauses:
            media, *parameters = (part.strip() for part in clause.split(";"))
            wanted = dict(part.split("=", 1) for part in parameters if "=" in part)
            form = {"Table": "table", "PartialObjectMetadata": "partial", "PartialObjectMetadataList": "partial"}
            kind = wanted.get("as")
            if media not in PLAIN:
                continue
            if kind is None:
                return
            if kind in form and wanted.get("g") == "meta.k8s.io" and wanted.get("v") in ("v1", "v1beta1"):
                self.form, self.version = form[kind], wanted["v"]
                return
            unknown = True
        self._refuse(header, unknown=unknown)

    @staticmethod
    def _refuse(header: str, *, unknown: bool) -> None:
        if unknown or "as=" in header:
            raise Failure(406, "NotAcceptable", f"only the following media types are accepted: {ACCEPTED}")
        if not any(media in header for media in ("application/yaml", "application/vnd.kubernetes.protobuf")):
            text = f"406: Not Acceptable\n\nAvailable representations: {ACCEPTED}, {WATCHED}"
            raise Failure(406, "NotAcceptable", text, {})
        text = "this API server answers in application/json alone: its data are recorded, not compiled"
        raise Failure(406, "NotAcceptable", text, {})
