"""The PowerShell scripts of readiness tests: whole files that say in their header what goes in and what comes out.

They are handed over as they are, encoded, so that no shell on the way can change a character. The simulated cluster
does not run PowerShell: it knows each of these texts by its digest and has a stand-in for it.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

IN_CONTAINER = "powershell.exe"
"""PowerShell Core of the agnhost image, found on its PATH."""
ON_HOST = r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe"
"""Windows PowerShell 5.1 of the Node."""


@lru_cache
def text_of(name: str) -> str:
    """The text of a script, `burn-cpu` and the like."""
    return files("op_readiness.workloads").joinpath("scripts", f"{name}.ps1").read_text("utf-8")


def command(name: str, *, on_host: bool = False) -> list[str]:
    """The command line that runs a script."""
    encoded = base64.b64encode(text_of(name).encode("utf-16-le")).decode()
    return [ON_HOST if on_host else IN_CONTAINER, "-NoProfile", "-NonInteractive", "-EncodedCommand", encoded]


def environment(given: Mapping[str, object]) -> list[dict[str, Any]]:
    """Input of a script as a container's environment."""
    return [{"name": name, "value": str(value)} for name, value in given.items()]
