"""Who we are towards the API server: fetched once, renewed before it ends, the same for every call of the process.

The client's own loader asks an exec plugin again before *every* request once a token has less than five minutes left,
so a plugin whose tokens live 20 s is run (and prompts) hundreds of times, and swallows a plugin's failure, so that the
run goes on as anonymous. Here a credential is renewed when a third of its life is left, at most five minutes before
its end, by one thread while others wait. Files (`tokenFile`, a Pod's projected token, a handed-over kubeconfig) are
read again when they change.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from op_readiness.cluster.kubeconfig import Entry, find, pem_text
from op_readiness.model.errors import OpReadinessError

MOST_AHEAD = 300.0
"""Seconds before its end that a long-lived credential is renewed, at most (as the official client)."""

AGAIN_AFTER = 10.0
"""Seconds until a renewal that failed is tried again, while the credential in hand still holds."""


@dataclass(frozen=True)
class Credential:
    """What goes with a call: an Authorization header and/or a client certificate (PEM). `expires` is epoch seconds.

    Tracebacks print arguments, so secrets are left out of the repr.
    """

    authorization: str = field(default="", repr=False)
    certificate: str = field(default="", repr=False)
    key: str = field(default="", repr=False)
    expires: float | None = None

    def headers(self) -> dict[str, str]:
        """Headers of a call."""
        return {"authorization": self.authorization} if self.authorization else {}


class Credentials:
    """The credential in use and how to get the next one. Safe to use from many threads."""

    def __init__(
        self, fetch: Callable[[], Credential], *, watched: Path | None = None, now: Callable[[], float] = time.time
    ) -> None:
        self._fetch, self._watched, self._now = fetch, watched, now
        self._lock = threading.Lock()
        self._stamp = self._file_stamp()
        self._current = fetch()
        self._fetched = now()
        self._not_before = 0.0

    @property
    def due(self) -> float | None:
        """Epoch seconds at which to renew, None for a credential that does not say when it ends."""
        if self._current.expires is None:
            return None
        life = max(0.0, self._current.expires - self._fetched)
        return self._current.expires - min(MOST_AHEAD, life / 3)

    def current(self) -> Credential:
        """The credential to use now; renewed first where it is due or its file has changed."""
        if self._stale():
            with self._lock:
                if self._stale():
                    self._renew()
        return self._current

    def renew(self, refused: Credential | None = None) -> Credential:
        """A newer credential than the one that was refused, asked for once however many threads were refused."""
        with self._lock:
            if refused is None or refused == self._current:
                self._renew()
        return self._current

    def _stale(self) -> bool:
        due = self.due
        return (due is not None and self._now() >= max(due, self._not_before)) or self._file_stamp() != self._stamp

    def _renew(self) -> None:
        self._stamp = self._file_stamp()
        try:
            self._current = self._fetch()
        except OpReadinessError:
            ends = self._current.expires
            if ends is None or self._now() >= ends:
                raise
            self._not_before = self._now() + min(AGAIN_AFTER, (ends - self._now()) / 2)
            return
        self._fetched = self._now()

    def _file_stamp(self) -> tuple[int, int] | None:
        if self._watched is None:
            return None
        try:
            stat = self._watched.stat()
        except OSError:
            return self.__dict__.get("_stamp")
        return stat.st_mtime_ns, stat.st_ino


def credentials_of(entry: Entry, *, now: Callable[[], float] = time.time) -> Credentials:
    """The credentials that a context's user asks for: exec plugin, auth provider, token, password, certificate."""
    user, folder = entry.user, entry.user_folder
    if exec_spec := user.get("exec"):
        return Credentials(lambda: _from_plugin(entry, exec_spec), now=now)
    if user.get("auth-provider"):
        return Credentials(lambda: _from_auth_provider(entry), now=now)
    if user.get("tokenFile") and not user.get("token"):
        path = folder / Path(str(user["tokenFile"])).expanduser()
        return Credentials(lambda: _from_token_file(path), watched=path, now=now)
    watched = entry.files[0] if len(entry.files) == 1 else None
    if watched is None:
        return Credentials(lambda: static(entry), now=now)
    first = [entry]

    def fetch() -> Credential:
        return static(first.pop() if first else find(str(watched), entry.context, {}))

    return Credentials(fetch, watched=watched, now=now)


def static(entry: Entry) -> Credential:
    """What the kubeconfig itself holds: a token or a password, and a client certificate."""
    user = entry.user
    authorization = f"Bearer {user['token']}" if user.get("token") else ""
    if not authorization and user.get("username"):
        pair = f"{user['username']}:{user.get('password', '')}"
        authorization = "Basic " + base64.b64encode(pair.encode()).decode()
    certificate, key = (pem_text(user, name, entry.user_folder) for name in ("client-certificate", "client-key"))
    return Credential(authorization, certificate, key)


def _from_token_file(path: Path) -> Credential:
    try:
        token = path.read_text().strip()
    except OSError as error:
        raise OpReadinessError(f"token file {path}: {error.strerror}; mend tokenFile in the kubeconfig") from error
    return Credential(f"Bearer {token}")


def _from_plugin(entry: Entry, spec: dict[str, Any]) -> Credential:
    from kubernetes.config import ConfigException
    from kubernetes.config.exec_provider import ExecProvider
    from kubernetes.config.kube_config import ConfigNode

    command = str(spec.get("command", ""))
    who = f"exec plugin {command!r} of kubeconfig user {entry.user_name!r}"
    hint = str(spec.get("installHint") or "install it, or use another --context").strip()
    cluster = ConfigNode("cluster", dict(entry.cluster))
    try:
        status = ExecProvider(ConfigNode("exec", spec), str(entry.user_folder), cluster).run()
    except FileNotFoundError as error:
        raise OpReadinessError(f"{who} is not on this machine: {' '.join(hint.split())}") from error
    except (ConfigException, OSError) as error:
        words = " ".join(str(error).split())
        raise OpReadinessError(f"{who} gave no credential: {words}; log in again, or try kubectl") from error
    if not status.get("token") and not (status.get("clientCertificateData") and status.get("clientKeyData")):
        raise OpReadinessError(f"{who} answered with neither a token nor a client certificate and key; log in again")
    return Credential(
        f"Bearer {status['token']}" if status.get("token") else "",
        str(status.get("clientCertificateData") or ""),
        str(status.get("clientKeyData") or ""),
        _epoch(status.get("expirationTimestamp")),
    )


def _epoch(timestamp: str | None) -> float | None:
    from kubernetes.config.dateutil import parse_rfc3339

    return float(parse_rfc3339(timestamp).timestamp()) if timestamp else None


def _from_auth_provider(entry: Entry) -> Credential:
    from kubernetes.client.configuration import Configuration
    from kubernetes.config import ConfigException
    from kubernetes.config.kube_config import KubeConfigLoader

    config = {
        "current-context": "one",
        "contexts": [{"name": "one", "context": {"cluster": "one", "user": "one"}}],
        "clusters": [{"name": "one", "cluster": {"server": entry.server}}],
        "users": [{"name": "one", "user": {"auth-provider": dict(entry.user["auth-provider"])}}],
    }
    configuration = Configuration()
    name = entry.user["auth-provider"].get("name", "")
    try:
        KubeConfigLoader(config, config_base_path=str(entry.user_folder)).load_and_set(configuration)
    except (ConfigException, OSError, KeyError, AttributeError) as error:
        raise OpReadinessError(f"auth-provider {name!r} gave no credential: {error}; log in again") from error
    token = configuration.api_key.get("BearerToken", "")
    if not token:
        raise OpReadinessError(f"auth-provider {name!r} gave no credential; log in again, or use an exec plugin")
    return Credential(token, expires=_jwt_end(token))


def _jwt_end(authorization: str) -> float | None:
    try:
        payload = authorization.split(".")[1]
        end = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))).get("exp")
    except (IndexError, ValueError, AttributeError):
        return None
    return float(end) if end else None
