"""Figures that the project promises, measured: start-up against a bare `import click`, a run, the proof.

`python tests/benchmark.py [--prove]` prints seconds and ratios; nothing is asserted, for machines differ. A run's wall
time is set against its longest chain of waits: the ability that took longest, by itself.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COMMAND = [sys.executable, "-m", "op_readiness"]
SCALE = 0.05


def seconds(command: list[str], times: int = 1, cwd: str | None = None) -> float:
    """The median of `times` runs of a command as a whole process."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        subprocess.run(command, cwd=cwd, capture_output=True, check=False)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def main() -> None:
    """Prints the figures."""
    click = seconds([sys.executable, "-c", "import click"], 7)
    print(f"import click                         {click:6.2f} s")
    for words, promised in ((["--help"], 3), (["list"], 5)):
        taken = seconds([*COMMAND, *words], 7)
        ratio = f"{taken / click:4.1f} times import click (promised: {promised})"
        print(f"op-readiness {words[0]:<24}{taken:6.2f} s   {ratio}")
    folder = tempfile.mkdtemp()
    try:
        taken = seconds([*COMMAND, "--provider", "simulated", "--category", "Core.Network"], cwd=folder)
        report = json.loads((Path(folder) / "op-readiness-report" / "report.json").read_text())
        results = [result for category in report["categories"] for result in category["results"]]
        longest = max(results, key=lambda result: result["seconds"])
        chain = longest["seconds"] * SCALE
        print(f"simulated Core.Network               {taken:6.1f} s   ({report['verdict']})")
        print(f"  longest chain of waits             {chain:6.1f} s   {taken / chain:4.1f} times: {longest['ability']}")
        if "--prove" in sys.argv:
            taken = seconds([*COMMAND, "prove", "--category", "Core.Network"], cwd=folder)
            print(f"prove --category Core.Network        {taken:6.0f} s")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
