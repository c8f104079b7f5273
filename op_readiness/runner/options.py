"""What a run was asked to do: the command line's values, checked where they depend on one another."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

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
    provider: str = "local"
    kubeconfig: str | None = None
    context: str | None = None
    windows_nodes: str = ""
    report_dir: Path = Path("op-readiness-report")
    dry_run: bool = False
    yes: bool = False
    verbose: bool = False
    strict: bool = False
    test_directories: tuple[Path, ...] = ()
    disruptive: bool = False
    image_registry: str | None = None
    pull_secret: str = ""
    faults: tuple[str, ...] = ()
    fault_files: tuple[Path, ...] = ()
    latency: str = "quick"
    latency_given: bool = False
    nodes: str = ""
    control_plane: str = ""
    seed: str = ""
    timeout_scale: float | None = None
    run_timeout: float = 4 * 3600.0
    cleanup_timeout: float = 60.0
    workers: str = "auto"
    flake_attempts: int = 1
    color: bool = True

    @property
    def simulated(self) -> bool:
        """Whether the cluster is one that we start ourselves."""
        return self.provider == SIMULATED

    @property
    def scale(self) -> float:
        """Real seconds for one cluster second."""
        return self.timeout_scale or (SIMULATED_SCALE if self.simulated else 1.0)


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
            "--control-plane": options.control_plane,
        }
        _refuse(options, "is for the simulated cluster only: add --provider simulated", given)
    if options.workers != "auto" and not (options.workers.isdecimal() and int(options.workers) > 0):
        raise UsageError(f"--workers takes a number from 1 on, or auto, not {options.workers!r}")
    if options.flake_attempts < 1:
        raise UsageError(f"--flake-attempts takes a number from 1 on, not {options.flake_attempts}")
    if options.timeout_scale is not None and not 0.001 <= options.timeout_scale <= 100:
        raise UsageError(f"--timeout-scale takes a figure from 0.001 to 100, not {options.timeout_scale:g}")
    for folder in options.test_directories:
        if not folder.is_dir():
            raise UsageError(f"--test-directory {folder}: no such folder")


def _refuse(options: RunOptions, why: str, given: dict[str, object]) -> None:
    for name, value in given.items():
        if value:
            raise UsageError(f"{name} {why}")


def parse_nodes(text: str, default: dict[str, int]) -> dict[str, int]:
    """`windows=2,linux=2` as counts by operating system. Raises UsageError."""
    counts = dict(default)
    for piece in filter(None, text.split(",")):
        os, equals, count = piece.partition("=")
        must_be_known("operating system", os.strip(), tuple(default))
        if not equals or not count.strip().isdecimal() or int(count) > 1000:
            raise UsageError(f"--nodes takes windows=N,linux=N with N up to 1000, not {piece!r}")
        counts[os.strip()] = int(count)
    return counts
