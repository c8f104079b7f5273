"""The connection to a cluster: which one and why, credentials that stay fresh, and handing it over to workers.

The runner connects (an exec plugin may prompt, or cost a login), and workers read the kubeconfig that `handover`
wrote: self-contained, mode 0600, with whatever credential is current. `keep_handed_over` renews it before it ends;
workers notice the changed file at their next call.
"""

from __future__ import annotations

import base64
import os
import ssl
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from op_readiness.cluster.credentials import Credential, Credentials, credentials_of
from op_readiness.cluster.kubeconfig import Entry, find
from op_readiness.model.errors import OpReadinessError, UsageError


class Connection:
    """One cluster and who we are there. Safe to use from many threads.

    `source` says where it was found, `server` the API server's address, `context` the kubeconfig's context.
    """

    def __init__(self, entry: Entry, *, now: Callable[[], float] = time.time) -> None:
        self.entry, self._now = entry, now
        self.source, self.context, self.server = entry.source, entry.context, entry.server
        if urlsplit(self.server).scheme not in ("http", "https") or not urlsplit(self.server).hostname:
            raise UsageError(f"kubeconfig ({self.source}): server {self.server!r} is no URL; mend the file")
        self.verify = not entry.cluster.get("insecure-skip-tls-verify", False)
        self.tls_server_name = str(entry.cluster.get("tls-server-name") or "")
        self.certificate_authority = entry.certificate_authority()
        self.credentials: Credentials = credentials_of(entry, now=now)
        self._contexts: dict[tuple[str, str], ssl.SSLContext] = {}
        self._lock = threading.Lock()

    @property
    def host(self) -> tuple[str, int]:
        """Name or address, and port, of the API server."""
        url = urlsplit(self.server)
        return url.hostname or "", url.port or (443 if url.scheme == "https" else 80)

    @property
    def proxy(self) -> str:
        """The proxy in front of this API server: `proxy-url`, or the environment's, with NO_PROXY heeded; or empty."""
        from kubernetes.client.configuration import Configuration
        from kubernetes.client.rest import should_bypass_proxies

        configuration = Configuration()
        configuration.host = self.server
        if chosen := self.entry.cluster.get("proxy-url"):
            return str(chosen)
        if not configuration.proxy or should_bypass_proxies(self.server, configuration.no_proxy or ""):
            return ""
        return str(configuration.proxy)

    def tls(self, credential: Credential) -> ssl.SSLContext | None:
        """The TLS settings for a credential, made once and shared by all calls (loading CAs costs milliseconds)."""
        if urlsplit(self.server).scheme != "https":
            return None
        key = (credential.certificate, credential.key)
        with self._lock:
            if key not in self._contexts:
                self._contexts[key] = self._new_tls(credential)
            return self._contexts[key]

    def _new_tls(self, credential: Credential) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        try:
            if self.certificate_authority:
                context.load_verify_locations(cadata=self.certificate_authority)
            elif self.verify:
                context.load_default_certs()
            if credential.certificate:
                _load_pair(context, credential)
        except (ssl.SSLError, ValueError) as error:
            raise UsageError(
                f"kubeconfig ({self.source}): a certificate or key of context {self.context!r} is no valid PEM: {error}"
            ) from error
        return context

    def kubeconfig(self) -> dict[str, Any]:
        """A self-contained kubeconfig with the current credential: what workers and `kubectl` need, no more."""
        credential = self.credentials.current()
        kept = ("server", "insecure-skip-tls-verify", "tls-server-name")
        cluster = {key: self.entry.cluster[key] for key in kept if key in self.entry.cluster}
        if self.certificate_authority:
            cluster["certificate-authority-data"] = _base64(self.certificate_authority)
        if proxy := self.proxy:
            cluster["proxy-url"] = proxy
        name = self.context or "cluster"
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": name,
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "clusters": [{"name": name, "cluster": cluster}],
            "users": [{"name": name, "user": _user(credential)}],
        }

    def handover(self, path: Path) -> Path:
        """Write the self-contained kubeconfig, readable by us alone, replacing an older one in one step."""
        import json

        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # mode 0600
        with os.fdopen(handle, "w") as file:
            json.dump(self.kubeconfig(), file)  # JSON is YAML, and quicker to read
        os.replace(temporary, path)
        return path

    @contextmanager
    def keep_handed_over(self, path: Path) -> Iterator[Path]:
        """`handover`, and again each time the credential was renewed, until the block ends."""
        over = threading.Event()
        handed = self.credentials.current()
        self.handover(path)

        def keep() -> None:
            nonlocal handed
            while not over.wait(self.seconds_until_renewal()):
                try:
                    current = self.credentials.current()
                    if current != handed:
                        handed = current
                        self.handover(path)
                except OpReadinessError:
                    over.wait(5.0)  # the calls that need it report it

        thread = threading.Thread(target=keep, name="credentials", daemon=True)
        thread.start()
        try:
            yield path
        finally:
            over.set()
            thread.join(timeout=5.0)

    def seconds_until_renewal(self) -> float:
        """How long to wait before looking at the credential again: until it is due, at most 30 s."""
        due = self.credentials.due
        return 30.0 if due is None else min(30.0, max(0.2, due - self._now()))


def connect(
    kubeconfig: str | None = None,
    context: str | None = None,
    *,
    environ: Mapping[str, str] = os.environ,
    now: Callable[[], float] = time.time,
) -> Connection:
    """Find the cluster and fetch the credentials; nothing is asked of the API server yet (`Cluster.check` does)."""
    return Connection(find(kubeconfig, context, environ), now=now)


def _user(credential: Credential) -> dict[str, str]:
    user = {}
    kind, _, value = credential.authorization.partition(" ")
    if kind.lower() == "basic":
        user["username"], _, user["password"] = base64.b64decode(value).decode().partition(":")
    elif value:
        user["token"] = value
    if credential.certificate:
        user["client-certificate-data"] = _base64(credential.certificate)
        user["client-key-data"] = _base64(credential.key)
    return user


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _load_pair(context: ssl.SSLContext, credential: Credential) -> None:
    """`ssl` reads certificates from files only; they are gone again when this ends."""
    with tempfile.TemporaryDirectory(prefix="opr-") as folder:
        pair = Path(folder) / "pair.pem"
        pair.touch(mode=0o600)
        pair.write_text(credential.key + "\n" + credential.certificate)
        context.load_cert_chain(pair)
