r"""The service account token of a running Windows Pod: rotated by the kubelet, and good for the API all the while.

Upstream: `InClusterConfig with token rotation` of test/e2e/auth/service_accounts.go. 600 s is the shortest life that
the API server gives, and the kubelet asks anew at 80 % of it, so the second token comes after about eight minutes.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from op_readiness.cluster.errors import ApiError
from op_readiness.model.clock import SYSTEM_CLOCK, Clock
from op_readiness.model.errors import CouldNotTell
from op_readiness.model.facts import NodeFact
from op_readiness.model.findings import Finding, Place
from op_readiness.observe.checks import Check
from op_readiness.observe.shell import Client
from op_readiness.suite.subjects.storage.mounting import Mounting, Object, mount, volume
from op_readiness.workloads.pods import Manifest

ACCOUNT_FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount"
LIFE, CALLS = 600, 10
"""Seconds that a token lives, and between two calls to the API."""
LONGEST, LOOK = 1200.0, 60.0
AFTER = 3.0 * CALLS
"""Seconds in which the Pod calls with its second token before its log is judged."""
SILENT_LOOKS, GIVE_UP = 5, 6
"""Looks without a new call after which a Pod calls no more; times of LONGEST on our clock after which we give up."""
HASH, FAILED = re.compile(r"authz_header=(\S+)"), re.compile(r"^.*status=failed.*$", re.MULTILINE)
ACCOUNT = "rotating"


def token_volume(name: str = "token", life: int = LIFE) -> Object:
    """The projected volume that the service account admission makes, with a life of its own."""
    return volume(
        name,
        projected={
            "sources": [
                {"serviceAccountToken": {"path": "token", "expirationSeconds": life}},
                {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
                {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"fieldPath": "metadata.namespace"}}]}},
            ]
        },
    )


def calling_command() -> list[str]:
    """agnhost inclusterclient: calls /healthz with its Pod's own token and writes the token's digest.

    One that cannot even begin says so as a call that failed, and the container goes on: it is still to be asked.
    """
    client = f"/agnhost inclusterclient --poll-interval={CALLS}"
    return ["sh", "-c", f"{client}; echo inclusterclient ended status=failed; sleep 7200"]


def claims_of(token: str) -> Object:
    """What a JWT says; empty for what is none."""
    try:
        body = token.split(".")[1]
        found = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (IndexError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


@dataclass
class Tokens:
    """Reads tokens out of Pods and asks the API server about them."""

    mounting: Mounting

    def read(self, client: Client) -> str:
        """The token as a program in the Pod reads it now; empty when there is none."""
        answer = self.mounting.asker.answer(client, ["cat", f"{ACCOUNT_FOLDER}/token"])
        return answer.text.strip() if answer.good else ""

    def user_of(self, token: str) -> str:
        """Whom the API server takes the bearer for (TokenReview); empty when it refuses the token."""
        if not token:
            return ""
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token}}
        try:
            answer: Any = self.mounting.workshop.cluster.post("tokenreviews.v1.authentication.k8s.io", review)
        except ApiError as error:
            raise CouldNotTell(
                Finding("A token cannot be reviewed", "TokenReview", "an answer", str(error), code="api")
            ) from error
        status = answer.get("status") or {}
        return str(status.get("user", {}).get("username", "")) if status.get("authenticated") else ""


@dataclass
class Spent:
    """How much of the 20 minutes has gone by where the Pod is: its calls count them, one every CALLS seconds.

    So the kubelet has its 20 minutes also where the Node's clock goes slower than ours, as that of a simulated cluster
    does on a loaded machine. A Pod that calls no more is held to our clock.
    """

    place: Place
    calls: int = 0
    silent: int = 0

    def over(self, calls: int, here: float) -> bool:
        """Whether they have, after so many calls and seconds on our clock; raises CouldNotTell after GIVE_UP times."""
        self.silent = 0 if calls > self.calls else self.silent + 1
        self.calls = calls
        if calls * CALLS >= LONGEST or (here >= LONGEST and self.silent >= SILENT_LOOKS):
            return True
        if here < GIVE_UP * LONGEST:
            return False
        seen = f"{calls} calls, one every {CALLS} s, in {here:.0f} s"
        where = str(self.place)
        raise CouldNotTell(Finding("The Node's clock goes too slowly", where, f"{LONGEST:g} s", seen, code="slow"))


@dataclass
class TokenRotation:
    """A Pod that calls the API with its token on each Windows Node."""

    mounting: Mounting
    nodes: Sequence[NodeFact]
    clock: Clock = SYSTEM_CLOCK
    clients: list[Client] = field(default_factory=list)
    first: dict[str, tuple[str, str]] = field(default_factory=dict)

    def start(self) -> None:
        """The account, the Pods, and the first token of each with whom it stands for."""
        namespace, labels = self.mounting.workshop.namespace, self.mounting.workshop.labels
        meta = {"name": ACCOUNT, "namespace": namespace, "labels": labels}
        self.mounting.workshop.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta})
        self.clients = self.mounting.up([self._pod(n, node) for n, node in enumerate(self.nodes)], self.nodes)
        tokens = Tokens(self.mounting)
        for client in self.clients:
            token = tokens.read(client)
            self.first[client.pod] = (token, tokens.user_of(token))

    def must_rotate(self) -> None:
        """Within 20 minutes another token, of the same user and with a later end, and no call has failed."""
        self.mounting.judge(
            self._watched, self.clients, code="token",
            what="The service account token of a running Windows Pod is not renewed as it should be",
            hint="the kubelet's log on the Node (token manager), clock of the Node, and links of the volume's folder",
        )  # fmt: skip

    def _watched(self, client: Client) -> list[Check]:
        timeouts, tokens = self.mounting.workshop.context.timeouts, Tokens(self.mounting)
        old, user = self.first[client.pod]
        began, log, token, spent = self.clock.now(), "", old, Spent(client.place)
        while True:
            self.clock.sleep(LOOK * timeouts.scale)
            log = self._log(client)
            token = tokens.read(client)
            if (token != old and len(set(HASH.findall(log))) > 1) or FAILED.search(log):
                break
            if spent.over(len(HASH.findall(log)), timeouts.cluster(self.clock.now() - began)):
                break
        waited = timeouts.cluster(self.clock.now() - began)
        self.mounting.workshop.recorder.figure(f"{client.place.node}: another token after seconds", waited)
        if token != old:  # its first call is only just under way
            self.clock.sleep(AFTER * timeouts.scale)
            log = self._log(client)
        return self._judged(client, log, token, tokens.user_of(token), old, user)

    def _judged(self, client: Client, log: str, token: str, user: str, old: str, old_user: str) -> list[Check]:
        hashes, failed = set(HASH.findall(log)), FAILED.findall(log)
        account = f"system:serviceaccount:{client.namespace}:{ACCOUNT}"
        ends = claims_of(token).get("exp", 0), claims_of(old).get("exp", 0)
        place, end = client.place, f"an end after {ends[1]}"
        return [
            Check("first token", place, ACCOUNT, account, old_user or "no token that is good", old_user == account),
            Check("second token", place, ACCOUNT, account, user or "no token that is good", user == account),
            Check("token file", place, "the second token", end, f"{ends[0]}", token != old and ends[0] > ends[1]),
            Check("tokens sent", place, "calls to /healthz", "2 or more", str(len(hashes)), len(hashes) > 1),
            Check("API access", place, "calls to /healthz", "none failed", "; ".join(failed[:2]) or "none failed",
                  bool(hashes) and not failed),
        ]  # fmt: skip

    def _log(self, client: Client) -> str:
        pod = {"metadata": {"name": client.pod, "namespace": client.namespace}, "spec": {"nodeName": client.place.node}}
        return self.mounting.workshop.log_of(pod)

    def _pod(self, number: int, node: NodeFact) -> Manifest:
        spec: Object = {"serviceAccountName": ACCOUNT, "volumes": [token_volume()]}
        container = {"volumeMounts": [mount("token", ACCOUNT_FOLDER, readOnly=True)], "command": calling_command()}
        made = self.mounting.workshop.pod(f"calling-{number}", "windows", node, [], spec=spec, container=container)
        del made["spec"]["containers"][0]["args"]
        return made
