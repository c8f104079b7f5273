"""What a simulated cluster is asked to be: SPEC.json, checked field by field before anything is started."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from op_readiness.simulator.nodes.specs import NodeSpec, dual_stack, parse_nodes
from op_readiness.simulator.processes import StartFailed

DEFAULTS: Mapping[str, Any] = {
    "nodes": {"windows": 2, "linux": 2}, "rate": 20.0, "latency": "quick", "seed": 0, "control_plane": "embedded",
    "assets": None, "faults": [], "folder": None, "temporary": False, "domain": True,
    "ip_families": ["IPv4"],
}  # fmt: skip
FAMILIES = (["IPv4"], ["IPv4", "IPv6"])
LONGEST_SOCKET_PATH = 100
"""A Unix socket's path must stay under 108 characters."""


@dataclass(frozen=True)
class Spec:
    """One simulated cluster. `rate` is cluster seconds per real second; `folder` takes its files.

    `domain`: its Nodes have joined an Active Directory domain, and the GMSA kind and webhook are installed.
    A `temporary` folder is removed by the cluster itself when its standard input ends: who made it was killed, then.
    """

    nodes: list[NodeSpec]
    rate: float
    latency: str
    seed: int
    control_plane: str
    assets: Path | None
    faults: list[Any]
    folder: Path
    temporary: bool = False
    domain: bool = True
    ip_families: tuple[str, ...] = ("IPv4",)

    @property
    def dual_stack(self) -> bool:
        """Whether Nodes, Pods and Services have addresses of both families."""
        return len(self.ip_families) > 1

    @property
    def real(self) -> bool:
        """Whether the control plane is the real one."""
        return self.control_plane == "real"

    @property
    def egress(self) -> Path:
        """The Unix socket by which a real API server reaches Nodes."""
        return self.folder / "egress.sock"

    @property
    def lease_seconds(self) -> float:
        """Real seconds between two renewals of a Lease: the real controllers look at the wall's time."""
        return 10.0 if self.real else max(1.0, 10.0 / self.rate)


def parse_spec(given: Any) -> Spec:
    """The Spec of a decoded SPEC.json; raises StartFailed with the field that is wrong."""
    if not isinstance(given, dict):
        raise StartFailed("the spec is not a JSON object")
    unknown = sorted(set(given) - set(DEFAULTS))
    if unknown:
        raise StartFailed(f"unknown field {unknown[0]!r} in the spec; known: {', '.join(DEFAULTS)}")
    spec = {**DEFAULTS, **given}
    _one_of(spec, "latency", ("quick", "realistic"))
    _one_of(spec, "control_plane", ("embedded", "real"))
    if not isinstance(spec["rate"], int | float) or spec["rate"] <= 0:
        raise StartFailed(f"rate: cluster seconds per real second are needed, not {spec['rate']!r}")
    if not spec["folder"]:
        raise StartFailed("folder: a folder for kubeconfig, certificates and sockets is needed")
    if not isinstance(spec["faults"], list):
        raise StartFailed("faults: a list of fault requests is needed")
    if spec["ip_families"] not in FAMILIES:
        raise StartFailed(f"ip_families: {spec['ip_families']!r} is neither of {FAMILIES[0]} and {FAMILIES[1]}")
    folder = Path(spec["folder"]).absolute()
    if spec["control_plane"] == "real" and len(str(folder / "egress.sock")) > LONGEST_SOCKET_PATH:
        raise StartFailed(f"folder: {folder} is too long for a Unix socket")
    nodes = parse_nodes(spec["nodes"])
    if len(spec["ip_families"]) > 1:
        nodes = [dual_stack(node) for node in nodes]
    return Spec(
        nodes, float(spec["rate"]), spec["latency"], int(spec["seed"]), spec["control_plane"],
        _assets(spec), spec["faults"], folder, bool(spec["temporary"]), bool(spec["domain"]),
        tuple(spec["ip_families"]),
    )  # fmt: skip


def _one_of(spec: dict[str, Any], name: str, known: tuple[str, ...]) -> None:
    if spec[name] not in known:
        raise StartFailed(f"{name}: {spec[name]!r} is none of {', '.join(known)}")


def _assets(spec: dict[str, Any]) -> Path | None:
    if spec["control_plane"] != "real":
        return None
    named = spec["assets"] or os.environ.get("KUBEBUILDER_ASSETS")
    if not named:
        raise StartFailed("a real control plane needs assets, or KUBEBUILDER_ASSETS: the folder of its binaries")
    return Path(named).expanduser().absolute()
