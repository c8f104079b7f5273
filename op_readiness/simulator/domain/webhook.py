"""What the windows-gmsa admission webhook decides of a Pod; how it reads specs and rights is the caller's.

It fills in the contents of the credential specs that a Pod names, and refuses Pods whose ServiceAccount may not `use`
them, whose contents are others, or whose contents have no name. Init containers are not looked at.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]
NAME, CONTENTS = "gmsaCredentialSpecName", "gmsaCredentialSpec"


class Denied(Exception):
    """The webhook says no; `code` is the HTTP status that the client sees."""

    def __init__(self, code: int, why: str) -> None:
        super().__init__(why)
        self.code, self.why = code, why


@dataclass(frozen=True)
class Place:
    """One windowsOptions of a Pod: whose it is, and where it stands as a JSON pointer."""

    options: Object
    kind: str
    name: str
    pointer: str


def places(pod: Object) -> Iterator[Place]:
    """Every windowsOptions that the webhook looks at."""
    spec = pod.get("spec") or {}
    end = "securityContext/windowsOptions"
    owners = [(spec, "pod", (pod.get("metadata") or {}).get("name", ""), "/spec")]
    for number, one in enumerate(spec.get("containers") or []):
        owners.append((one, "container", one["name"], f"/spec/containers/{number}"))
    for owner, kind, name, where in owners:
        options = (owner.get("securityContext") or {}).get("windowsOptions")
        if options:
            yield Place(options, kind, name, f"{where}/{end}")


def named(pod: Object) -> set[str]:
    """Names of the credential specs that a Pod asks for."""
    return {place.options[NAME] for place in places(pod) if place.options.get(NAME) is not None}


def additions(pod: Object, specs: Mapping[str, Object | None]) -> list[Object]:
    """The JSON patch that fills in contents; raises Denied. `specs` holds objects by name, None if missing."""
    return [
        {"op": "add", "path": f"{place.pointer}/{CONTENTS}", "value": contents(specs, place.options[NAME])}
        for place in places(pod)
        if place.options.get(NAME) is not None and place.options.get(CONTENTS) is None
    ]


def contents(specs: Mapping[str, Object | None], name: str) -> str:
    """The text of a credential spec; raises Denied."""
    found = specs.get(name)
    if found is None:
        raise Denied(404, f"cred spec {name} does not exist")
    if not found.get("credspec"):
        raise Denied(417, f"cred spec {name} does not have a credspec key")
    return json.dumps(found["credspec"], separators=(",", ":"), sort_keys=True)


def check_create(pod: Object, specs: Mapping[str, Object | None], rights: Mapping[str, bool]) -> None:
    """Raise Denied for a Pod that may not be made; `rights` says which specs its ServiceAccount may `use`."""
    account = (pod.get("spec") or {}).get("serviceAccountName") or "default"
    for place in places(pod):
        name, text = place.options.get(NAME), place.options.get(CONTENTS)
        if name is None and text is None:
            continue
        if name is None:
            why = "has a GMSA cred spec set, but does not define the name of the corresponding resource"
            raise Denied(422, f'{place.kind} "{place.name}" {why}')
        if not rights.get(name):
            raise Denied(403, f'service account "{account}" is not authorized to `use` GMSA cred spec "{name}"')
        if text is not None and not _same(text, contents(specs, name)):
            of = f'{place.kind} "{place.name}"'
            raise Denied(
                422, f'the GMSA cred spec contents for {of} does not match the contents of GMSA resource "{name}"'
            )


def check_update(pod: Object, old: Object) -> None:
    """Raise Denied for a Pod whose GMSA settings were changed."""
    before = {place.pointer: place.options for place in places(old)}
    for place in places(pod):
        was = before.get(place.pointer) or {}
        changed = [word for word, field in (("name", NAME), ("contents", CONTENTS)) if
                   place.options.get(field) != was.get(field)]  # fmt: skip
        if changed:
            what = f"GMSA {' and '.join(changed)} modified on {place.kind} \"{place.name}\""
            raise Denied(403, f"cannot update an existing pod's GMSA settings ({what})")


def _same(given: str, expected: str) -> bool:
    if given == expected:
        return True
    try:
        return bool(json.loads(given) == json.loads(expected))
    except ValueError:
        return False
