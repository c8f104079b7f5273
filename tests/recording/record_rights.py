"""Records what a category asks of the API server: a good run, then one ability that fails, and that is interrupted.

    python -m tests.recording.record_rights Core.Network overlay-split net-windows-to-linux-pod-ip

Writes categories/<category>/rights.yaml. Requests in a run's own Namespaces need a right everywhere (nobody knows
their names beforehand), those in other Namespaces one right there for the object. Kinds that are only looked for among
leftovers are left out where the category cannot make them: the run goes on without.
"""

from __future__ import annotations

import json
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from op_readiness.runner.commands import inputs_as_options
from op_readiness.runner.rights import Right, file_of
from op_readiness.workloads.labels import RUN
from tests.recording.record_shapes import simulator

ROOT = Path(__file__).parents[2]
OBJECT = re.compile(r"^/(?:api/v1|apis/([^/]+)/[^/]+)(?:/namespaces/([^/]+)(?=/))?/([^/]+)(?:/([^/]+))?(?:/([^/]+))?")
VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch"}
EVERYBODY = ("selfsubjectaccessreviews", "selfsubjectreviews", "selfsubjectrulesreviews")
"""Granted to every user that is known (system:basic-user)."""
OPTIONAL = ("daemonsets.apps", "mutatingwebhookconfigurations.admissionregistration.k8s.io", "nodes/proxy")
"""What a run can do without, and says so: a fact that stays unknown, an ability that is skipped."""
ONLY_FOR = {"mutatingwebhookconfigurations.admissionregistration.k8s.io": "Extend.ActiveDirectory"}
"""Facts that every run looks for, and that abilities of one category alone go by."""
WAITED_FOR = ("endpointslices.discovery.k8s.io", "events", "pods", "serviceaccounts")
"""Kinds that a run waits for in its own Namespaces: with a list and, if that does not show it yet, a watch."""
OWN = "opr-"
LEFTOVER = "?"
"""Marks a look for what runs left behind, by their label."""
HEAD = "# What this category's abilities ask of the API server; written by tests/recording/record_rights.py.\n"


def rights_in(request: dict[str, Any]) -> Iterator[Right]:
    """What a request needs; an exec over WebSocket is authorised as a get and, from Kubernetes 1.35 on, a create."""
    match = OBJECT.match(request["path"])
    if not match or match[3] in EVERYBODY:
        return
    group, namespace, plural, name, subresource = (part or "" for part in match.groups())
    full = (f"{plural}.{group}" if group else plural) + (f"/{subresource}" if subresource else "")
    own = namespace.startswith(OWN)
    query = dict(request["query"])
    if query.get("labelSelector", "").startswith(RUN):
        full += LEFTOVER
    reads = "watch" if query.get("watch") in ("true", "1") else "get" if name else "list"
    removes = "delete" if name else "deletecollection"
    verb = VERBS.get(request["method"]) or (removes if request["method"] == "DELETE" else reads)
    named = name if namespace and not own and verb != "create" else ""
    for one in verbs_of(full, verb, subresource, own):
        yield Right(full, one, "" if own else namespace, named, full in OPTIONAL)


def verbs_of(resource: str, verb: str, subresource: str, own: bool) -> tuple[str, ...]:
    """What must be granted for it, beside what was asked: a run that is quick here may have to wait elsewhere."""
    if subresource in ("exec", "attach", "portforward"):
        return "get", "create"
    if (resource, verb) == ("leases.coordination.k8s.io", "create"):  # one that another run holds is read
        return "create", "get"
    return ("list", "watch") if own and verb == "list" and resource in WAITED_FOR else (verb,)


def least(rights: set[Right]) -> set[Right]:
    """Without lists of kinds that cannot be left, and without what a right everywhere covers."""
    made = {right.resource for right in rights if right.verb == "create"}
    kept = {right for right in rights if not right.resource.endswith(LEFTOVER)}
    left = {replace(right, resource=right.resource.removesuffix(LEFTOVER)) for right in rights - kept}
    kept |= {right for right in left if right.resource in made}
    everywhere = {(right.resource, right.verb) for right in kept if not right.namespace}
    return {right for right in kept if not right.namespace or (right.resource, right.verb) not in everywhere}


def as_yaml(rights: set[Right]) -> str:
    """The file: a line for each resource."""
    verbs: dict[tuple[str, str, str, bool], list[str]] = defaultdict(list)
    for right in sorted(rights):
        verbs[right.resource, right.namespace, right.name, right.optional].append(right.verb)
    lines = []
    for (name, namespace, object_name, optional), found in sorted(verbs.items()):
        entry = [f"resource: {name}", f"verbs: [{', '.join(found)}]"]
        entry += [f"namespace: {namespace}"] if namespace else []
        entry += [f"names: [{object_name}]"] if object_name else []
        entry += ["optional: true"] if optional else []
        lines.append(f"- {{{', '.join(entry)}}}\n")
    return HEAD + "".join(lines)


def logged(log: Path) -> list[dict[str, Any]]:
    """Requests that do not come from the simulator itself."""
    found = [json.loads(line) for line in log.read_text().splitlines()]
    return [each for each in found if not each["User-Agent"].startswith("op-readiness-simulator")]


def run(kubeconfig: str, folder: Path, *words: str, end: bool = False) -> None:
    """A run to its end; with `end`, a kill -9 once something is tested, and a clean-up."""
    report = folder / "report"
    at = ["--kubeconfig", kubeconfig]
    command = [sys.executable, "-m", "op_readiness"]
    process = subprocess.Popen(
        [*command, "run", *at, "--yes", "--disruptive", "--timeout-scale", "0.1", "--report-dir", str(report), *words],
        stdout=subprocess.DEVNULL, cwd=ROOT,
    )  # fmt: skip
    while end and process.poll() is None:
        time.sleep(0.1)
        log = report / "events.jsonl"
        if log.exists() and '"started"' in log.read_text():
            process.send_signal(signal.SIGKILL)
    sys.stderr.write(f"{' '.join(words)}: exit {process.wait()}\n")
    if end:
        subprocess.run([*command, "cleanup", *at], check=True, stdout=subprocess.DEVNULL, cwd=ROOT)


def main(category: str, fault: str, ability: str) -> None:
    rights: set[Right] = set()
    for broken, words, end in (("", ["--category", category], False), (fault, ["--ability", ability], False),
                               ("", ["--ability", ability], True)):  # fmt: skip
        with tempfile.TemporaryDirectory() as name, simulator(Path(name)) as (ready, log):
            put_in(ready, broken)
            given = shlex.split(inputs_as_options(ready.get("inputs") or {}))
            run(ready["kubeconfig"], Path(name), *words, *given, end=end)
            rights |= {right for request in logged(log) for right in rights_in(request)}
    rights = {right for right in rights if ONLY_FOR.get(right.resource, category) == category}
    file = file_of(category)
    if file is None:
        raise SystemExit(f"no category {category}")
    file.write_text(as_yaml(least(rights)))
    sys.stdout.write(f"{file.relative_to(ROOT)}: {len(least(rights))} rights\n")


def put_in(ready: dict[str, Any], fault: str) -> None:
    """Break the cluster, by its control address."""
    import urllib.request

    if not fault:
        return
    from op_readiness.simulator.faults.library import parse_request

    headers = {"Authorization": f"Bearer {ready['control_token']}", "Content-Type": "application/json"}
    body = json.dumps({"faults": [parse_request(fault)]}).encode()
    urllib.request.urlopen(urllib.request.Request(f"{ready['control']}/faults", body, headers), timeout=30).close()


if __name__ == "__main__":
    main(*sys.argv[1:4])
