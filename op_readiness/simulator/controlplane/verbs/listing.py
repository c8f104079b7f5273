"""What a list is of: its options, the version that it shows, pages and the tokens that lead from one to the next."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from op_readiness.simulator.controlplane.store.requests import Request
from op_readiness.simulator.controlplane.store.storage import Stored
from op_readiness.simulator.controlplane.verbs.operations import Cluster
from op_readiness.simulator.controlplane.wire.failures import (
    Failure,
    FieldError,
    bad_request,
    forbidden_field,
    invalid,
    not_supported,
)

Object = dict[str, Any]
MATCH = "resourceVersionMatch"
TOKEN_VERSION = "meta.k8s.io/v1"
LATEST = -1
LIST_EXPIRED = "The resourceVersion for the provided list is too old."
TOKEN_EXPIRED = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. "
    "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or "
    "deleted between the time the first chunk was returned and now may show up in the list."
)


@dataclass
class Page:
    """Objects of one answer, and the metadata of the list that they are a part of."""

    items: list[Stored]
    metadata: Object


def check_options(request: Request) -> None:
    """422 for options of a list or watch that do not go together."""
    for name in ("limit", "timeoutSeconds"):
        text = request.query.get(name, "")
        if text and not text.lstrip("-").isdigit():
            raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    errors = list(_watch_errors(request) if request.verb == "watch" else _list_errors(request))
    if errors:
        raise invalid("ListOptions", "meta.k8s.io", "", errors)


def _list_errors(request: Request) -> Iterable[FieldError]:
    query, match = request.query, request.query.get(MATCH, "")
    if match and not query.get("resourceVersion"):
        yield forbidden_field(MATCH, f"{MATCH} is forbidden unless resourceVersion is provided")
    if match and query.get("continue"):
        yield forbidden_field(MATCH, f"{MATCH} is forbidden for continue")
    if match not in ("", "Exact", "NotOlderThan"):
        yield not_supported(MATCH, match, ("Exact", "NotOlderThan", ""), in_order=True)
    if match == "Exact" and query.get("resourceVersion") == "0":
        yield forbidden_field(MATCH, f'{MATCH} "exact" is forbidden for resourceVersion "0"')
    if "sendInitialEvents" in query:
        yield forbidden_field("sendInitialEvents", "sendInitialEvents is forbidden for list")


def _watch_errors(request: Request) -> Iterable[FieldError]:
    query, match = request.query, request.query.get(MATCH, "")
    if "sendInitialEvents" in query and match != "NotOlderThan":
        yield forbidden_field(MATCH, f"sendInitialEvents requires setting {MATCH} to NotOlderThan")
    if match and "sendInitialEvents" not in query:
        yield forbidden_field(MATCH, f"{MATCH} is forbidden for watch unless sendInitialEvents is provided")
    if match not in ("", "NotOlderThan"):
        yield not_supported(MATCH, match, ("NotOlderThan",))
    if match and query.get("continue"):
        yield forbidden_field(MATCH, f"{MATCH} is forbidden for continue")


def version_of(request: Request) -> int | None:
    """The resourceVersion that the client names, or None."""
    text = request.query.get("resourceVersion", "")
    if not text:
        return None
    if not text.isdigit():
        problem = f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": invalid syntax'
        if request.verb == "watch":
            raise Failure(500, "", problem)
        raise bad_request(f"invalid resource version: {problem}")
    return int(text)


def too_large(cluster: Cluster, version: int) -> None:
    """504 for a version that is still to come."""
    if version > cluster.store.version:
        text = f"Too large resource version: {version}, current: {cluster.store.version}"
        cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
        raise Failure(504, "Timeout", f"Timeout: {text}", {"causes": [cause], "retryAfterSeconds": 1})


def page(cluster: Cluster, request: Request, tests: list[Any]) -> Page:
    """The objects that a list answers with."""
    check_options(request)
    limit, token = max(int(request.query.get("limit") or 0), 0), request.query.get("continue", "")
    version, start = _named(cluster, request, limit), ""
    if token:
        version, start = _decoded(request, token)
    items = _at(cluster, request, version, start)
    shown = str(cluster.store.version if version in (None, LATEST) else version)
    if tests:
        items = [stored for stored in items if all(test(stored.object) for test in tests)]
    metadata: Object = {"resourceVersion": shown}
    if not limit or len(items) <= limit or (request.query.get("resourceVersion") == "0" and not token):
        return Page(items, metadata)
    following = _key(request, items[limit - 1]) + "\x00"
    metadata["continue"] = _encoded(int(shown), following)
    if not tests:
        metadata["remainingItemCount"] = len(items) - limit
    return Page(items[:limit], metadata)


def _named(cluster: Cluster, request: Request, limit: int) -> int | None:
    """The very version that is asked for; None where the newest will do."""
    version, match = version_of(request), request.query.get(MATCH, "")
    if version is None or version == 0:
        return None
    too_large(cluster, version)
    return version if match == "Exact" or (limit and not match) else None


def _at(cluster: Cluster, request: Request, version: int | None, start: str) -> list[Stored]:
    collection = cluster.store[request.served.key]
    if version is None or version == LATEST:
        items: Iterable[Stored] = collection.listed(request.namespace)
    elif version < collection.horizon:
        raise _expired(start)
    else:
        items = collection.listed_at(version, request.namespace)
    return [stored for stored in items if not start or _key(request, stored) >= start]


def _expired(start: str) -> Failure:
    failure = Failure(410, "Expired", TOKEN_EXPIRED if start else LIST_EXPIRED)
    if start:
        failure.metadata = {"continue": _encoded(LATEST, start)}
    return failure


def _key(request: Request, stored: Stored) -> str:
    """Where an object stands in the order of the list, as continue tokens write it."""
    metadata = stored.object["metadata"]
    parts = [] if request.namespace else [metadata.get("namespace")]
    return "".join(f"/{part}" for part in (*parts, metadata["name"]) if part)


def _encoded(version: int, start: str) -> str:
    token = json.dumps({"v": TOKEN_VERSION, "rv": version, "start": start}, separators=(",", ":"))
    return base64.urlsafe_b64encode(token.encode()).rstrip(b"=").decode()


def _decoded(request: Request, token: str) -> tuple[int, str]:
    if request.query.get("resourceVersion") not in (None, "", "0"):
        raise bad_request("specifying resource version is not allowed when using continue")
    try:
        found = json.loads(base64.b64decode(token + "=" * (-len(token) % 4), b"-_", validate=True))
        version, start = found["rv"], found["start"]
    except binascii.Error as error:
        raise _bad_token("illegal base64 data at input byte 0") from error
    except UnicodeDecodeError as error:
        raise _bad_token(f"invalid character {chr(error.object[0])!r} looking for beginning of value") from error
    except (ValueError, KeyError, TypeError) as error:
        raise _bad_token("invalid character in the token") from error
    if found.get("v") != TOKEN_VERSION:
        raise _bad_token(f'server does not recognize this encoded version "{found.get("v")}"')
    if version == 0:
        raise _bad_token(f"incorrect encoded start resourceVersion (version {TOKEN_VERSION})")
    if not start:
        raise _bad_token(f"encoded start key empty (version {TOKEN_VERSION})")
    return version, start


def _bad_token(why: str) -> Failure:
    return bad_request(f"invalid continue token: continue key is not valid: {why}")
