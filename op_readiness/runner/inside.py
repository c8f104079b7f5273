"""What runs inside the child: pytest, until it is done or the runner is gone.

`python -m op_readiness.runner.inside ARG...` is pytest with those arguments. The runner holds the other end of our
stdin; when it closes, however the runner ended, this process and its workers end too.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

WORK = "opr-run-"
"""How the names of runners' private directories begin; the child works in a folder of one."""


def main() -> int:
    """pytest's exit code."""
    pipe = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    threading.Thread(target=_end_with_runner, args=(pipe,), daemon=True, name="runner is alive").start()
    import pytest

    return int(pytest.main(sys.argv[1:]))


def _end_with_runner(pipe: int) -> None:
    while os.read(pipe, 1024):
        pass
    import shutil

    from op_readiness.runner.processes import end_own_group

    work = Path.cwd().parent
    if work.name.startswith(WORK):
        shutil.rmtree(work, ignore_errors=True)  # it holds the credentials that the runner handed over
    end_own_group()


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
