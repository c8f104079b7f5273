"""What only the operator knows (a domain, an account, a share): `--config FILE` and `--input FIELD=VALUE`, checked.

Abilities say in spec.yaml which of these fields they need; without them they are not tested. A simulated cluster tells
its own.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, ValidationError

from op_readiness.model.errors import UsageError
from op_readiness.suite.catalogue import line_of, read_yaml

Loc = tuple[int | str, ...]
_PART = r"[^\\/:*?\"<>|&^%();,=\s]+"
"""One name of a path that cmd takes without quotes, which no exec carries over whole."""
Unc = Annotated[str, Field(pattern=rf"^\\\\{_PART}(\\{_PART})+\\?$")]
Subdomain = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")]
HostName = Annotated[str, Field(pattern=r"^[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?$")]
EXPECTED = {
    "smbUncAllowed": r"expected a share such as \\files.corp.example\apps, without blanks",
    "smbUncDenied": r"expected a share such as \\files.corp.example\finance",
    "domain": "expected a DNS domain such as corp.example",
    "dcHost": "expected a host such as dc1.corp.example",
    "closed": "expected true or false",
    "nodeSeconds": "expected a number of seconds",
    "gapSeconds": "expected a number of seconds",
    "credSpecName": "expected the name of a GMSACredentialSpec",
}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Gmsa(_Strict):
    """Active Directory, as Windows Pods shall use it by a group Managed Service Account."""

    domain: HostName = Field(description="DNS name of the domain")
    credSpecName: Subdomain = Field(description="GMSACredentialSpec of an account that the Nodes may use")
    dcHost: HostName | None = Field(None, description="a domain controller by name")
    smbUncAllowed: Unc | None = Field(None, description="share that the account may read and write, anonymous nobody")
    smbUncDenied: Unc | None = Field(None, description="share that the account may not read")
    nodeSelector: dict[str, str] | None = Field(None, description="labels of Nodes that can use the account")


class Nodes(_Strict):
    """How the cluster's Nodes are meant to be."""

    closed: bool | None = Field(None, description="by design administrators log on to no Node")


class Reboot(_Strict):
    """What a Node may take to restart."""

    nodeSeconds: PositiveFloat | None = Field(None, description="in which a Node that restarts is Ready again")
    gapSeconds: PositiveFloat | None = Field(None, description="how long a Service may be silent meanwhile")


class Config(_Strict):
    """The file: a section for each outside system, and what is by design."""

    gmsa: Gmsa | None = None
    nodes: Nodes | None = None
    reboot: Reboot | None = None


_SECTIONS: dict[str, type[BaseModel]] = {"gmsa": Gmsa, "nodes": Nodes, "reboot": Reboot}


def fields() -> dict[str, str]:
    """Every field as `section.field`, and what it is."""
    return {
        f"{section}.{name}": field.description or ""
        for section, model in _SECTIONS.items()
        for name, field in model.model_fields.items()
    }


def read_inputs(path: Path | None, given: Sequence[str]) -> dict[str, Any]:
    """The inputs by section and field, those of the command line over those of the file. Raises UsageError."""
    data: Any = {} if path is None else read_yaml(path)
    data = {} if data is None else data
    if not isinstance(data, dict):
        raise UsageError(f"{path}:1: sections such as gmsa: are expected")
    if path is not None:
        _check(data, lambda loc: f"{path}:{line_of(path, loc)}: ")
    merged = _with(data, given)
    _check(merged, lambda loc: "--input: ")
    return Config.model_validate(merged).model_dump(exclude_none=True)


def missing(inputs: Mapping[str, Any], wanted: Sequence[str]) -> list[str]:
    """Those of the wanted `section.field` names that were not given."""
    return [name for name in wanted if not (inputs.get(name.partition(".")[0]) or {}).get(name.partition(".")[2])]


def how_to_give(names: Sequence[str]) -> str:
    """The words of what to type for fields that are missing."""
    first = " ".join(f"--input {name}=..." for name in names)
    sections: dict[str, list[str]] = {}
    for name in names:
        section, _, field = name.partition(".")
        sections.setdefault(section, []).append(f"{field}: ...")
    listed = "; ".join(f"{section}: {{{', '.join(words)}}}" for section, words in sections.items())
    return f"give {first}, or --config FILE with {listed}"


def _with(data: Mapping[str, Any], given: Sequence[str]) -> dict[str, Any]:
    merged = {section: dict(values) if isinstance(values, Mapping) else values for section, values in data.items()}
    known = fields()
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not value:
            raise UsageError(f"--input takes FIELD=VALUE such as gmsa.domain=corp.example, not {text!r}")
        if name not in known:
            raise UsageError(f"--input {name}: unknown field{_nearest(name, list(known))}")
        section, _, field = name.partition(".")
        label, is_label, content = value.partition("=")
        if field == "nodeSelector" and is_label:
            merged.setdefault(section, {}).setdefault(field, {})[label] = content
        else:
            merged.setdefault(section, {})[field] = value
    return merged


def _check(data: Mapping[str, Any], where: Any) -> None:
    """Raise UsageError, one line, for the first mistake: an unknown field before what is missing."""
    try:
        Config.model_validate(data)
    except ValidationError as error:
        found = error.errors(include_url=False)
        first = next((one for one in found if one["type"] == "extra_forbidden"), found[0])
        loc = tuple(step for step in first["loc"] if step != "[key]")
        name = ".".join(str(step) for step in loc)
        raise UsageError(f"{where(loc)}{name}: {_words(first, loc)}") from None


def _words(error: Any, loc: Loc) -> str:
    parent = _SECTIONS.get(str(loc[0]), Config) if len(loc) > 1 else Config
    known = list(parent.model_fields)
    if error["type"] == "extra_forbidden":
        return f"unknown field{_nearest(str(loc[-1]), known)}"
    if error["type"] == "missing":
        return f"missing field, {parent.model_fields[str(loc[-1])].description}"
    expected = EXPECTED.get(str(loc[-1]), error["msg"])
    return f"{error['input']!r} cannot be used: {expected}"


def _nearest(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"; did you mean {near[0]}?" if near else f"; known: {', '.join(known)}"
