"""A cluster as plain dicts: get, list, create, patch, delete, and what else the API server answers.

Plain dicts and not the client's models: models drop the fields they do not know, so one that is written back loses
what a newer API server put there. Change things by `patch`. Every call has connect and read time-outs and a stated
number of tries (`transport.Limits`); what fails raises an `ApiError`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from op_readiness.cluster.connect import Connection, connect
from op_readiness.cluster.errors import ApiError, ApiRefused, ApiUnavailable, Call, Conflict, NotFound, Unauthorized
from op_readiness.cluster.execing import ExecAnswer, Executor
from op_readiness.cluster.kinds import Resource, resource, resource_of
from op_readiness.cluster.transport import DEFAULT_LIMITS, Limits, Transport
from op_readiness.model.clock import SYSTEM_CLOCK, Clock
from op_readiness.model.errors import OpReadinessError

Manifest = dict[str, Any]
Manifests = list[Manifest]

PATCH_TYPES = {
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "json": "application/json-patch+json",
    "apply": "application/apply-patch+yaml",
}
PAGE = 500
"""Objects a page of a list; the same as kubectl."""


@dataclass(frozen=True)
class ProxyAnswer:
    """What came back through the API server's proxy to a Pod, Service or Node; whatever the status."""

    status: int
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)
    from_api_server: bool = False
    """The API server answered in the target's place (a `Status` object): it has no way there, or may not."""


class Cluster:
    """One cluster. Safe to use from many threads. Kinds are `Pod`, `pods` or `plural.version.group`."""

    def __init__(self, connection: Connection, limits: Limits = DEFAULT_LIMITS, clock: Clock = SYSTEM_CLOCK) -> None:
        self.connection, self.clock = connection, clock
        self.transport = Transport(connection, limits, clock)
        self.executor = Executor(connection)

    @classmethod
    def open(
        cls, kubeconfig: str | None = None, context: str | None = None, limits: Limits = DEFAULT_LIMITS
    ) -> Cluster:
        """The cluster that a kubeconfig (or the environment) names."""
        return cls(connect(kubeconfig, context), limits)

    # -- reading ---------------------------------------------------------------------------------------------------

    def get(self, kind: str | Resource, name: str, namespace: str = "", *, subresource: str = "") -> Manifest:
        """One object; raises NotFound."""
        r = resource(kind)
        call = Call("get", r.full_name, namespace, name)
        return self._object(self.transport.json(call, "GET", r.path(namespace, name, subresource)), r)

    def find(self, kind: str | Resource, name: str, namespace: str = "") -> Manifest | None:
        """One object, None when there is none of that name."""
        try:
            return self.get(kind, name, namespace)
        except NotFound:
            return None

    def list(
        self, kind: str | Resource, namespace: str | None = None, labels: str | None = None, fields: str | None = None
    ) -> Manifests:
        """All objects (of a Namespace, of a label and field selector), page by page; kind and apiVersion filled in."""
        return self.list_with_version(kind, namespace, labels, fields)[0]

    def list_with_version(
        self, kind: str | Resource, namespace: str | None = None, labels: str | None = None, fields: str | None = None,
        *, tries: int | None = None, read: float | None = None,
    ) -> tuple[Manifests, str]:  # fmt: skip
        """As `list`, and the resourceVersion to watch from."""
        r = resource(kind)
        call, path = Call("list", r.full_name, namespace or ""), r.path(namespace or "")
        query = {"labelSelector": labels, "fieldSelector": fields, "limit": PAGE}
        while True:
            try:
                return self._pages(r, call, path, query, tries, read)
            except ApiRefused as error:
                if error.status != 410 or "limit" not in query:
                    raise
                del query["limit"]  # the list grew too old between two pages: once more, in one piece

    def _pages(
        self, r: Resource, call: Call, path: str, query: dict[str, Any], tries: int | None, read: float | None
    ) -> tuple[Manifests, str]:
        found: Manifests = []
        token = ""
        while True:
            page = self.transport.json(call, "GET", path, query={**query, "continue": token}, tries=tries, read=read)
            if not isinstance(page, dict) or not isinstance(page.get("items") or [], list):
                raise ApiUnavailable(call, status=200, message=f"the answer is no list: {str(page)[:200]}")
            found += [self._object(item, r) for item in page.get("items") or ()]
            meta = page.get("metadata") or {}
            if not (token := meta.get("continue", "")):
                return found, str(meta.get("resourceVersion", ""))

    def raw(self, path: str, *, query: Mapping[str, Any] | None = None, tries: int | None = None) -> Any:
        """The JSON answer to any GET, such as `/version` or `/apis`."""
        return self.transport.json(Call("get", path), "GET", path, query=query, tries=tries)

    def raw_text(self, path: str, *, query: Mapping[str, Any] | None = None) -> str:
        """The text that answers any GET, such as `/readyz` or `/metrics`."""
        return self.transport.bytes(Call("get", path), "GET", path, query=query).decode(errors="replace")

    def logs(
        self, pod: str, namespace: str, container: str = "", *, previous: bool = False, tail: int | None = None,
        since_seconds: int | None = None, limit_bytes: int | None = None, tries: int | None = None,
        read: float | None = None,
    ) -> str:  # fmt: skip
        """What a container wrote so far."""
        query = {"container": container, "previous": "true" if previous else None, "tailLines": tail,
                 "sinceSeconds": since_seconds, "limitBytes": limit_bytes}  # fmt: skip
        path = resource("Pod").path(namespace, pod, "log")
        call = Call("get", "pods/log", namespace, pod)
        return self.transport.bytes(call, "GET", path, query=query, tries=tries, read=read).decode(errors="replace")

    def exec(
        self, pod: str, namespace: str, container: str, argv: Sequence[str], *, within: float, stdin: str | None = None,
        silence: float = 0.0,
    ) -> ExecAnswer:  # fmt: skip
        """Run a command in a container; `execing.Executor.exec` says what it gives and raises."""
        return self.executor.exec(pod, namespace, container, argv, within=within, stdin=stdin, silence=silence)

    def events(self, namespace: str, *, about: str | None = None) -> Manifests:
        """Core Events of a Namespace (of the object named `about`), oldest first."""
        fields = f"involvedObject.name={about}" if about else None
        return sorted(self.list("Event", namespace, fields=fields), key=event_time)

    # -- writing ---------------------------------------------------------------------------------------------------

    def create(self, manifest: Mapping[str, Any], *, dry_run: bool = False) -> Manifest:
        """The object as the API server stored it.

        Asked for again where nobody knows whether it was stored (the connection broke, 5xx) and the object has a name;
        the AlreadyExists that may follow is then our own object, if it carries the labels that we gave it.
        """
        r, meta = resource_of(manifest), manifest.get("metadata") or {}
        call = Call("create", r.full_name, meta.get("namespace", ""), meta.get("name") or meta.get("generateName", ""))
        path, query = r.path(meta.get("namespace", "")), {"dryRun": "All" if dry_run else None, **_STRICT}
        unknown: ApiError | None = None
        for attempt in range(1, self.transport.limits.tries + 1):
            try:
                return self._object(self.transport.json(call, "POST", path, query=query, body=manifest), r)
            except ApiUnavailable as error:
                if not error.outcome_unknown or not meta.get("name") or attempt == self.transport.limits.tries:
                    raise
                unknown = error
                self.transport.remember(error)
                self.clock.sleep(self.transport.pause(error, attempt))
            except Conflict as error:
                if not unknown or not error.already_exists:
                    raise
                return self._our_own(r, meta, error)
        raise unknown or ApiUnavailable(call, message="no answer")

    def _our_own(self, r: Resource, meta: Mapping[str, Any], conflict: Conflict) -> Manifest:
        found = self.get(r, meta["name"], meta.get("namespace", ""))
        theirs = found["metadata"].get("labels") or {}
        if not meta.get("labels") or any(theirs.get(key) != value for key, value in meta["labels"].items()):
            raise conflict
        return found

    def patch(
        self, kind: str | Resource, name: str, namespace: str, body: Any, type: str = "merge", *,
        subresource: str = "", field_manager: str = "op-readiness", force: bool = False,
    ) -> Manifest:  # fmt: skip
        """The object after a patch; `type` is merge, strategic, json or apply."""
        r = resource(kind)
        query = {"fieldManager": field_manager, "force": "true" if force else None, **_STRICT}
        answer = self.transport.json(
            Call("patch", r.full_name, namespace, name), "PATCH", r.path(namespace, name, subresource),
            query=query, body=body, content_type=PATCH_TYPES[type], repeatable=type != "json",
        )  # fmt: skip
        return self._object(answer, r)

    def delete(
        self, kind: str | Resource, name: str, namespace: str = "", *, grace: int | None = None,
        propagation: str = "Background", uid: str | None = None,
    ) -> bool:  # fmt: skip
        """Ask for an object's deletion; False when there was none (or only one of another UID)."""
        r = resource(kind)
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
        body = {**options, **_without_none(gracePeriodSeconds=grace, preconditions={"uid": uid} if uid else None)}
        try:
            self.transport.bytes(
                Call("delete", r.full_name, namespace, name), "DELETE", r.path(namespace, name),
                body=body, repeatable=True,
            )  # fmt: skip
        except NotFound:
            return False
        except Conflict:
            if not uid:
                raise
            return False
        return True

    def delete_collection(
        self, kind: str | Resource, namespace: str, labels: str, *, grace: int | None = None,
        propagation: str = "Background",
    ) -> None:  # fmt: skip
        """Ask for the deletion of all objects of a label selector in a Namespace."""
        if not labels:
            raise ValueError("delete_collection needs a label selector")
        r = resource(kind)
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
        self.transport.bytes(
            Call("deletecollection", r.full_name, namespace), "DELETE", r.path(namespace),
            query={"labelSelector": labels}, body={**options, **_without_none(gracePeriodSeconds=grace)},
            repeatable=True,
        )  # fmt: skip

    def post(self, kind: str | Resource, body: Mapping[str, Any], namespace: str = "", name: str = "",
             subresource: str = "", *, repeatable: bool = False) -> Manifest:  # fmt: skip
        """The answer to a POST that stores nothing of ours: reviews, token requests, evictions."""
        r = resource(kind)
        call = Call("create", "/".join(p for p in (r.full_name, subresource) if p), namespace, name)
        path = r.path(namespace, name, subresource)
        return dict(self.transport.json(call, "POST", path, body=dict(body), repeatable=repeatable))

    # -- what we may do, and what this is --------------------------------------------------------------------------

    def can_i(
        self, verb: str, resource_name: str, namespace: str = "", *, group: str = "", name: str = ""
    ) -> bool:
        """Whether RBAC allows a verb on a resource (`pods`, `pods/exec`, `deployments.apps`), or on one object."""
        plural, _, subresource = resource_name.partition("/")
        plural, _, in_name = plural.partition(".")
        wanted = _without_none(
            verb=verb, resource=plural, group=group or in_name or None, namespace=namespace or None,
            subresource=subresource or None, name=name or None,
        )  # fmt: skip
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
                  "spec": {"resourceAttributes": wanted}}  # fmt: skip
        answer = self.post("SelfSubjectAccessReview", review, repeatable=True)
        return bool((answer.get("status") or {}).get("allowed"))

    def user(self) -> str:
        """Who the API server takes us for; empty where it does not say (before Kubernetes 1.28)."""
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        try:
            answer = self.post("SelfSubjectReview", review, repeatable=True)
        except ApiRefused as error:
            if isinstance(error, Unauthorized):
                raise
            return ""
        return str(((answer.get("status") or {}).get("userInfo") or {}).get("username", ""))

    def server_version(self) -> str:
        """As the API server spells it, such as `v1.37.2`."""
        return str(self.raw("/version").get("gitVersion", ""))

    def check(self) -> str:
        """The server's version; where it cannot be reached or refuses us, one line on what was tried and what to do."""
        where = f"{self.connection.server} (context {self.connection.context!r} of {self.connection.source})"
        try:
            version = str(self.raw("/version", tries=2).get("gitVersion", ""))
            self.user()
        except Unauthorized as error:
            raise OpReadinessError(
                f"{where} refused the credentials: 401 {error.message or error.reason}; "
                "log in again, or choose another --context"
            ) from error
        except ApiError as error:
            words = error.message or error.reason or error.status
            raise OpReadinessError(f"{where}: {words}; {_advice(error)}") from error
        return version

    def take_notes(self) -> Sequence[str]:
        """Sentences on what it took to be answered since this was last asked: calls that were repeated, and why."""
        return [
            f"{number} {'call' if number == 1 else 'calls'} to the API server had to be repeated: {why}"
            for why, number in sorted(self.transport.take_repeated().items())
        ]

    # -- through the API server ------------------------------------------------------------------------------------

    def pod_proxy(self, pod: str, namespace: str, path: str = "/", *, port: int | str | None = None,
                  scheme: str = "", read: float | None = None) -> ProxyAnswer:  # fmt: skip
        """GET from a Pod through the API server: works without any route from here to the Pod."""
        name = f"{scheme}:{pod}" if scheme else pod
        name += f":{port}" if port is not None else (":" if scheme else "")
        return self._proxied(Call("get", "pods/proxy", namespace, pod), "Pod", name, namespace, path, read)

    def service_proxy(self, service: str, namespace: str, path: str = "/", *, port: int | str | None = None,
                      scheme: str = "", read: float | None = None) -> ProxyAnswer:  # fmt: skip
        """GET from a Service through the API server."""
        name = f"{scheme}:{service}" if scheme else service
        name += f":{port}" if port is not None else (":" if scheme else "")
        return self._proxied(Call("get", "services/proxy", namespace, service), "Service", name, namespace, path, read)

    def node_proxy(self, node: str, path: str, *, read: float | None = None) -> ProxyAnswer:
        """GET from a Node's kubelet through the API server, such as `stats/summary`, `configz`, `healthz`."""
        return self._proxied(Call("get", "nodes/proxy", "", node), "Node", node, "", path, read)

    def _proxied(self, call: Call, kind: str, name: str, namespace: str, path: str, read: float | None) -> ProxyAnswer:
        target, _, query = path.partition("?")
        url = resource(kind).path(namespace, name, "proxy") + "/" + quote(target.lstrip("/"), safe="/:%~")
        try:
            url += f"?{query}" if query else ""
            with self.transport.response(call, "GET", url, tries=1, read=read) as answer:
                return ProxyAnswer(answer.status, answer.data.decode(errors="replace"), dict(answer.headers))
        except ApiError as error:
            if not error.status:
                raise
            own = bool(error.reason)  # a Status object has a reason
            return ProxyAnswer(error.status, error.message, dict(error.headers), own)

    @staticmethod
    def _object(item: Any, r: Resource) -> Manifest:
        """Items of a list come without kind and apiVersion."""
        found: Manifest = dict(item)
        if r.kind:
            found.setdefault("kind", r.kind)
        found.setdefault("apiVersion", r.api_version)
        return found

    def watch_lines(self, kind: str | Resource, namespace: str = "", *, query: Mapping[str, Any],
                    read: float) -> Iterator[str]:  # fmt: skip
        """The events of one watch request as lines; ends when the server ends it, raises on `read` s of silence."""
        from op_readiness.cluster.watching import lines_of

        r = resource(kind)
        call = Call("watch", r.full_name, namespace)
        with self.transport.response(
            call, "GET", r.path(namespace), query={"watch": "true", **query}, tries=1, read=read, stream=True
        ) as response:
            yield from lines_of(call, response.raw)


_STRICT = {"fieldValidation": "Strict"}
"""A misspelt field is an error (400), not dropped."""


def event_time(event: Mapping[str, Any]) -> str:
    """When an Event was last seen, RFC 3339; comparable as text to the second."""
    series = event.get("series") or {}
    times = (series.get("lastObservedTime"), event.get("lastTimestamp"), event.get("eventTime"))
    made = (event.get("metadata") or {}).get("creationTimestamp", "")
    return next((str(time) for time in times if time), str(made or ""))


def _without_none(**values: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _advice(error: ApiError) -> str:
    if "CERTIFICATE_VERIFY_FAILED" in error.message:
        return "the kubeconfig's certificate-authority is not this server's: fetch the kubeconfig again"
    if error.status == 0:
        return "is the cluster up, and the address right?"
    return "ask the cluster's administrator" if error.status == 403 else "try again, or look at the API server's log"
