"""What a spec.yaml may say, in pydantic's words: unknown fields, wrong types and misspelt words are refused.

Kept apart from the catalogue because importing pydantic takes longer than everything else that `list` does.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from op_readiness.model.abilities import Ability

VERSION = r"\s*(>=|<=|==|!=|~=|>|<)\s*\d+(\.\d+)*\s*"
VERSIONS = rf"^({VERSION}(,{VERSION})*)?$"


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
    networkPolicy: Literal["", "enforced"] = ""


class Entry(_Strict):
    """One entry of `testCases`."""

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)+$")
    description: str = Field(min_length=1)
    source: Source = Source()
    requires: Requires = Requires()  # type: ignore[call-arg]
    kubernetesVersions: str = Field("", pattern=VERSIONS)
    seconds: float = Field(30.0, gt=0)
    tags: tuple[Literal["slow", "serial", "disruptive", "beyond", "internet"], ...] = ()
    proof: Literal["pods", "node", "api"] = "pods"
    judges: Literal["", "start"] = ""
    gating: bool = True
    planned: bool = False

    def ability(self, category: str) -> Ability:
        """The entry in the model's words."""
        return Ability(
            id=self.id,
            category=category,
            description=self.description,
            kep=self.source.kep,
            upstream=self.source.upstream,
            requires=self.requires.model_dump(exclude_unset=True),
            kubernetes_versions=self.kubernetesVersions,
            seconds=self.seconds,
            tags=self.tags,
            proof=self.proof,
            judges=self.judges,
            gating=self.gating,
            planned=self.planned,
        )


class Spec(_Strict):
    """One spec.yaml."""

    category: str = Field(min_length=1)
    description: str = ""
    testCases: tuple[Entry, ...]


def first_mistake(data: Any) -> tuple[tuple[int | str, ...], str] | None:
    """Where the first mistake of a spec.yaml's data is and what it is, or None if there is none."""
    try:
        Spec.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        return first["loc"], "unknown field" if first["type"] == "extra_forbidden" else first["msg"]
    return None


def category_of(data: Any) -> tuple[str, str, tuple[Ability, ...]]:
    """Name, description and abilities of checked data."""
    spec = Spec.model_validate(data)
    return spec.category, spec.description, tuple(entry.ability(spec.category) for entry in spec.testCases)
