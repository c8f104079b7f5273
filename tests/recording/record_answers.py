"""Records how a real kube-apiserver answers tests/simulator/controlplane/requests/*.yaml.

Needs KUBEBUILDER_ASSETS (kube-apiserver and etcd of the version that the embedded server stands for):

    python -m tests.recording.record_answers
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.simulator.controlplane.answers import DUAL_STACK, PAUSE, RANGES, TABLES, ask_all, recorded_file, requests
from tests.simulator.controlplane.real import real_api_server


def main() -> None:
    with real_api_server() as server:
        answers = ask_all(server, PAUSE)
    with real_api_server(*RANGES) as server:
        _write(DUAL_STACK, ask_all(server, PAUSE, requests(DUAL_STACK)))
    for table in TABLES:
        count = len(requests(table))
        own, answers = answers[:count], answers[count:]
        _write(table, own)


def _write(table: Path, answers: list[dict[str, Any]]) -> None:
    lines = ",\n".join(json.dumps(answer, sort_keys=True) for answer in answers)
    file = recorded_file(table)
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"[\n{lines}\n]\n")
    sys.stdout.write(f"{file.name}: {len(answers)} answers\n")


if __name__ == "__main__":
    main()
