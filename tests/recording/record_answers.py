"""Records how a real kube-apiserver answers tests/simulator/controlplane/requests.yaml.

Needs KUBEBUILDER_ASSETS (kube-apiserver and etcd of the version that the embedded server stands for):

    python -m tests.recording.record_answers
"""

from __future__ import annotations

import json
import sys

from tests.simulator.controlplane.answers import RECORDED, ask_all
from tests.simulator.controlplane.real import real_api_server


def main() -> None:
    with real_api_server() as server:
        answers = ask_all(server)
    RECORDED.write_text("[\n" + ",\n".join(json.dumps(answer, sort_keys=True) for answer in answers) + "\n]\n")
    sys.stdout.write(f"{RECORDED.name}: {len(answers)} answers\n")


if __name__ == "__main__":
    main()
