"""Records which requests kubectl and one whole run of Core.Network send: method, path, query keys, media types.

    python -m tests.recording.record_shapes

Needs kubectl. Writes tests/simulator/controlplane/shapes.yaml; each shape must have a row in requests/*.yaml.
"""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import yaml

from tests.simulator.controlplane.shapes import SHAPES, Shape, shape_of

HERE = Path(__file__).parent
TABLE_FILE = SHAPES.parent / "requests/60-seen.yaml"
NAMESPACED = re.compile(r"/namespaces/([^/?]+)")
OWN = ("rec", "default", "kube-system", "kube-public", "kube-node-lease")
ACCEPTS = {
    "table": "application/json;as=Table;v=v1;g=meta.k8s.io",
    "discovery": "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
}
PROTOBUF = "application/vnd.kubernetes.protobuf"
LEFT_OUT = (
    "/apis/autoscaling/v1/namespaces/NAMESPACE/horizontalpodautoscalers",
    "/apis/windows.k8s.io/v1/gmsacredentialspecs",
    "/metrics",
)
"""Served by real clusters (or by their add-ons) and refused here with 404: test_shapes.py holds that."""
HEAD = "# One request of every shape that was seen (shapes.yaml); written by tests/recording/record_shapes.py.\n"
FIRST = (
    "- {do: POST /api/v1/namespaces, body: {metadata: {name: seen}}}",
    "- {do: POST /api/v1/namespaces/seen/serviceaccounts, body: {metadata: {name: default}}}",
)
MANIFEST = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: rec, labels: {app: web}}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      nodeSelector: {kubernetes.io/os: windows}
      containers: [{name: main, image: "registry.k8s.io/e2e-test-images/agnhost:2.63.0", args: [netexec]}]
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: rec}
spec: {selector: {app: web}, ports: [{port: 80}]}
"""


def commands(kubectl: str, name: str, manifest: str) -> list[list[str]]:
    """What people type; `name` is the Namespace. Commands that fail are recorded all the same."""
    lines = (HERE / "kubectl_commands.txt").read_text().splitlines()
    typed = [line.format(n=name).replace("MANIFEST", manifest) for line in lines if line and not line.startswith("#")]
    return [[kubectl, *line.split()] for line in typed]


@contextmanager
def simulator(folder: Path) -> Iterator[tuple[dict[str, Any], Path]]:
    """A simulated cluster, and the file where its requests are written."""
    log, spec = folder / "requests.log", folder / "spec.json"
    spec.write_text(json.dumps({"nodes": {"windows": 2, "linux": 2}, "folder": str(folder / "cluster")}))
    words = [sys.executable, "-m", "tests.recording.logged_simulator", str(spec), str(log)]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    if process.stdin is None or process.stdout is None:
        raise SystemExit("no pipes")
    try:
        yield json.loads(process.stdout.readline()), log
    finally:
        process.stdin.close()
        process.wait(30)


def _logged(log: Path, start: int) -> list[dict[str, Any]]:
    """Requests from line `start` on that do not come from the simulator itself."""
    found = [json.loads(line) for line in log.read_text().splitlines()[start:]]
    return [each for each in found if not each["User-Agent"].startswith("op-readiness-simulator")]


def _timeless(value: Any) -> Any:
    """A body without versions and uids, which no other server has."""
    if isinstance(value, dict):
        return {key: _timeless(item) for key, item in value.items() if key not in ("resourceVersion", "uid")}
    return [_timeless(item) for item in value] if isinstance(value, list) else value


def _row(logged: dict[str, Any]) -> dict[str, Any]:
    """A row of the table that sends the request again: everything in one Namespace, versions left out."""
    shape, found = shape_of(logged), NAMESPACED.search(logged["path"])
    foreign = found[1] if found and found[1] not in OWN else ""
    query = [(key, "0" if key == "resourceVersion" else value) for key, value in logged["query"]]
    path = logged["path"].replace(foreign, "seen") if foreign else logged["path"]
    row: dict[str, Any] = {"do": f"{logged['method']} {path}" + (f"?{urlencode(query)}" if query else "")}
    row |= {"accept": ACCEPTS[shape.accept]} if shape.accept in ACCEPTS else {}
    row |= {"type": shape.type} if shape.type else {}
    data = base64.b64decode(logged["body"])
    if shape.type == PROTOBUF:
        row["raw64"] = logged["body"]
    elif data:
        text = json.dumps(_timeless(json.loads(data)), ensure_ascii=False)
        row["raw"] = text.replace(foreign, "seen") if foreign else text
    wide = shape.method == "GET" and "NAME" not in shape.path
    if shape.accept == "discovery" or not shape.path.startswith("/api") or shape.path.count("/") < 3:
        row["compare"] = "code"
    elif wide or shape.path == "/api/v1/namespaces":
        row |= {"compare": "head"} if shape.method == "GET" else {}
    return row


def main() -> None:
    kubectl = sys.argv[1] if len(sys.argv) > 1 else "kubectl"
    with tempfile.TemporaryDirectory() as name, simulator(Path(name)) as (ready, log):
        manifest = Path(name, "web.yaml")
        manifest.write_text(MANIFEST)
        environ = {**os.environ, "KUBECONFIG": ready["kubeconfig"], "HOME": name}
        for words in commands(kubectl, "rec", str(manifest)):
            done = subprocess.run(words, env=environ, capture_output=True, text=True, check=False, timeout=60)
            if done.returncode:
                sys.stderr.write(f"{' '.join(words[1:])}: {done.stderr.strip()[:200]}\n")
        typed = _logged(log, 0)
        lines = len(log.read_text().splitlines())
        run = ["op-readiness", "run", "--category", "Core.Network", "--yes", "--kubeconfig", ready["kubeconfig"]]
        subprocess.run(
            [str(Path(sys.executable).with_name(run[0])), *run[1:], "--report-dir", f"{name}/report"],
            check=False, stdout=subprocess.DEVNULL, timeout=900,
        )  # fmt: skip
        ran = _logged(log, lines)
    by_shape: dict[Shape, dict[str, Any]] = {}
    for each in (*typed, *ran):
        by_shape.setdefault(shape_of(each), each)
    of_kubectl = {shape_of(each) for each in typed}
    found = {"kubectl": sorted(of_kubectl), "run": sorted(by_shape.keys() - of_kubectl)}
    SHAPES.write_text("".join(_text(by, shapes) for by, shapes in found.items()))
    rows = [line_of(_row(each)) for shape, each in by_shape.items() if shape.path not in LEFT_OUT]
    TABLE_FILE.write_text(HEAD + "\n".join([*FIRST, *rows]) + "\n")
    sys.stdout.write(f"{SHAPES.name}: {len(of_kubectl)} of kubectl, {len(found['run'])} more of a run\n")


def line_of(row: dict[str, Any]) -> str:
    """A row on a line of its own."""
    return "- " + json.dumps(row, ensure_ascii=False)


def _text(by: str, shapes: list[Shape]) -> str:
    lines = [yaml.safe_dump(shape.as_row(), default_flow_style=True, width=1000, sort_keys=False) for shape in shapes]
    return f"{by}:\n" + "".join(f"- {line}" for line in lines)


if __name__ == "__main__":
    main()
