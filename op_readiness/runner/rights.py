"""The rights that a run needs: asked for before anything is made, and printed as RBAC objects.

What a category's abilities ask of the API server stands beside its catalogue in `rights.yaml`, recorded from runs and
never typed. A right that is missing would end somewhere in the middle of a test as an answer that says nothing about
Windows; so all are asked about at once, and a run that lacks one says which, before it makes anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import yaml

from op_readiness.cluster.api import Cluster
from op_readiness.model.errors import OpReadinessError
from op_readiness.model.facts import Facts

FILE = "rights.yaml"
SHOWN = 6


@dataclass(frozen=True, order=True)
class Right:
    """One verb on one resource (`pods/exec`, `deployments.apps`), everywhere or in a Namespace, on one object.

    One that is `optional` is missed by the abilities that say so in `requires`, and by nothing else.
    """

    resource: str
    verb: str
    namespace: str = ""
    name: str = ""
    optional: bool = False

    def __str__(self) -> str:
        what = f"{self.verb} {self.resource}" + (f" {self.name}" if self.name else "")
        return f"{what} in {self.namespace}" if self.namespace else what


def recorded(category: str) -> list[Right] | None:
    """The rights of a category that ships; None where they have not been recorded."""
    file = file_of(category)
    return read(file) if file is not None and file.is_file() else None


def file_of(category: str) -> Path | None:
    """Where the rights of a category stand, beside its catalogue; None for one that does not ship."""
    from op_readiness.suite.catalogue import shipped_folder

    wanted = category.lower().replace(".", "")
    found = (spec.parent for spec in shipped_folder().glob("*/spec.yaml"))
    return next((folder / FILE for folder in found if folder.name.replace("_", "") == wanted), None)


def read(file: Path) -> list[Right]:
    """The rights in a file."""
    return sorted(
        Right(entry["resource"], verb, entry.get("namespace", ""), name, entry.get("optional", False))
        for entry in yaml.safe_load(file.read_text("utf-8"))
        for verb in entry["verbs"]
        for name in entry.get("names", [""])
    )


def rights_of(categories: Iterable[str]) -> tuple[list[Right], list[str]]:
    """The rights of all these categories, and those of them whose rights have not been recorded."""
    found: set[Right] = set()
    unknown = []
    for category in categories:
        rights = recorded(category)
        found.update(rights or ())
        if rights is None:
            unknown.append(category)
    return sorted(found), unknown


def must_be_granted(cluster: Cluster, facts: Facts, categories: Sequence[str]) -> None:
    """Raises OpReadinessError, one line, where a right is missing that these categories need."""
    rights = [right for right in rights_of(categories)[0] if not right.optional]
    with ThreadPoolExecutor(8, "rights") as threads:
        granted = list(threads.map(lambda r: cluster.can_i(r.verb, r.resource, r.namespace, name=r.name), rights))
    missing = [str(right) for right, given in zip(rights, granted, strict=True) if not given]
    if missing:
        more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
        words = " ".join(f"--category {category}" for category in categories)
        raise OpReadinessError(
            f"{facts.user or 'the user'} may not {', '.join(missing[:SHOWN])}{more} on {facts.server} "
            f"(SelfSubjectAccessReview), nothing was made; `op-readiness rbac {words}` prints what is needed"
        )
