"""What a Pod's PersistentVolumeClaims mean for its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from op_readiness.simulator.api import Object

UNBOUND = "pod has unbound immediate PersistentVolumeClaims"
Key = tuple[str, str]


@dataclass(frozen=True)
class Found:
    """A problem that no Node solves, or the node selector terms of the volumes that are bound."""

    problem: str = ""
    terms: list[list[Object]] = field(default_factory=list)


@dataclass(frozen=True)
class Volumes:
    """Claims, volumes and classes as the caches have them."""

    claims: Mapping[Key, Object] = field(default_factory=dict)
    volumes: Mapping[Key, Object] = field(default_factory=dict)

    def look(self, pod: Object) -> Found:
        """Look at every claim of the Pod."""
        terms: list[list[Object]] = []
        for name in _claim_names(pod):
            claim = self.claims.get((pod["metadata"]["namespace"], name))
            if claim is None:
                return Found(f'persistentvolumeclaim "{name}" not found')
            if "deletionTimestamp" in claim["metadata"]:
                return Found(f'persistentvolumeclaim "{name}" is being deleted')
            volume = self.volumes.get(("", claim["spec"].get("volumeName") or ""))
            if volume is None:
                return Found(UNBOUND)
            required = (volume["spec"].get("nodeAffinity") or {}).get("required")
            if required:
                terms.append(required["nodeSelectorTerms"])
        return Found(terms=terms)


def _claim_names(pod: Object) -> list[str]:
    names = []
    for volume in pod["spec"].get("volumes") or []:
        if volume.get("persistentVolumeClaim"):
            names.append(volume["persistentVolumeClaim"]["claimName"])
        elif volume.get("ephemeral"):
            names.append(f"{pod['metadata']['name']}-{volume['name']}")
    return names
