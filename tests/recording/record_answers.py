"""Records how a real kube-apiserver answers tests/simulator/controlplane/requests/*.yaml.

Needs KUBEBUILDER_ASSETS (kube-apiserver and etcd of the version that the embedded server stands for):

    python -m tests.recording.record_answers
"""

from __future__ import annotations

import json
import sys

from tests.simulator.controlplane.answers import PAUSE, TABLES, ask_all, recorded_file, requests
from tests.simulator.controlplane.real import real_api_server


def main() -> None:
    with real_api_server() as server:
        answers = ask_all(server, PAUSE)
    for table in TABLES:
        count = len(requests(table))
        own, answers = answers[:count], answers[count:]
        lines = ",\n".join(json.dumps(answer, sort_keys=True) for answer in own)
        recorded_file(table).write_text(f"[\n{lines}\n]\n")
        sys.stdout.write(f"{recorded_file(table).name}: {count} answers\n")


if __name__ == "__main__":
    main()
