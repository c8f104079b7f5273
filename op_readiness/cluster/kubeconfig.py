"""Kubeconfig files: which one is taken, merged as kubectl merges them, and what the chosen context says.

The client's own loader is not used for this: it takes the *last* `current-context` of a `KUBECONFIG` list where
kubectl takes the first, `load_config` takes a list for one file name and ends up in-cluster, and its errors name
neither the file nor what to do. Order: `--kubeconfig`, `$KUBECONFIG` (a list, merged), `~/.kube/config`, in-cluster.
"""

from __future__ import annotations

import base64
import binascii
import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from op_readiness.model.errors import OpReadinessError, UsageError

SERVICE_ACCOUNT_FOLDER = Path("/var/run/secrets/kubernetes.io/serviceaccount")


@dataclass(frozen=True)
class Entry:
    """A context resolved: its cluster and user as the kubeconfig spells them, with the folders they are relative to.

    `source` says in words where it was found; `files` are the kubeconfig files that were read.
    """

    source: str
    context: str
    cluster: Mapping[str, Any]
    user: Mapping[str, Any]
    cluster_folder: Path = Path()
    user_folder: Path = Path()
    user_name: str = ""
    files: tuple[Path, ...] = ()

    @property
    def server(self) -> str:
        """The API server's address."""
        return str(self.cluster["server"]).rstrip("/")

    def certificate_authority(self) -> str:
        """PEM text of the CA, or empty for the system's own CAs."""
        return pem_text(self.cluster, "certificate-authority", self.cluster_folder)


def pem_text(entry: Mapping[str, Any], field_name: str, folder: Path) -> str:
    """PEM text of `<field>-data` (base64) or of the file that `<field>` names; empty when neither is set."""
    try:
        if data := entry.get(f"{field_name}-data"):
            return base64.b64decode(str(data), validate=False).decode()
        if path := entry.get(field_name):
            return (folder / Path(str(path)).expanduser()).read_text()
    except (OSError, binascii.Error, UnicodeDecodeError) as error:
        raise UsageError(f"the kubeconfig's {field_name} cannot be read: {error}; mend the kubeconfig") from error
    return ""


def find(kubeconfig: str | None, context: str | None, environ: Mapping[str, str]) -> Entry:
    """The context to use, by kubectl's order; raises OpReadinessError or UsageError with one line on what to do."""
    home = Path(environ.get("HOME") or environ.get("USERPROFILE") or "~").expanduser() / ".kube" / "config"
    if kubeconfig:
        return _from_files(f"--kubeconfig {kubeconfig}", [Path(kubeconfig).expanduser()], context)
    if listed := [Path(p).expanduser() for p in environ.get("KUBECONFIG", "").split(os.pathsep) if p]:
        present = [path for path in listed if path.exists()]
        if not present:
            raise UsageError(
                f"KUBECONFIG names no file that exists ({', '.join(map(str, listed))}): correct it, or use --kubeconfig"
            )
        return _from_files(f"KUBECONFIG={environ['KUBECONFIG']}", present, context)
    if home.exists():
        return _from_files(str(home), [home], context)
    if environ.get("KUBERNETES_SERVICE_HOST"):
        return _in_cluster(environ, context)
    raise UsageError(
        f"no cluster: --kubeconfig and KUBECONFIG are not set, {home} does not exist, and this is no Pod with a "
        "ServiceAccount; name a kubeconfig with --kubeconfig, or try --provider simulated"
    )


def _in_cluster(environ: Mapping[str, str], context: str | None) -> Entry:
    if context:
        raise UsageError(f"--context {context} needs a kubeconfig; in a Pod there is only the ServiceAccount")
    token, ca = SERVICE_ACCOUNT_FOLDER / "token", SERVICE_ACCOUNT_FOLDER / "ca.crt"
    if not token.exists():
        raise OpReadinessError(
            f"in-cluster: KUBERNETES_SERVICE_HOST is set, yet {token} does not exist; give the Pod a ServiceAccount "
            "(automountServiceAccountToken), or name a kubeconfig with --kubeconfig"
        )
    host, port = environ["KUBERNETES_SERVICE_HOST"], environ.get("KUBERNETES_SERVICE_PORT") or "443"
    server = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
    cluster = {"server": server, "certificate-authority": str(ca)}
    return Entry("in-cluster ServiceAccount", "in-cluster", cluster, {"tokenFile": str(token)})


@dataclass
class _Merged:
    """Named entries of all files, the first of a name winning, each with the folder of its file."""

    source: str
    current: str = ""
    found: dict[str, dict[str, tuple[dict[str, Any], Path]]] = field(
        default_factory=lambda: {"contexts": {}, "clusters": {}, "users": {}}
    )

    def add(self, path: Path) -> None:
        """Merge one file in."""
        config = _load(path)
        self.current = self.current or str(config.get("current-context") or "")
        for section, singular in (("contexts", "context"), ("clusters", "cluster"), ("users", "user")):
            entries = config.get(section) or []
            if not isinstance(entries, list):
                raise UsageError(f"kubeconfig {path}: {section} is no list; mend the file")
            for entry in entries:
                if not isinstance(entry, dict) or "name" not in entry:
                    raise UsageError(f"kubeconfig {path}: an entry of {section} has no name; mend the file")
                name, about = str(entry["name"]), entry.get(singular) or {}
                if not isinstance(about, dict):
                    raise UsageError(f"kubeconfig {path}: {singular} {name!r} has no fields; mend the file")
                self.found[section].setdefault(name, (about, path.parent))

    def get(self, section: str, name: str, referrer: str) -> tuple[dict[str, Any], Path]:
        """A named entry and its folder."""
        if name not in self.found[section]:
            raise UsageError(f"kubeconfig ({self.source}): {referrer} names {section[:-1]} {name!r}, not there")
        return self.found[section][name]


def _from_files(source: str, paths: list[Path], context: str | None) -> Entry:
    merged = _Merged(source)
    for path in paths:
        merged.add(path)
    name = context or merged.current
    known = sorted(merged.found["contexts"])
    if not name:
        raise UsageError(f"kubeconfig ({source}) has no current-context: choose one with --context ({_offer(known)})")
    if name not in known:
        nearest = difflib.get_close_matches(name, known, n=1)
        offer = f"did you mean {nearest[0]!r}?" if nearest else f"known: {_offer(known)}"
        asked = f"--context {name}" if context else f"current-context {name!r}"
        raise UsageError(f"{asked}: kubeconfig ({source}) has no such context; {offer}")
    chosen, _ = merged.get("contexts", name, "")
    cluster, cluster_folder = merged.get("clusters", str(chosen.get("cluster") or ""), f"context {name!r}")
    user_name = str(chosen.get("user") or "")
    user, user_folder = merged.get("users", user_name, f"context {name!r}") if user_name else ({}, Path())
    if not cluster.get("server"):
        raise UsageError(f"kubeconfig ({source}): the cluster of context {name!r} has no server; mend the file")
    return Entry(source, name, cluster, user, cluster_folder, user_folder, user_name, tuple(paths))


def _offer(names: list[str]) -> str:
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "") or "it has none"


def _load(path: Path) -> dict[str, Any]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        config = yaml.load(path.read_text(), Loader=loader)
    except OSError as error:
        does = "name one that exists" if isinstance(error, FileNotFoundError) else "make it readable"
        raise UsageError(f"kubeconfig {path}: {error.strerror or error}; {does}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        words = " ".join(str(error).split())
        raise UsageError(f"kubeconfig {path} is no YAML: {words}; mend the file") from error
    if not isinstance(config, dict):
        raise UsageError(f"kubeconfig {path} is {'empty' if config is None else 'no kubeconfig'}; name another")
    return config
