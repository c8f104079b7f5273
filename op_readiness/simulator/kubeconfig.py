"""How the cluster is reached: what a control plane hands out once it answers, and the kubeconfig made of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml


@dataclass(frozen=True)
class Access:
    """Address and credentials of a running API server. Paths are absolute."""

    server: str
    ca_file: str
    admin_token: str
    kubeconfig: str


def write_kubeconfig(path: Path, server: str, ca_file: str, token: str) -> None:
    """Write a kubeconfig with one context, `simulated`, readable by its owner alone."""
    name = "simulated"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": server, "certificate-authority": ca_file}}],
        "users": [{"name": "admin", "user": {"token": token}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": "admin"}}],
        "current-context": name,
    }
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(document, sort_keys=False))
