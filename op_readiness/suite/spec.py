"""What a spec.yaml may say, in pydantic's words: unknown fields, wrong types and misspelt words are refused.

Kept apart from the catalogue because importing pydantic takes longer than everything else that `list` does.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from op_readiness.model.abilities import Ability

E2E_TAGS = ("serial", "e2e")
"""Tags of an entry with `focus`: e2e.test fills Nodes and measures them, so nothing else runs meanwhile."""
E2E_SECONDS = 300.0
VERSION = r"\s*(>=|<=|==|!=|~=|>|<)\s*\d+(\.\d+)*\s*"
VERSIONS = rf"^({VERSION}(,{VERSION})*)?$"
ONE_VERSION = r"^(v?\d+\.\d+(\.\d+)?|(>=|<=|==|!=|~=|>|<)\s*v?\d+(\.\d+)*)$"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Strict):
    """Where the sentence comes from: bullets of KEP-2578 (N.1 is the first of Basic Networking), upstream's case."""

    kep: tuple[str, ...] = ()
    upstream: str = ""


class Requires(_Strict):
    """What a cluster must have for the ability to be tested; its absence skips the test, with the reason."""

    windowsNodes: int = Field(1, ge=0)
    linuxNodes: int = Field(0, ge=0)
    nodes: int = Field(0, ge=0)
    freePods: int = Field(0, ge=0)
    dns: bool = False
    dualStack: bool = False
    privileged: bool = False
    nodesProxy: bool = False
    gmsa: bool = False
    inputs: list[str] = Field(default_factory=list)
    images: list[Literal["nonroot"]] = Field(default_factory=list)
    networkPolicy: Literal["", "enforced"] = ""


class Entry(_Strict):
    """One entry of `testCases`; with `focus` in place of a native test it is upstream's form, which has no ids."""

    id: str = Field("", pattern=r"^[a-z0-9]+(-[a-z0-9]+)+$")
    description: str = Field(min_length=1)
    source: Source = Source()
    requires: Requires = Requires()  # type: ignore[call-arg]
    kubernetesVersions: (
        Annotated[str, Field(pattern=VERSIONS)] | tuple[Annotated[str, Field(pattern=ONE_VERSION)], ...]
    ) = ""
    focus: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    skipProviders: tuple[str, ...] = ()
    seconds: float = Field(30.0, gt=0)
    tags: tuple[Literal["slow", "serial", "disruptive", "beyond", "internet"], ...] = ()
    proof: Literal["pods", "node", "api"] = "pods"
    judges: Literal["", "start"] = ""
    gating: bool = True
    changes: str = ""
    planned: bool = False

    def ability(self, category: str, id: str) -> Ability:
        """The entry in the model's words."""
        e2e = bool(self.focus)
        given = self.model_fields_set
        return Ability(
            id=id,
            category=category,
            description=" ".join(self.description.split()) if e2e else self.description,
            kep=self.source.kep,
            upstream=self.source.upstream,
            requires=self.requires.model_dump(exclude_unset=True),
            kubernetes_versions=_versions(self.kubernetesVersions),
            seconds=E2E_SECONDS if e2e and "seconds" not in given else self.seconds,
            tags=tuple(dict.fromkeys((*self.tags, *(E2E_TAGS if e2e else ())))),
            proof="node" if e2e and "proof" not in given else self.proof,
            judges=self.judges,
            gating=self.gating,
            changes=self.changes,
            planned=self.planned,
            focus=tuple(filter(None, self.focus)),
            skip=tuple(filter(None, self.skip)),
            skip_providers=self.skipProviders,
        )


class Spec(_Strict):
    """One spec.yaml. Upstream has categories without any case."""

    category: str = Field(min_length=1)
    description: str = ""
    testCases: tuple[Entry, ...] | None

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The cases, none where there are none."""
        return self.testCases or ()


_PARENTS: dict[str, type[BaseModel]] = {"source": Source, "requires": Requires, "testCases": Entry}


def first_mistake(data: Any) -> tuple[tuple[int | str, ...], str] | None:
    """Where the first mistake of a spec.yaml's data is and what it is, or None if there is none."""
    try:
        spec = Spec.model_validate(data)
    except ValidationError as error:
        found = error.errors(include_url=False)
        unknown = next((one for one in found if one["type"] == "extra_forbidden"), None)
        if unknown:  # before what is missing: a misspelt field is both, and its own name is what to look for
            return unknown["loc"], _unknown(unknown["loc"])
        return found[0]["loc"], found[0]["msg"]
    for index, entry in enumerate(spec.entries):
        if "focus" in entry.model_fields_set and not any(entry.focus):
            return ("testCases", index, "focus"), "Names no spec: an empty text would match every one"
        if not entry.id and not entry.focus:
            return ("testCases", index, "id"), "Field required (or focus, for specs of e2e.test)"
        if entry.focus and entry.planned:
            return ("testCases", index, "planned"), "Cannot be said of specs of e2e.test"
    return None


def _unknown(loc: tuple[int | str, ...]) -> str:
    inside = next((step for step in reversed(loc[:-1]) if isinstance(step, str)), "")
    parent = _PARENTS.get(inside, Spec)
    near = difflib.get_close_matches(str(loc[-1]), list(parent.model_fields), n=1)
    return f"unknown field; did you mean {near[0]}?" if near else "unknown field"


def category_of(data: Any) -> tuple[str, str, tuple[Ability, ...]]:
    """Name, description and abilities of checked data."""
    spec = Spec.model_validate(data)
    taken: set[str] = set()
    abilities = []
    for entry in spec.entries:
        id = entry.id or derived_id(spec.category, entry, taken)
        taken.add(id)
        abilities.append(entry.ability(spec.category, id))
    return spec.category, spec.description, tuple(abilities)


def derived_id(category: str, entry: Entry, taken: set[str]) -> str:
    """An id for an entry of upstream's form: of its sentence, so that it stays when others come, go or move.

    Two entries with one sentence are told apart by their focus, and two with one focus too by their order.
    """
    sentence = " ".join(entry.description.split())
    words = re.findall(r"[a-z0-9]+", sentence.lower().removeprefix("ability to "))[:4]
    start = "-".join(["e2e", *re.findall(r"[a-z0-9]+", category.lower()), *words])
    texts = [sentence, "\n".join([sentence, *entry.focus, *entry.skip])]
    for text in [*texts, *(f"{texts[1]}\n{number}" for number in range(len(taken)))]:
        id = f"{start}-{hashlib.sha256(text.encode()).hexdigest()[:4]}"
        if id not in taken:
            return id
    return f"{start}-{len(taken)}"


def _versions(given: str | tuple[str, ...]) -> str:
    """A specifier; upstream's list is alternatives, `1.24` meaning every patch of it."""
    if isinstance(given, str):
        return given
    return " || ".join(_one_version(text.replace(" ", "")) for text in given)


def _one_version(text: str) -> str:
    operator, version = re.sub(r"v?[\d.]+$", "", text), re.sub(r"^[^\d]*", "", text)
    return f"{operator}{version}" if operator else f"=={version}" + (".*" if version.count(".") == 1 else "")
