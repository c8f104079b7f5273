"""curl -w: the variables and escapes of a write-out format."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}
_TOKEN = re.compile(r"%%|%\{([^}]*)\}|\\(.)", re.S)


def render(template: str, values: Mapping[str, str | int | float], headers: Mapping[str, str]) -> tuple[str, list[str]]:
    """The text for stdout, and the names of variables that curl does not know."""
    unknown: list[str] = []

    def put(match: re.Match[str]) -> str:
        name, escape = match.group(1), match.group(2)
        if escape is not None:
            return _ESCAPES.get(escape, "\\" + escape)
        if name is None:
            return "%"
        return _variable(name, values, headers, unknown)

    return _TOKEN.sub(put, template), unknown


def _variable(
    name: str, values: Mapping[str, str | int | float], headers: Mapping[str, str], unknown: list[str]
) -> str:
    if name == "json":
        return json.dumps(dict(values), separators=(",", ":"))
    if name == "header_json":
        return json.dumps({key.lower(): [value] for key, value in headers.items()})
    if name in ("stdout", "stderr", "onerror"):
        return ""
    if name not in values:
        unknown.append(name)
        return ""
    value = values[name]
    if name in ("http_code", "response_code", "http_connect"):
        return f"{value:03d}"
    return f"{value:.6f}" if isinstance(value, float) else str(value)
