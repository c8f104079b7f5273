"""The shape of a request: what tells requests apart that a server may have to treat differently."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

SHAPES = Path(__file__).parent / "shapes.yaml"
NAMED = {"api": 3, "apis": 4}
PLAIN = ("api", "apis", "version", "healthz", "livez", "readyz", "openapi", "metrics", "logs", ".well-known")


@dataclass(frozen=True, order=True)
class Shape:
    """`path` holds the kinds of things in the place of their names.

    `accept` is table, partial, discovery or json:
    clients that ask for protobuf take JSON as well, and get it."""

    path: str
    method: str
    query: tuple[str, ...] = field(default=())
    type: str = ""
    accept: str = "json"

    def as_row(self) -> dict[str, Any]:
        """The shape without what is usual."""
        row: dict[str, Any] = {"do": f"{self.method} {self.path}"}
        row |= {"query": list(self.query)} if self.query else {}
        row |= {"type": self.type} if self.type else {}
        return row | ({"accept": self.accept} if self.accept != "json" else {})

    @staticmethod
    def of_row(row: dict[str, Any]) -> Shape:
        """The shape that as_row wrote."""
        method, path = row["do"].split(" ")
        return Shape(path, method, tuple(row.get("query", ())), row.get("type", ""), row.get("accept", "json"))


def pattern(path: str) -> str:
    """A path with the kinds of things instead of their names."""
    parts = path.strip("/").split("/")
    start = NAMED.get(parts[0], len(parts)) - 1
    if len(parts) <= start:
        return path
    head, rest = parts[:start], parts[start:]
    if rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in ("status", "finalize"):
        head, rest = [*head, "namespaces", "NAMESPACE"], rest[2:]
    named = [rest[0], *(["NAME"] if len(rest) > 1 else []), *rest[2:3], *(["REST"] if len(rest) > 3 else [])]
    return "/" + "/".join(head + named)


def _accepted(header: str) -> str:
    first = header.split(",", maxsplit=1)[0]
    if "as=Table" in first:
        return "table"
    if "as=PartialObjectMetadata" in first:
        return "partial"
    if "APIGroupDiscoveryList" in first:
        return "discovery"
    return "json"


def _media(header: str) -> str:
    return header.partition(";")[0].strip()


def shape_of(logged: dict[str, Any]) -> Shape:
    """The shape of a request as logged_simulator writes it."""
    media = _media(logged["Content-Type"]) if logged["body"] else ""
    query = tuple(sorted({key for key, _ in logged["query"]}))
    return Shape(pattern(logged["path"]), logged["method"], query, media, _accepted(logged["Accept"]))


def shape_of_row(row: dict[str, Any]) -> Shape:
    """The shape of a row of the table."""
    method, target = row["do"].split(" ", 1)
    url = urlsplit(target)
    body = not {"body", "raw", "raw64"}.isdisjoint(row)
    query = tuple(sorted({key for key, _ in parse_qsl(url.query, keep_blank_values=True)}))
    media = _media(row.get("type", "application/json")) if body else ""
    return Shape(pattern(re.sub(r"%2F", "/", url.path)), method, query, media, _accepted(row.get("accept", "")))
