"""One HTTP call with time-outs and a stated number of tries.

The client's REST layer has neither: no time-out unless asked for, and `_request_timeout` is multiplied by urllib3's
own retries (four times as long for a GET that hangs). Here urllib3 retries nothing; this module does, and says so:
reads after broken connections, 429 and 5xx; writes only where nothing can have been written (the connection was
refused, 429, a webhook's deadline, `Retry-After`) or where the caller copes with an unknown outcome.
"""

from __future__ import annotations

import json
import random
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

from op_readiness.cluster.connect import Connection
from op_readiness.cluster.credentials import Credential
from op_readiness.cluster.errors import ApiError, ApiUnavailable, Call, Unauthorized, from_status, is_webhook_deadline
from op_readiness.model.clock import SYSTEM_CLOCK, Clock
from op_readiness.model.errors import OpReadinessError


@dataclass(frozen=True)
class Limits:
    """Real seconds and tries of one call. `pause` doubles from try to try, up to `longest_pause`.

    Five tries ride out about 3 s, such as another API server taking over behind a load balancer.
    """

    connect: float = 5.0
    read: float = 30.0
    tries: int = 5
    pause: float = 0.2
    longest_pause: float = 8.0


DEFAULT_LIMITS = Limits()


class Transport:
    """HTTP to one API server. Safe to use from many threads; connections are kept and shared."""

    def __init__(self, connection: Connection, limits: Limits = DEFAULT_LIMITS, clock: Clock = SYSTEM_CLOCK) -> None:
        self.connection, self.limits, self.clock = connection, limits, clock
        self._repeated: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._client: tuple[Any, Any] | None = None

    def json(self, call: Call, method: str, path: str, **options: Any) -> Any:
        """The JSON answer of a call; options as `bytes`."""
        body = self.bytes(call, method, path, **options)
        try:
            return json.loads(body)
        except ValueError as error:
            words = body[:200].decode(errors="replace")
            raise ApiUnavailable(call, status=200, message=f"the answer is no JSON: {words!r}") from error

    def bytes(
        self,
        call: Call,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        content_type: str = "application/json",
        repeatable: bool | None = None,
        tries: int | None = None,
        read: float | None = None,
    ) -> bytes:
        """The body of a 2xx answer. `repeatable` says that doing it twice is as good as once (reads are)."""
        with self.response(
            call, method, path, query=query, body=body, content_type=content_type,
            repeatable=repeatable, tries=tries, read=read,
        ) as response:  # fmt: skip
            return bytes(response.data)

    def response(
        self,
        call: Call,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        content_type: str = "application/json",
        repeatable: bool | None = None,
        tries: int | None = None,
        read: float | None = None,
        stream: bool = False,
    ) -> _Response:
        """The 2xx response, read in full unless `stream`; else the ApiError of the last of the tries."""
        most = tries or self.limits.tries
        repeatable = method == "GET" if repeatable is None else repeatable
        unknown = False
        for attempt in range(1, most + 1):
            credential = self.connection.credentials.current()
            try:
                return self._once(call, credential, method, path, query, body, content_type, read, stream)
            except ApiError as error:
                error.tries = attempt
                unknown = unknown or getattr(error, "outcome_unknown", False)
                if isinstance(error, ApiUnavailable):
                    error.outcome_unknown = unknown
                if attempt == most or not self._again(error, credential, repeatable):
                    raise
                self.remember(error)
                self.clock.sleep(self.pause(error, attempt))
        raise ValueError("tries must be at least 1")

    def remember(self, error: ApiError) -> None:
        """Count a call that is about to be repeated."""
        why = f"{error.status} {error.reason}".rstrip() if error.status else "no answer, or the connection broke"
        if is_webhook_deadline(error):
            why = "an admission webhook did not answer in time"
        with self._lock:
            self._repeated[why] += 1

    def take_repeated(self) -> dict[str, int]:
        """Why calls were repeated since this was last asked, and how many."""
        with self._lock:
            taken, self._repeated = dict(self._repeated), Counter()
        return taken

    def _again(self, error: ApiError, credential: Credential, repeatable: bool) -> bool:
        if "CERTIFICATE_VERIFY_FAILED" in error.message:
            return False
        if isinstance(error, Unauthorized):
            return self.connection.credentials.renew(credential) != credential or (error.tries == 1 and repeatable)
        if is_webhook_deadline(error):
            return True
        if not isinstance(error, ApiUnavailable):
            return False
        nothing_done = error.status == 429 or "retry-after" in {key.lower() for key in error.headers}
        nothing_done = nothing_done or (error.status == 0 and not error.outcome_unknown)
        return repeatable or nothing_done

    def pause(self, error: ApiError, attempt: int) -> float:
        """Real seconds to wait before asking again: doubled from try to try, or what Retry-After says if longer."""
        from kubernetes.utils import retry_after_seconds

        own = self.limits.pause * 2 ** (attempt - 1) * random.uniform(0.8, 1.2)
        return float(min(self.limits.longest_pause, max(own, retry_after_seconds(error) or 0.0)))

    def _once(
        self, call: Call, credential: Credential, method: str, path: str, query: Mapping[str, Any] | None,
        body: Any, content_type: str, read: float | None, stream: bool,
    ) -> _Response:  # fmt: skip
        import urllib3

        url = self.connection.server + path
        if query and (pairs := [(k, v) for k, v in query.items() if v not in (None, "")]):
            url += ("&" if "?" in path else "?") + urlencode(pairs, doseq=True)
        headers = {"Accept": "application/json", "User-Agent": "op-readiness", **credential.headers()}
        if body is not None:
            headers["Content-Type"] = content_type
            body = json.dumps(body) if not isinstance(body, bytes | str) else body
        timeout = urllib3.Timeout(connect=self.limits.connect, read=read or self.limits.read)
        try:
            response = self._pools(credential).request(
                method, url, body=body, headers=headers, timeout=timeout, preload_content=False, retries=False
            )
            if not stream or response.status >= 300:
                response.read(cache_content=True)
        except urllib3.exceptions.HTTPError as error:
            raise self._unavailable(call, error) from error
        if response.status >= 300:
            response.release_conn()
            raise from_status(call, response.status, _status_object(response.data), response.headers)
        return _Response(response)

    def _unavailable(self, call: Call, error: Exception) -> ApiUnavailable:
        import urllib3

        unavailable = ApiUnavailable(call, message=f"{self.connection.server}: {_words(error)}")
        never_sent = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError,
                      urllib3.exceptions.SSLError, urllib3.exceptions.ProxyError)  # fmt: skip
        unavailable.outcome_unknown = not isinstance(error, never_sent)
        return unavailable

    def _pools(self, credential: Credential) -> Any:
        """urllib3's pools as the client's REST layer sets them up (proxies included), with our shared TLS settings."""
        tls = self.connection.tls(credential)
        with self._lock:
            if self._client is None or self._client[0] is not tls:
                self._client = (tls, _pool_manager(self.connection, tls))
            return self._client[1]


class _Response:
    """A urllib3 response as a context manager that gives the connection back, or closes it when not read to the end."""

    def __init__(self, response: Any) -> None:
        self.raw = response
        self.status: int = response.status
        self.headers: Mapping[str, str] = response.headers

    @property
    def data(self) -> bytes:
        """The whole body."""
        return bytes(self.raw.data)

    def __enter__(self) -> _Response:
        return self

    def __exit__(self, *_: object) -> None:
        if not self.raw._fp or self.raw._fp.isclosed():
            self.raw.release_conn()
        else:
            self.raw.close()


def _pool_manager(connection: Connection, tls: Any) -> Any:
    import urllib3
    from kubernetes.client.configuration import Configuration
    from kubernetes.client.rest import RESTClientObject

    configuration = Configuration(host=connection.server, retries=False)
    configuration.verify_ssl = connection.verify
    configuration.proxy = connection.proxy or None
    configuration.no_proxy = None
    proxy = urlsplit(connection.proxy)
    if proxy.username:  # urllib3 drops the login of a proxy's URL
        login = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
        configuration.proxy_headers = urllib3.util.make_headers(proxy_basic_auth=login)
    configuration.tls_server_name = connection.tls_server_name or None
    configuration.connection_pool_maxsize = 16
    try:
        manager = RESTClientObject(configuration).pool_manager
    except ImportError as error:
        raise OpReadinessError(f"proxy {proxy.scheme}://{proxy.hostname} needs PySocks: pip install PySocks") from error
    if tls is not None:
        for name in ("ca_certs", "ca_cert_data", "cert_file", "key_file"):
            manager.connection_pool_kw.pop(name, None)
        manager.connection_pool_kw["ssl_context"] = tls
    if not connection.verify:
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)  # the kubeconfig says so, on purpose
    return manager


def _status_object(data: bytes) -> Mapping[str, Any]:
    try:
        body = json.loads(data)
    except ValueError:
        return {"message": data[:500].decode(errors="replace").strip()}
    return body if isinstance(body, dict) else {"message": str(body)[:500]}


def _words(error: Exception) -> str:
    """The innermost cause in one line, without object addresses."""
    cause: BaseException = error
    while True:
        inner = cause.__cause__ or getattr(cause, "original_error", None) or getattr(cause, "reason", None)
        if not isinstance(inner, BaseException):
            break
        cause = inner
    text = " ".join(str(cause).split()) or type(cause).__name__
    return text.partition("object at 0x")[2].partition(": ")[2] or text
