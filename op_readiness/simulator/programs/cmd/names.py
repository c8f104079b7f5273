"""File names with `*` and `?`, as cmd's own commands take them."""

from __future__ import annotations

import fnmatch

from op_readiness.simulator.programs.process import Process


def matching(process: Process, name: str) -> list[str]:
    """Paths that a name stands for: itself if it has no wildcard and is there."""
    path = process.path(name)
    if "*" not in name and "?" not in name:
        return [path] if process.files.exists(path) else []
    folder, _, pattern = path.replace("/", "\\").rpartition("\\")
    folder = folder + "\\" if folder.endswith(":") else folder
    if not process.files.is_folder(folder):
        return []
    pattern = "*" if pattern == "*.*" else pattern
    names = process.files.listdir(folder)
    return [process.files.join(folder, n) for n in names if fnmatch.fnmatchcase(n.lower(), pattern.lower())]
