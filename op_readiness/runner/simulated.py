"""A simulated cluster of our own: started as a process, spoken to by its control address, gone when we are gone."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen
from types import TracebackType
from typing import Any, Self

from op_readiness.model.errors import OpReadinessError, UsageError
from op_readiness.runner import processes
from op_readiness.runner.child import environment

START_SECONDS = 150.0
"""Longer than the simulator's own deadlines, so that its own words come first."""
STOP_SECONDS = 5.0


@dataclass(frozen=True)
class SimulatedSpec:
    """What is started: Nodes by kind or one by one, how fast its clock runs, and which faults are in from the start.

    `rate` is cluster seconds for each real second, the inverse of `--timeout-scale`.
    """

    nodes: Mapping[str, int] | Sequence[Mapping[str, Any]] = field(default_factory=lambda: {"windows": 2, "linux": 2})
    rate: float = 20.0
    latency: str = "quick"
    seed: int = 0
    control_plane: str = "embedded"
    assets: str | None = None
    faults: tuple[dict[str, Any], ...] = ()
    dual_stack: bool = False

    def to_dict(self, folder: Path) -> dict[str, Any]:
        """The spec as the simulator reads it; `folder` is where its kubeconfig and sockets go."""
        return {
            "nodes": dict(self.nodes) if isinstance(self.nodes, Mapping) else list(self.nodes),
            "rate": self.rate,
            "latency": self.latency,
            "seed": self.seed,
            "control_plane": self.control_plane,
            "assets": self.assets,
            "faults": list(self.faults),
            "folder": str(folder),
            "temporary": True,
            "ip_families": ["IPv4", "IPv6"] if self.dual_stack else ["IPv4"],
        }


class SimulatedCluster:
    """A simulated cluster that runs until `stop`. Use as a context manager."""

    def __init__(self, spec: SimulatedSpec) -> None:
        self.spec = spec
        self.folder = Path(tempfile.mkdtemp(prefix="opr-sim-"))
        self.kubeconfig = self.server = self._control = self._token = ""
        self.inputs: dict[str, Any] = {}
        """What an operator would tell of this cluster's surroundings, by section and field (see `inputs`)."""
        self._process: Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until it is ready. Raises OpReadinessError with its own words if it does not come up."""
        path = self.folder / "spec.json"
        path.write_text(json.dumps(self.spec.to_dict(self.folder)), "utf-8")
        command = [sys.executable, "-m", "op_readiness.simulator", str(path)]
        env = environment(os.environ)
        with (self.folder / "simulator.log").open("wb") as log:
            self._process = processes.start(command, env=env, cwd=self.folder, stdout=-1, stderr=log)
        try:
            ready = json.loads(self._first_line())
            self.kubeconfig, self.server = ready["kubeconfig"], ready["server"]
            self._control, self._token = ready["control"], ready["control_token"]
            self.inputs = ready.get("inputs") or {}
        except (ValueError, KeyError, TypeError) as error:
            said = self.last_words()
            self.stop()
            raise OpReadinessError(f"the simulated cluster did not start: {said or error}") from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End it; whatever it started ends with it."""
        if self._process is not None:
            processes.end(self._process, within=STOP_SECONDS)
            if self._process.stdout is not None:
                self._process.stdout.close()
            self._process = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def kill_now(self) -> None:
        """End it without waiting."""
        if self._process is not None:
            processes.kill_group(self._process)

    @property
    def alive(self) -> bool:
        """Whether its process runs."""
        return self._process is not None and self._process.poll() is None

    def last_words(self) -> str:
        """The last line that it wrote to stderr."""
        try:
            lines = (self.folder / "simulator.log").read_text(errors="replace").strip().splitlines()
        except OSError:
            return ""
        return lines[-1] if lines else ""

    def put_in(self, faults: Iterable[Mapping[str, Any]]) -> list[Any]:
        """Put faults in. Raises UsageError with the simulator's words where one does not fit this cluster."""
        answer = self.control("POST", "/faults", {"faults": list(faults)})
        return list(answer.get("active", ()))

    def take_out_all(self) -> None:
        """Take every fault out; the cluster is healthy again afterwards."""
        self.control("DELETE", "/faults")

    def restart(self, component: str, node: str) -> None:
        """Restart a component of a Node, such as kube-proxy."""
        self.control("POST", "/restart", {"component": component, "node": node})

    def control(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """One call of the control address."""
        request = urllib.request.Request(
            self._control + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"},
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback: never by a proxy
        try:
            with opener.open(request, timeout=60) as response:
                text = response.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                raise UsageError(_message(error.read().decode(errors="replace"))) from error
        except OSError as error:
            raise OpReadinessError(f"the simulated cluster does not answer: {self.last_words() or error}") from error
        return dict(json.loads(text)) if text.strip().startswith("{") else {}

    def _first_line(self) -> str:
        """The line that says it is ready, or what came instead; empty when it ended or took too long."""
        if self._process is None or self._process.stdout is None:
            return ""
        lines: list[bytes] = []
        stdout = self._process.stdout
        reader = threading.Thread(target=lambda: lines.append(stdout.readline()), daemon=True)
        reader.start()
        reader.join(START_SECONDS)
        if not lines:
            said = self.last_words() or "it said nothing"
            raise OpReadinessError(f"the simulated cluster was not ready within {START_SECONDS:g} s: {said}")
        threading.Thread(target=_drain, args=(stdout,), daemon=True).start()
        return lines[0].decode(errors="replace")


def _drain(stream: Any) -> None:
    try:
        while stream.read(4096):
            pass
    except (OSError, ValueError):
        return


def _message(text: str) -> str:
    try:
        return str(json.loads(text).get("message") or text)
    except (ValueError, AttributeError):
        return text.strip() or "refused without a word"


def assets(control_plane: str) -> str | None:
    """Where the real control plane's programs are; raises OpReadinessError where they are asked for and missing."""
    if control_plane != "real":
        return None
    folder = os.environ.get("KUBEBUILDER_ASSETS", "")
    names = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
    missing = [name for name in names if not shutil.which(name, path=folder or None)]
    if not folder or missing:
        where = f"has no {', '.join(missing)}" if folder else "is not set"
        raise OpReadinessError(
            f"--control-plane real: KUBEBUILDER_ASSETS {where}; it names the folder of {', '.join(names)}"
        )
    return folder


def fault_requests(faults: Iterable[str], files: Iterable[Path]) -> tuple[dict[str, Any], ...]:
    """What `--fault` and `--fault-file` say, checked. Raises UsageError naming the nearest fault or parameter."""
    from op_readiness.simulator.faults.library import parse_request, read_file
    from op_readiness.simulator.faults.words import FaultError

    try:
        return (*(parse_request(text) for text in faults), *(read_file(path) for path in files))
    except FaultError as error:
        raise UsageError(str(error)) from error


def known_faults() -> list[dict[str, Any]]:
    """The named faults as data, by name."""
    from op_readiness.simulator.faults.library import library
    from op_readiness.simulator.faults.words import FaultError

    try:
        return [fault.model_dump(mode="json", exclude_none=True) for fault in library().values()]
    except FaultError as error:
        raise OpReadinessError(str(error)) from error
