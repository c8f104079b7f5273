"""Parts of cells that many kinds share: ages, node selectors, containers and images."""

from __future__ import annotations

import calendar
import time
from typing import Any

Object = dict[str, Any]


def seconds_of(stamp: str) -> float:
    """Epoch seconds of a time stamp, fractions left out."""
    return float(calendar.timegm(time.strptime(stamp[:19], "%Y-%m-%dT%H:%M:%S")))


def duration(seconds: float) -> str:
    """A duration as kubectl shows ages: 5s, 2m10s, 3h12m, 2d4h, 15d, 2y100d."""
    seconds = int(seconds)
    if seconds < -1:
        return "<invalid>"
    if seconds < 0:
        return "0s"
    if seconds < 120:
        return f"{seconds}s"
    minutes = seconds // 60
    if minutes < 10:
        return f"{minutes}m{seconds % 60}s" if seconds % 60 else f"{minutes}m"
    if minutes < 180:
        return f"{minutes}m"
    return _long(seconds)


def _long(seconds: int) -> str:
    hours = seconds // 3600
    if hours < 8:
        minutes = seconds // 60 % 60
        return f"{hours}h{minutes}m" if minutes else f"{hours}h"
    if hours < 48:
        return f"{hours}h"
    days = hours // 24
    if days < 8:
        return f"{days}d{hours % 24}h" if hours % 24 else f"{days}d"
    if days < 365 * 2:
        return f"{days}d"
    years = days // 365
    return f"{years}y{days % 365}d" if years < 8 and days % 365 else f"{years}y"


def since(stamp: str | None) -> str:
    """How long ago a time stamp was."""
    return duration(time.time() - seconds_of(stamp)) if stamp else "<unknown>"


def age(obj: Object) -> str:
    """The age of an object."""
    return since(obj["metadata"].get("creationTimestamp"))


def pairs(labels: Object | None) -> str:
    """Labels as `a=b,c=d`, or <none>."""
    return ",".join(f"{key}={value}" for key, value in sorted((labels or {}).items())) or "<none>"


def selector(found: Object | None) -> str:
    """A LabelSelector as text."""
    found = found or {}
    parts = [f"{key}={value}" for key, value in sorted((found.get("matchLabels") or {}).items())]
    for expression in found.get("matchExpressions") or ():
        key, values = expression["key"], ",".join(sorted(expression.get("values") or ()))
        forms = {"In": f"{key} in ({values})", "NotIn": f"{key} notin ({values})", "Exists": key}
        parts.append(forms.get(expression["operator"], f"!{key}"))
    return ",".join(parts) or "<none>"


def containers(template: Object) -> tuple[str, str]:
    """Names and images of a Pod template's containers."""
    listed = template.get("spec", {}).get("containers") or ()
    return ",".join(c.get("name", "") for c in listed), ",".join(c.get("image", "") for c in listed)
