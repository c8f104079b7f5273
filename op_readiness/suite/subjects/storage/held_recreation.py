r"""The Service that is deleted and made again, in front of Pods that hold a token and a volume.

The same cycle as in Core.Network; while the Service is away and after each turn the volume is readable, the token is
good and a call to the API ends well, so what kube-proxy and the host network service do to a Pod's endpoint has not
touched what the Pod holds. Pods that lived through a deletion are asked before they are replaced.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from op_readiness.model.clock import SYSTEM_CLOCK, Clock
from op_readiness.observe.checks import Check
from op_readiness.observe.shell import Ask, Asker, Client
from op_readiness.observe.traffic import Patience
from op_readiness.suite.subjects.network.service_life import REPLICAS, Recreation
from op_readiness.suite.subjects.storage.mounting import Mounting, Object, lines_of, mount, volume
from op_readiness.suite.subjects.storage.tokens import (
    ACCOUNT_FOLDER,
    CALLS,
    FAILED,
    HASH,
    Tokens,
    calling_command,
    token_volume,
)

HELD, KEY, VALUE = "held", "word", "held-all-the-while"
FOLDER, CALLING = r"C:\held", "calling"
FURTHER = 2
"""Calls after those of the first look at a log: the client writes a call down before it makes it, so only the next one
says that it ended; and the first of the two is begun after what is judged."""


@dataclass
class HeldRecreation(Recreation):
    """Recreation whose Pods have a ConfigMap volume, a token, and a second container that calls the API with it."""

    asker: Asker | None = None
    clock: Clock = SYSTEM_CLOCK
    holders: list[Client] = field(default_factory=list)

    def start(self) -> None:
        """The ConfigMap first; then as every recreation."""
        meta = {"name": HELD, "namespace": self.workshop.namespace, "labels": self.workshop.labels}
        self.workshop.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {KEY: VALUE}})
        super().start()
        self.must_hold("before")

    def turn(self, **how: Any) -> None:
        """One cycle, and what the Pods hold after it."""
        self.cycle(**how)
        self.must_hold(f"after cycle {self.generation}")

    def while_it_is_away(self) -> None:
        """The Pods that lived through the deletion, before any of them is replaced."""
        self.must_hold(f"after deletion {self.generation + 1}")

    def must_hold(self, when: str) -> None:
        """Every Pod reads its volume, its token is good, its calls to the API go on, and none of them has failed."""
        self._mounting().judge(
            lambda client: self._held(client, when), self.holders,
            "What a Windows Pod holds is lost when a Service is made again", code="held",
            hint="volumes of the Pod, and its way to the API server, on the Node",
        )  # fmt: skip

    def _held(self, client: Client, when: str) -> list[Check]:
        mounting = self._mounting()
        text = mounting.cmd(client, rf"type {FOLDER}\{KEY}").text
        tokens = Tokens(mounting)
        user = tokens.user_of(tokens.read(client))
        log, further = self._called(client)
        failed, account = FAILED.findall(log), f"system:serviceaccount:{client.namespace}:default"
        calls = f"{len(HASH.findall(log))} calls, {further} of them further ones"
        return [
            Check(f"volume {when}", client.place, KEY, VALUE, text, lines_of(text) == [VALUE]),
            Check(f"token {when}", client.place, "TokenReview", account, user or "not authenticated", user == account),
            Check(f"API access {when}", client.place, "calls to /healthz", "further calls, none failed",
                  "; ".join(failed[:2]) or calls, further >= FURTHER and not failed),
        ]  # fmt: skip

    def _called(self, client: Client) -> tuple[str, int]:
        """The log of the calls when a further one has ended, one has failed, or none has come in time; how many came.

        Time goes by in the Pod, where the calls are made.
        """
        asker, log = self._mounting().asker, self._log(client)
        before = len(HASH.findall(log))
        patience = Patience(asker.timeouts, "call_ended", self.clock)
        while True:
            further = len(HASH.findall(log)) - before
            if further >= FURTHER or FAILED.search(log):
                return log, further
            waited = asker.ask(client, [Ask("wait", f"sleep {CALLS / 2:g}", longest=CALLS / 2)]).seconds
            log = self._log(client)
            if patience.over(max(CALLS / 2, waited), str(client.place)):
                return log, len(HASH.findall(log)) - before

    def _mounting(self) -> Mounting:
        if self.asker is None:
            raise TypeError("a recreation of Pods that hold something needs an asker")
        return Mounting(self.workshop, self.asker)

    def _log(self, client: Client) -> str:
        return self.workshop.cluster.logs(client.pod, client.namespace, CALLING)

    def _new_pods(self) -> list[Object]:
        nodes = [self.nodes[n % len(self.nodes)] for n in range(REPLICAS)]
        manifests = [
            self._with_hands_full(self.workshop.echo_pod(f"again-{self.generation}-{n}", "windows", node, app="again"))
            for n, node in enumerate(nodes)
        ]
        self.holders = self._mounting().up(manifests, nodes)
        return self.workshop.pods_up([client.pod for client in self.holders])

    @staticmethod
    def _with_hands_full(made: Object) -> Object:
        spec = made["spec"]
        spec["volumes"] = [volume("held", configMap={"name": HELD}), token_volume("token", 3600)]
        mounts = [mount("held", FOLDER, readOnly=True), mount("token", ACCOUNT_FOLDER, readOnly=True)]
        [server] = spec["containers"]
        server["volumeMounts"] = mounts
        calling = {"name": CALLING, "image": server["image"], "command": calling_command(), "volumeMounts": mounts}
        spec["containers"] = [server, calling]
        return made
