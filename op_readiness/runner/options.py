"""What a run was asked to do: the command line's values, checked where they depend on one another."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from op_readiness.model.errors import UsageError
from op_readiness.runner.names import must_be_known

SIMULATED = "simulated"
PROVIDERS = (SIMULATED, "aws", "azure", "gce", "gke", "kubemark", "local", "openstack", "skeleton", "vsphere")
"""`simulated`, and the names that e2e.test's `--provider` takes."""

SIMULATED_SCALE = 0.05
"""Real seconds for a cluster second where we start the cluster ourselves: its clock runs twenty times as fast."""


@dataclass(frozen=True)
class RunOptions:
    """Options of `op-readiness run`; names and meaning are those of the command line."""

    categories: tuple[str, ...] = ()
    abilities: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    skip_tags: tuple[str, ...] = ()
    gate: tuple[str, ...] = ()
    provider: str = "local"
    kubeconfig: str | None = None
    context: str | None = None
    windows_nodes: str = ""
    report_dir: Path = Path("op-readiness-report")
    dry_run: bool = False
    yes: bool = False
    verbose: bool = False
    strict: bool = False
    github: bool = False
    test_directories: tuple[Path, ...] = ()
    disruptive: bool = False
    image_registry: str | None = None
    pull_secret: str = ""
    faults: tuple[str, ...] = ()
    fault_files: tuple[Path, ...] = ()
    latency: str = "quick"
    latency_given: bool = False
    nodes: str = ""
    dual_stack: bool | None = None
    """Whether simulated Nodes, Pods and Services have IPv6 addresses too; they do where nothing is said."""
    control_plane: str = ""
    seed: str = ""
    timeout_scale: float | None = None
    run_timeout: float = 4 * 3600.0
    cleanup_timeout: float = 60.0
    workers: str = "auto"
    flake_attempts: int = 1
    color: bool = True
    e2e_binary: str = ""
    e2e_timeout: float = 3600.0
    config: Path | None = None
    inputs: tuple[str, ...] = ()

    @property
    def simulated(self) -> bool:
        """Whether the cluster is one that we start ourselves."""
        return self.provider == SIMULATED

    @property
    def scale(self) -> float:
        """Real seconds for one cluster second."""
        return self.timeout_scale or (SIMULATED_SCALE if self.simulated else 1.0)


    def e2e(self) -> dict[str, Any]:
        """What workers need to know to run e2e.test: binary, provider as it knows it, seconds, verbose."""
        return {
            "binary": str(Path(self.e2e_binary).absolute()) if self.e2e_binary else "",
            "provider": "skeleton" if self.simulated else self.provider,
            "seconds": self.e2e_timeout,
            "verbose": self.verbose,
        }


def check(options: RunOptions) -> None:
    """Refuse what does not go together. Raises UsageError."""
    must_be_known("provider", options.provider, PROVIDERS)
    if options.simulated:
        _refuse(options, "cannot be given with --provider simulated, which starts a cluster of its own",
                {"--kubeconfig": options.kubeconfig, "--context": options.context})  # fmt: skip
    else:
        given = {
            "--fault": options.faults,
            "--fault-file": options.fault_files,
            "--latency": options.latency_given,
            "--nodes": options.nodes,
            "--dual-stack": options.dual_stack,
            "--single-stack": options.dual_stack is False,
            "--control-plane": options.control_plane,
        }
        _refuse(options, "is for the simulated cluster only: add --provider simulated", given)
    if options.workers != "auto" and not (options.workers.isdecimal() and int(options.workers) > 0):
        raise UsageError(f"--workers takes a number from 1 on, or auto, not {options.workers!r}")
    if options.flake_attempts < 1:
        raise UsageError(f"--flake-attempts takes a number from 1 on, not {options.flake_attempts}")
    if options.timeout_scale is not None and not 0.001 <= options.timeout_scale <= 100:
        raise UsageError(f"--timeout-scale takes a figure from 0.001 to 100, not {options.timeout_scale:g}")
    if options.e2e_binary and not (Path(options.e2e_binary).is_file() and os.access(options.e2e_binary, os.X_OK)):
        raise UsageError(f"--e2e-binary {options.e2e_binary}: no such file, or it cannot be executed")
    for folder in options.test_directories:
        if not folder.is_dir():
            raise UsageError(f"--test-directory {folder}: no such folder")


def _refuse(options: RunOptions, why: str, given: dict[str, object]) -> None:
    for name, value in given.items():
        if value:
            raise UsageError(f"{name} {why}")


def parse_nodes(text: str, default: Mapping[str, int]) -> dict[str, int] | list[dict[str, Any]]:
    """`windows=2,linux=2,control-plane=1` as counts by kind, or the list of Nodes of a YAML file. Raises UsageError."""
    from op_readiness.simulator.nodes import specs
    from op_readiness.simulator.processes import StartFailed

    nodes = _counts(text, default, specs.KINDS) if not text or "=" in text else _described(Path(text))
    try:
        specs.parse_nodes(nodes)
    except StartFailed as error:
        raise UsageError(f"--nodes {text}: {error}") from error
    return nodes


def _counts(text: str, default: Mapping[str, int], kinds: Collection[str]) -> dict[str, int]:
    counts = dict(default)
    for piece in filter(None, text.split(",")):
        kind, equals, count = (part.strip() for part in piece.partition("="))
        must_be_known("kind of Node", kind, tuple(kinds))
        if not equals or not count.isdecimal() or int(count) > 1000:
            raise UsageError(f"--nodes takes windows=N,linux=N,control-plane=N with N up to 1000, not {piece!r}")
        counts[kind] = int(count)
    return counts


def _described(file: Path) -> list[dict[str, Any]]:
    import yaml

    try:
        nodes = yaml.safe_load(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        why = " ".join(str(getattr(error, "strerror", "") or error).split())
        raise UsageError(f"--nodes {file}: {why}; give windows=N,linux=N, or a YAML list of Nodes") from error
    if not isinstance(nodes, list):
        raise UsageError(f"--nodes {file}: expected a YAML list of Nodes with name, os, build, taints, labels ...")
    return nodes
