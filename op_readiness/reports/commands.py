"""Lines for somebody to paste: they carry the run's kubeconfig and context, or they would meet another cluster."""

from __future__ import annotations

import re
import shlex
from itertools import pairwise

SAME_CLUSTER = ("--kubeconfig", "--context")
"""Options that kubectl and op-readiness share."""


def same_cluster(command: str) -> str:
    """The options of a run's `command` that say which cluster it spoke to, with a space before each."""
    try:
        words = shlex.split(command)
    except ValueError:
        return ""
    return "".join(f" {flag} {shlex.quote(value)}" for flag, value in pairwise(words) if flag in SAME_CLUSTER)


def kubectl(text: str, command: str) -> str:
    """`text` with each kubectl in it meeting the cluster of the run."""
    flags = same_cluster(command)
    return re.sub(r"\bkubectl(?= [-a-z])", lambda found: found.group() + flags, text) if flags else text


def cleanup(run_id: str, command: str) -> str:
    """What removes what a run left."""
    return f"op-readiness cleanup{same_cluster(command)} --run {run_id}"
