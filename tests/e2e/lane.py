"""Kubernetes' own `[sig-windows]` tests, unmodified, against simulated Nodes under a real control plane.

Nobody here wrote those tests: what passes is behaviour that the simulator has not invented. Several processes of
`e2e.test` share one cluster for what may run side by side; `[Serial]` specs follow one by one.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

BINARY, KUBECTL = "e2e.test", "kubectl"
HERE = Path(__file__).parent
RATE = 2.0
"""Cluster seconds a real second: these tests measure the wall's time, and look only once a second."""
CONTROL_PLANE = {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}
WINDOWS = [
    {"name": name, "os": "windows", "build": "10.0.20348", "shutdown_grace": 20, "shutdown_grace_critical": 10}
    for name in ("win-1", "win-2")
]
"""Server 2022 alone, as two images of these tests have no entry for Server 2025 (nonroot:1.5, resource-consumer:1.14);
kubelets with a shutdownGracePeriod, as the test of graceful shutdown wants them."""
LINUX = [{"name": name, "os": "linux"} for name in ("linux-1", "linux-2")]
KEPT = [{**node, "taints": [CONTROL_PLANE]} for node in LINUX]
"""Linux Nodes as in clusters that these tests are written for: Pods without a toleration, and so without an OS, go to
Windows Nodes."""
SIDE_BY_SIDE, SECONDS = 3, 1800.0
"""Processes of e2e.test at once, and the real seconds that each may take."""
APPLY_SECONDS = 3.0
LEFT_OUT = (
    "Kubernetes' own tests are left out: `tests/control-plane/build control-plane e2e` makes them; "
    "KUBEBUILDER_ASSETS has to name the folder that it prints"
)


@dataclass(frozen=True)
class Spec:
    """How a spec of e2e.test ended. `outcome` is pass, fail, skip or left out."""

    name: str
    outcome: str
    text: str = ""
    seconds: float = 0.0


def assets() -> Path | None:
    """The folder with e2e.test and a control plane; None if there is none."""
    named = os.environ.get("KUBEBUILDER_ASSETS")
    return Path(named) if named and (Path(named) / BINARY).exists() else None


@dataclass(frozen=True)
class Selection:
    """Which specs, on which Linux Nodes, and what is known of them. `manifests` are applied to the cluster first.

    `reasons` tells why specs do not pass, by a part of their names: the outcome to expect (skip, fail, left out) and
    the reason.
    """

    title: str
    parts: tuple[str, ...]
    reasons: dict[str, dict[str, str]]
    linux: Sequence[dict[str, Any]]
    manifests: tuple[str, ...] = ()


def windows() -> Selection:
    """Everything that SIG Windows has written."""
    entries = yaml.safe_load((HERE / "reasons.yaml").read_text())
    return Selection("[sig-windows]", ("[sig-windows]",), {entry["spec"]: entry for entry in entries}, KEPT)


def generic() -> Selection:
    """Specs without an OS, with their Pods sent to Windows Nodes."""
    given = yaml.safe_load((HERE / "generic.yaml").read_text())
    reasons = {entry["spec"]: entry for entry in given["reasons"]}
    return Selection("generic", tuple(given["specs"]), reasons, LINUX, ("windows-selector.yaml",))


def listed(folder: Path, parts: Sequence[str]) -> list[str]:
    """The names of all specs that have one of `parts` in them."""
    done = subprocess.run([folder / BINARY, "--list-tests"], capture_output=True, text=True, check=True)
    names = (line.strip().partition(": ")[2] for line in done.stdout.splitlines())
    return sorted(name for name in names if any(part in name for part in parts))


@contextlib.contextmanager
def cluster(folder: Path, *, rate: float = RATE, linux: Sequence[dict[str, Any]] = KEPT) -> Iterator[dict[str, str]]:
    """A simulated cluster under the control plane of `folder`; gives how to reach it (kubeconfig, control, ...)."""
    with tempfile.TemporaryDirectory(prefix="opr-e2e-") as home:
        spec = Path(home) / "spec.json"
        spec.write_text(json.dumps({
            "nodes": [*WINDOWS, *linux], "rate": rate, "control_plane": "real", "assets": str(folder), "folder": home,
            "domain": False,  # their GMSA test gives a credential spec without a name, which the webhook refuses
        }))  # fmt: skip
        with subprocess.Popen(
            [sys.executable, "-m", "op_readiness.simulator", str(spec)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            try:
                line = process.stdout.readline() if process.stdout else ""
                if not line:
                    raise RuntimeError("the simulated cluster did not start")
                yield json.loads(line)
            finally:
                process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(20)
                process.kill()


def run(
    folder: Path, kubeconfig: str, names: Sequence[str], seconds: float, verbose: bool = False, clean: bool = False
) -> list[Spec]:
    """Run specs one after the other in one process; every one of `names` has its outcome, run or not.

    `clean`: wait first until the Namespaces of earlier specs are gone.
    """
    if not names:
        return []
    with tempfile.TemporaryDirectory(prefix="opr-e2e-report-") as report:
        focus = "|".join(re.escape(name) + "$" for name in names)
        command = [
            folder / BINARY, "--provider", "skeleton", "--kubeconfig", kubeconfig, "--node-os-distro", "windows",
            "--report-dir", report, "--disable-log-dump", "--dump-logs-on-failure=false",
            "--kubectl-path", folder / KUBECTL, "--ginkgo.no-color", "--ginkgo.focus", focus,
            f"--ginkgo.timeout={int(seconds)}s", "--ginkgo.grace-period=5s",
            f"--clean-start={str(clean).lower()}",
        ]  # fmt: skip
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                              errors="replace")  # fmt: skip
        log = "\n".join(line for line in done.stdout.splitlines() if not re.fullmatch("S+", line))
        if verbose:
            print(log)  # noqa: T201
        return with_missing(names, reported(Path(report)), log)


def start(
    folder: Path, kubeconfig: str, groups: Sequence[Sequence[str]], seconds: float, verbose: bool = False
) -> list[Spec]:
    """Run groups of specs side by side."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(max_workers=max(1, len(groups))) as pool:
        futures = [pool.submit(run, folder, kubeconfig, group, seconds, verbose) for group in groups]
        return [spec for future in futures for spec in future.result()]


def whole(
    folder: Path, names: Sequence[str], selection: Selection, rate: float = RATE, verbose: bool = False
) -> list[Spec]:
    """All of `names` on a cluster of their own, but those that are left out."""
    never = [part for part, one in selection.reasons.items() if one["outcome"] == "left out"]
    left_out = [name for name in names if any(part in name for part in never)]
    running = [name for name in names if name not in left_out]
    disruptive = [name for name in running if "[Disruptive]" in name]
    serial = [name for name in running if "[Serial]" in name and name not in disruptive]
    together = [name for name in running if name not in disruptive and name not in serial]
    groups = [together[index::SIDE_BY_SIDE] for index in range(SIDE_BY_SIDE)]
    with cluster(folder, rate=rate, linux=selection.linux) as reached:
        for manifest in selection.manifests:
            apply(folder, reached["kubeconfig"], HERE / manifest)
        found = start(folder, reached["kubeconfig"], [group for group in groups if group], SECONDS, verbose)
        for group in [serial, *([name] for name in disruptive)]:
            found += run(folder, reached["kubeconfig"], group, SECONDS, verbose, clean=True)
    return sorted([*found, *(Spec(name, "left out") for name in left_out)], key=lambda spec: spec.name)


def apply(folder: Path, kubeconfig: str, manifest: Path) -> None:
    """Give the cluster what a manifest says, and a moment to take it up."""
    command = [folder / KUBECTL, "--kubeconfig", kubeconfig, "apply", "-f", manifest]
    subprocess.run(command, check=True, capture_output=True)
    time.sleep(APPLY_SECONDS)


def summary(title: str, specs: Sequence[Spec], known: dict[str, dict[str, str]]) -> tuple[str, bool]:
    """What to print, and whether everything is as the reasons say."""
    passed = [spec for spec in specs if spec.outcome == "pass"]
    lines = [f"{len(passed)} of {len(specs)} {title} specs pass"]
    well = True
    for spec in specs:
        entry = next((one for part, one in known.items() if part in spec.name), None)
        expected = entry["outcome"] if entry else "pass"
        well = well and spec.outcome == expected
        if spec.outcome != "pass":
            why = entry["reason"] if entry and spec.outcome == expected else spec.text or "no reason is known"
            lines.append(f"  {spec.outcome:8}  {spec.name}\n            {why.strip()}")
        elif expected != "pass":
            lines.append(f"  passes though its reason says {expected}: {spec.name}")
    return "\n".join(lines), well


def reported(report: Path) -> dict[str, Spec]:
    """What the JUnit reports of one run say."""
    found: dict[str, Spec] = {}
    for file in report.glob("junit*.xml"):
        for case in ET.parse(file).iter("testcase"):
            name = re.sub(r"^\[It\] ", "", case.get("name", ""))
            spec = _outcome(name, case)
            if name.startswith("[sig-") and spec is not None:
                found[name] = spec
    return found


def _outcome(name: str, case: ET.Element) -> Spec | None:
    seconds = float(case.get("time") or 0)
    failure = next((case.find(kind) for kind in ("failure", "error") if case.find(kind) is not None), None)
    skipped = case.find("skipped")
    if failure is not None:
        return Spec(name, "fail", f"{failure.get('message') or ''} {failure.text or ''}".strip()[:2000], seconds)
    if skipped is None:
        return Spec(name, "pass", "", seconds)
    text = skipped.get("message") or ""
    return Spec(name, "skip", text.removeprefix("skipped - "), seconds) if text and text != "skipped" else None


def with_missing(names: Sequence[str], found: dict[str, Spec], log: str) -> list[Spec]:
    """An outcome for each: what was not reached has failed."""
    tail = "\n".join(log.splitlines()[-15:])
    plain = {_plain(name): spec for name, spec in found.items()}
    return [plain.get(_plain(name)) or Spec(name, "fail", f"was not run; the log ends:\n{tail}") for name in names]


def _plain(name: str) -> str:
    """A name without its labels: JUnit writes them in another order."""
    return re.sub(r"\s+", " ", re.sub(r"\[[A-Z][^]]*\]", "", name)).strip()


def main(selection: Selection, *, only: str = "", rate: float = RATE, verbose: bool = False) -> int:
    """The exit code: 0 when every spec ends as the reasons say."""
    folder = assets()
    if folder is None:
        print(LEFT_OUT)  # noqa: T201
        return 3
    began = time.monotonic()
    names = [name for name in listed(folder, selection.parts) if not only or re.search(only, name)]
    if not names:
        print(f"no spec has {only or selection.title} in its name")  # noqa: T201
        return 3
    text, well = summary(selection.title, whole(folder, names, selection, rate, verbose), selection.reasons)
    print(text)  # noqa: T201
    print(f"in {time.monotonic() - began:.0f} s")  # noqa: T201
    return 0 if well else 1
