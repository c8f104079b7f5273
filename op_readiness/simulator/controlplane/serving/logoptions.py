"""Options of a request for a log, and what is wrong with them."""

from __future__ import annotations

from op_readiness.simulator.controlplane.store.requests import Request
from op_readiness.simulator.controlplane.wire.failures import (
    FieldError,
    bad_request,
    forbidden_field,
    invalid,
    invalid_value,
)

LEAST = {"sinceSeconds": 1, "tailLines": 0, "limitBytes": 1}
ONE_START = "at most one of `sinceTime` or `sinceSeconds` may be specified"


def check(request: Request) -> None:
    """400 for what is no number, 422 for numbers that are too small and for two starts."""
    numbers = {name: request.query[name] for name in LEAST if name in request.query}
    for text in numbers.values():
        if not text.lstrip("-").isdigit():
            raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    errors = [error for name in ("tailLines", "limitBytes") for error in _too_small(name, numbers)]
    if "sinceSeconds" in request.query and "sinceTime" in request.query:
        errors.append(forbidden_field("[]", ONE_START))
    else:
        errors += _too_small("sinceSeconds", numbers)
    if errors:
        raise invalid("PodLogOptions", "", request.name, errors)


def _too_small(name: str, numbers: dict[str, str]) -> list[FieldError]:
    least = LEAST[name]
    if name not in numbers or int(numbers[name]) >= least:
        return []
    why = "must be greater than 0" if least else "must be greater than or equal to 0"
    return [invalid_value(name, int(numbers[name]), why)]
