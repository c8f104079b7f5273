"""Stands in for e2e.test: takes its flags, writes JUnit as ginkgo does, behaves as the specs are called."""

from __future__ import annotations

import contextlib
import re
import sys
import time
from pathlib import Path
from xml.sax.saxutils import quoteattr

from op_readiness.cluster.api import Cluster
from op_readiness.cluster.errors import ApiError

SPECS = (
    "[sig-windows] Good runs on Windows",
    "[sig-windows] Good runs elsewhere",
    "[sig-windows] Bad fails on Windows",
    "[sig-windows] Bad runs on Windows beside",
    "[sig-windows] Apart makes no Pods",
    "[sig-windows] Shy skips itself",
    "[sig-windows] Setup of the suite breaks",
    "[sig-windows] Panic of a spec",
    "[sig-windows] Crash of the binary",
    "[sig-windows] Hang of the binary",
)
RUN = "11111111-2222-3333-4444-555555555555"
FAILURE = "[FAILED] expected 1 to equal <2>\nIn [It] at: windows.go:7 @ 11/25/26"


def say(line: str) -> None:
    """A line of its log."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def options(words: list[str]) -> dict[str, str]:
    """Flags and values, every flag followed by one."""
    return dict(zip(words[::2], words[1::2], strict=True))


def pod(cluster: Cluster, os: str, keep: bool = False) -> None:
    """A Namespace with a Pod that runs, and is gone again, as the e2e framework makes them."""
    namespace = f"fake-{time.monotonic_ns() % 10**8}"
    labels = {"e2e-framework": "fake", "e2e-run": RUN}
    cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": labels}})
    image = "registry.k8s.io/pause:3.10.2"
    made = {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": namespace},
        "spec": {"nodeSelector": {"kubernetes.io/os": os}, "containers": [{"name": "c", "image": image}]},
    }  # fmt: skip
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(ApiError):  # its ServiceAccount may be late
            cluster.create(made)
            break
        time.sleep(0.1)
    while time.monotonic() < deadline:
        if (cluster.get("Pod", "p", namespace).get("status") or {}).get("phase") == "Running":
            break
        time.sleep(0.1)
    time.sleep(0.3)
    if keep:
        time.sleep(600)
    cluster.delete("Namespace", namespace)


def run_spec(cluster: Cluster, title: str) -> str:
    """The inner XML of its testcase."""
    if "on Windows" in title:
        pod(cluster, "windows")
    if "elsewhere" in title:
        pod(cluster, "linux")
    if "fails" in title:
        return f'<failure message="" type="failed">{FAILURE.replace("<", "&lt;")}</failure>'
    if "skips itself" in title:
        return '<skipped message="skipped - Only supported with &lt;luck&gt;"></skipped>'
    if "Panic" in title:
        return '<error message="" type="panicked">Test Panicked</error>'
    if "Hang" in title:
        pod(cluster, "windows", keep=True)
    return ""


def main() -> int:
    """The exit code."""
    given = options(sys.argv[1:])
    focus, skip = given["--ginkgo.focus"], given.get("--ginkgo.skip", "")
    chosen = [title for title in SPECS if re.search(focus, title) and not (skip and re.search(skip, title))]
    say(f'I1125 04:00:00.0 1 e2e.go:109] Starting e2e run "{RUN}" on Ginkgo node 1')
    say(f"\x1b[1mWill run {len(chosen)} of {len(SPECS)} specs\x1b[0m {' '.join(sys.argv[1:])}")
    if any("Crash" in title for title in chosen):
        say("panic: runtime error: index out of range")
        return 2
    broken = any("Setup" in title for title in chosen)
    cluster, cases = Cluster.open(given["--kubeconfig"]), []
    suite = '<failure message="" type="failed">no Node is ready</failure>' if broken else ""
    cases.append(f'<testcase name="[SynchronizedBeforeSuite]" time="0.1">{suite}</testcase>')
    for title in SPECS:
        ran = title in chosen and not broken
        inner = run_spec(cluster, title) if ran else '<skipped message="skipped"></skipped>'
        cases.append(f'<testcase name={quoteattr(f"[It] {title}")} time="1.5">{inner}</testcase>')
    cases.append('<testcase name="[ReportAfterSuite] Kubernetes e2e suite report" time="0"></testcase>')
    file = Path(given["--report-dir"]) / f"junit_{given['--report-prefix']}01.xml"
    file.write_text(f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>")
    return 1 if any(bad in case for case in cases for bad in ("<failure", "<error")) else 0


if __name__ == "__main__":
    sys.exit(main())
