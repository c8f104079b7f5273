"""Figures that the project promises, measured: start-up against a bare `import click`, runs, the proof.

`python tests/benchmark.py [--slow] [--prove]` prints seconds and ratios; nothing is asserted, for machines differ. A
run's wall time is set against its longest chain of waits: the ability that took longest, by itself, and those that run
alone one after another.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import yaml

COMMAND = [sys.executable, "-m", "op_readiness"]
SCALE = 0.05
RUNS = {
    "Core.Network": ("--category", "Core.Network"),
    "the suite without slow": ("--skip-tags", "slow,disruptive"),
}
"""Runs against the default simulated cluster; the second is promised in about 60 s on two cores."""
WHOLE = ("--disruptive", "--gate", "Extend.Worker")


def seconds(command: list[str], times: int = 1, cwd: str | None = None) -> float:
    """The median of `times` runs of a command as a whole process."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        subprocess.run(command, cwd=cwd, capture_output=True, check=False)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def serial() -> set[str]:
    """The abilities that run alone, one after another."""
    files = (Path(__file__).resolve().parent.parent / "categories").glob("*/spec.yaml")
    cases = [case for file in files for case in yaml.safe_load(file.read_text("utf-8"))["testCases"]]
    return {case["id"] for case in cases if {"serial", "disruptive"} & set(case.get("tags", []))}


def one_run(what: str, words: Sequence[str], folder: str) -> None:
    """Prints what a run took as a whole process, and its longest chain of waits."""
    taken = seconds([*COMMAND, "--provider", "simulated", *words], cwd=folder)
    report = json.loads((Path(folder) / "op-readiness-report" / "report.json").read_text())
    results = [result for category in report["categories"] for result in category["results"]]
    alone = serial()
    longest = max((one for one in results if one["ability"] not in alone), key=lambda result: result["seconds"])
    chain = SCALE * (longest["seconds"] + sum(one["seconds"] for one in results if one["ability"] in alone))
    passed = sum(result["outcome"] == "passed" for result in results)
    print(f"simulated, {what:<26}{taken:6.1f} s   ({report['verdict']}: {passed} of {len(results)} passed)")
    print(f"  longest chain of waits             {chain:6.1f} s   {taken / chain:4.1f} times: {longest['ability']}")


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
        for what, options in {**RUNS, **({"the whole suite": WHOLE} if "--slow" in sys.argv else {})}.items():
            one_run(what, options, folder)
        if "--prove" in sys.argv:
            taken = seconds([*COMMAND, "prove", "--category", "Core.Network"], cwd=folder)
            print(f"prove --category Core.Network        {taken:6.0f} s")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
