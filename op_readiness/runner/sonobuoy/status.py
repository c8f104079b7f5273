"""`op-readiness sonobuoy status`: what the aggregator's annotation says of our plugin, as an exit code.

`sonobuoy status` exits 0 whatever the tests said. Sonobuoy counts an error and a failure alike, and a failure that does
not gate too; the last progress update of a run names its verdict, so that is taken where Sonobuoy has results.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from op_readiness.model.errors import OpReadinessError, UsageError
from op_readiness.model.results import Verdict
from op_readiness.reports.text import one_line
from op_readiness.runner.sonobuoy.progress import VERDICT

ANNOTATION, SELECTOR = "sonobuoy.hept.io/status", "sonobuoy-component=aggregator"
CODES = {Verdict.READY: 0, Verdict.NOT_READY: 1, Verdict.UNDETERMINED: 3}


def status_command(*, kubeconfig: str | None, context: str | None, namespace: str, plugin: str) -> int:
    """Print what is known of the plugin; 0 ready, 1 not ready, 3 anything else, a run that goes on included."""
    import click

    from op_readiness.cluster.api import Cluster
    from op_readiness.cluster.errors import ApiError

    cluster = Cluster.open(kubeconfig, context)
    cluster.check()
    try:
        pods = cluster.list("Pod", namespace, labels=SELECTOR)
    except ApiError as error:
        raise OpReadinessError(str(error)) from error
    text, code = status_of(pods, namespace, plugin)
    click.echo(text)
    return code


def status_of(pods: list[dict[str, Any]], namespace: str, plugin: str) -> tuple[str, int]:
    """The line that says it, and the exit code. Raises OpReadinessError where there is no status."""
    if not pods:
        raise OpReadinessError(f"no Pod with label {SELECTOR} in Namespace {namespace}: is Sonobuoy running there?")
    meta = pods[0]["metadata"]
    text = (meta.get("annotations") or {}).get(ANNOTATION)
    if text is None:
        raise OpReadinessError(f"Pod {namespace}/{meta['name']} has no annotation {ANNOTATION} yet: try again")
    try:
        status = json.loads(text)
        entries = [dict(entry) for entry in status.get("plugins") or ()]
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        where = f"annotation {ANNOTATION} of Pod {namespace}/{meta['name']}"
        raise OpReadinessError(f"{where} cannot be read: {one_line(error, 200)}") from error
    found = [entry for entry in entries if entry.get("plugin") == plugin]
    if not found:
        there = ", ".join(one_line(entry.get("plugin"), 60) for entry in entries) or "none"
        raise UsageError(f"no plugin {plugin!r} in this run of Sonobuoy; there is {there}: --plugin names one")
    return _of_plugin(found[0], plugin, str(status.get("status", "")))


def _of_plugin(entry: Mapping[str, Any], plugin: str, run: str) -> tuple[str, int]:
    state, result = str(entry.get("status") or ""), str(entry.get("result-status") or "")
    progress = entry.get("progress") if isinstance(entry.get("progress"), dict) else {}
    said = one_line((progress or {}).get("msg") or "", 200)
    tail = f" ({_figures(progress or {})}{said})" if said else ""
    if state == "failed" and result in ("", "failed", "unknown") and not said.startswith(VERDICT):
        return f"undetermined: plugin {plugin} failed without results{tail}", 3
    if state == "running" or not result:
        return f"running: plugin {plugin}; Sonobuoy is {one_line(run, 40) or 'running'}{tail}", 3
    verdict = _verdict(result, said)
    return f"{verdict.value}: plugin {plugin}: Sonobuoy counts it as {one_line(result, 80)}{tail}", CODES[verdict]


def _verdict(result: str, said: str) -> Verdict:
    """The run's own verdict where it told one; else Sonobuoy's status, which knows passed, failed and unknown."""
    told = {VERDICT + verdict.value: verdict for verdict in Verdict}.get(said)
    if told is not None and (told is not Verdict.READY or result in ("passed", "failed")):
        return told
    return {"passed": Verdict.READY, "failed": Verdict.NOT_READY}.get(result, Verdict.UNDETERMINED)


def _figures(progress: Mapping[str, Any]) -> str:
    try:
        total, done = int(progress["total"]), int(progress.get("completed") or 0)
        bad = len(progress.get("failures") or ())
    except (KeyError, TypeError, ValueError):
        return ""
    return f"{done} did not fail, {bad} failed, {max(0, total - done - bad)} remaining; "
