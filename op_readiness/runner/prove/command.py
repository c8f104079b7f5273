"""`op-readiness prove`: choose the cells, run them as pytest sessions, show each category's matrix and its holes."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from op_readiness.model.errors import UsageError
from op_readiness.runner import matrix
from op_readiness.runner.attention import Attention, Interrupted
from op_readiness.runner.prove.planes import BOTH, EMBEDDED, REAL, differing, known
from op_readiness.runner.prove.proof import Proof
from op_readiness.runner.prove.sessions import Session, all_going, sessions_of
from op_readiness.runner.prove.turnstile import can_be_measured

SCALE = 0.05
NODES = {"windows": 3, "linux": 2}
"""Three Windows Nodes, so that a finding that accuses the drawn one could accuse two healthy ones."""
CLUSTERS, CORE = 6, 6
"""Simulated clusters side by side: cells wait more than they compute. `CLUSTERS` where nothing holds them back when
they compute all at once, or the control plane is the real one; else so many for each core, behind a turnstile."""
STEP = 0.2


def node_parameters(faults: Mapping[str, Any]) -> dict[str, str]:
    """Fault -> its first parameter that takes a Windows Node, for those that have one."""
    found: dict[str, str] = {}
    for name, fault in faults.items():
        for parameter, about in (fault.get("parameters") or {}).items():
            if about.get("kind") == "windows-node":
                found.setdefault(name, parameter)
    return found


def prove(given: Mapping[str, Any], say: Callable[[str], None]) -> int:
    """Exit code of `op-readiness prove`; 1 if any category has a hole."""
    asked = given.get("control_plane") or EMBEDDED
    planes = (EMBEDDED, REAL) if asked == BOTH else (asked,)
    scale = given.get("timeout_scale") or SCALE
    proofs = proofs_of(given, planes, scale, say)
    clusters = shares(_clusters(given["workers"], asked), planes)
    if not any(proofs.values()):
        raise UsageError("none of the selected abilities has a test yet: there is nothing to prove")
    turnstile = Path(tempfile.mkdtemp(prefix="opr-turnstile-"))
    lanes = [
        sessions_of(proofs[plane], scale=scale, workers=clusters[plane], turnstile=turnstile, say=say)
        for plane in planes
    ]
    try:
        with Attention(float("inf"), lambda: None) as attention:
            codes = run_all(lanes, attention)
    except Interrupted as error:
        return {"SIGINT": 130, "SIGTERM": 143}.get(error.by, 3)
    finally:
        shutil.rmtree(turnstile, ignore_errors=True)
    if asked == BOTH:
        codes += [_compare(pair, say) for pair in zip(*proofs.values(), strict=True)]
    return max(codes)


def proofs_of(
    given: Mapping[str, Any], planes: Sequence[str], scale: float, say: Callable[[str], None]
) -> dict[str, list[Proof]]:
    """The proofs under each control plane: one for each category that has abilities to prove."""
    from op_readiness.runner.listing import catalogue_of
    from op_readiness.runner.names import must_be_known
    from op_readiness.runner.selection import select
    from op_readiness.runner.simulated import assets, known_faults
    from op_readiness.suite.catalogue import shipped_folder

    catalogue = catalogue_of(())
    selection = select(catalogue, given["categories"], given["abilities"], (), ())
    faults = {fault["name"]: fault for fault in known_faults()}
    chosen, seed = tuple(given.get("faults") or ()), given.get("seed") or secrets.token_hex(4)
    for name in chosen:
        must_be_known("fault", name, faults)
    programs = {plane: assets(plane) for plane in planes}
    proofs: dict[str, list[Proof]] = {plane: [] for plane in planes}
    for category in selection.categories:
        folder = shipped_folder() / _folder(category.name)
        path = folder / matrix.FILE
        abilities = [ability for ability in category.abilities if not ability.planned]
        if not path.is_file() or not abilities:
            continue
        reports = Path(given["report_dir"]) / (category.name if len(selection.categories) > 1 else "")
        every = [a.id for c in catalogue for a in c.abilities if c.name == category.name]
        declared = matrix.read(path, every, faults)
        for plane in planes:
            spec = {"nodes": NODES, "rate": 1 / scale, "latency": given.get("latency") or "quick", "seed": 1,
                    "control_plane": plane, "assets": programs[plane], "dual_stack": declared.dual_stack}  # fmt: skip
            proof = Proof(
                category.name, folder, abilities, declared, node_parameters(faults), spec, seed,
                reports / plane if len(planes) > 1 else reports, say, verbose=bool(given.get("verbose")),
                complete=bool(given.get("complete")), most=given.get("cells"), faults=chosen,
            )  # fmt: skip
            proofs[plane].append(proof)
    return proofs


def run_all(lanes: Sequence[Sequence[Session]], attention: Attention) -> list[int]:
    """The exit codes of all proofs. Lanes run side by side, the sessions of one follow each other."""
    sessions = [session for lane in lanes for session in lane]
    try:
        while sum(all_going(lane) for lane in lanes):  # all of them are looked at
            attention.pause(STEP)
        return [code for session in sessions for code in session.finish()]
    finally:
        for session in sessions:
            session.stop()


def shares(clusters: int, planes: Sequence[str]) -> dict[str, int]:
    """How many of the clusters each control plane gets; under the real one a cell takes longer."""
    if len(planes) == 1:
        return {planes[0]: clusters}
    embedded = max(2, clusters * 2 // 5)
    return {EMBEDDED: embedded, REAL: max(2, clusters - embedded)}


def _compare(proofs: Sequence[Proof], say: Callable[[str], None]) -> int:
    """Say which cells end differently under the control planes; 1 if any does that must not."""
    results = {proof.spec["control_plane"]: proof.results for proof in proofs}
    count, found = differing(proofs[0].cells, proofs[0].declared, results, known())
    for id, words in found.items():
        say(f"differs: {id}: {words}")
    say(f"{count} cells compared, {len(found)} differ between the control planes")
    return 1 if found else 0


def _clusters(workers: str, plane: str) -> int:
    if workers == "auto":
        cores = os.cpu_count() or 1
        return min(2 * CLUSTERS, CORE * cores) if can_be_measured() and plane == EMBEDDED else min(CLUSTERS, 3 * cores)
    if not workers.isdigit() or int(workers) < 1:
        raise UsageError(f"--workers {workers}: expected a number from 1 on, or auto")
    return int(workers)


def _folder(category: str) -> str:
    kind, _, name = category.partition(".")
    words = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
    return f"{kind.lower()}{words}"
