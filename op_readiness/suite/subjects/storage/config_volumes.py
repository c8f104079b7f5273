r"""ConfigMap, Secret and projected volumes in Windows Pods: every byte, renamed keys, and changes while they run.

Bytes are compared by their SHA-256 as BusyBox computes it inside the container, not by console text, whose code page
varies. Upstream: test/e2e/common/storage/{configmap,secrets}_volume.go and their projected twins.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from op_readiness.model.facts import NodeFact
from op_readiness.observe.checks import Check
from op_readiness.observe.shell import TOOL_MISSING, Ask, Client
from op_readiness.suite.subjects.storage.mounting import Mounting, Object, mount, volume
from op_readiness.workloads.pods import Manifest

NAME = "config"
VALUES = {
    "data-1": "value-1",
    "lf": "one\ntwo\n",
    "crlf": "one\r\ntwo\r\n",
    "not-ascii": "gr\u00fcn \u2603 \u5b57",
    "mapped": "found below another name",
}
BINARY = {"binary": bytes(range(256))}
"""Bytes that are no text in any code page: binaryData of a ConfigMap."""
BYTES = {key: value.encode() for key, value in VALUES.items()} | BINARY
PATHS = {key: key for key in BYTES} | {"mapped": "path/to/renamed"}
ITEMS = [{"key": key, "path": path} for key, path in PATHS.items()]
VOLUMES: dict[str, Object] = {
    "secret-volume": {"secret": {"secretName": NAME, "items": ITEMS}},
    "configmap-volume": {"configMap": {"name": NAME, "items": ITEMS}},
    "projected-secret": {"projected": {"sources": [{"secret": {"name": NAME, "items": ITEMS}}]}},
    "projected-configmap": {"projected": {"sources": [{"configMap": {"name": NAME, "items": ITEMS}}]}},
}
UPDATE_SECONDS, LOOK_SECONDS = 240, 5
"""An update is there within the kubelet's next look at the Pod and the age of its cache; e2e waits four minutes."""
ROUNDS = 6
"""Looks at all volumes in one exec: half a minute, so that a worker is never silent for long."""
TTL = "node.alpha.kubernetes.io/ttl"
"""Annotation of a Node: for so many seconds more its kubelet may hold what it has (large clusters)."""
UPDATED = "value-2"


@dataclass
class ConfigVolumes:
    """One Pod with all four volumes on each Windows Node."""

    mounting: Mounting
    nodes: Sequence[NodeFact]
    clients: list[Client] = field(default_factory=list)

    def start(self) -> None:
        """The objects, then the Pods."""
        namespace, labels = self.mounting.workshop.namespace, self.mounting.workshop.labels
        meta = {"name": NAME, "namespace": namespace, "labels": labels}
        coded = {key: base64.b64encode(value).decode() for key, value in BYTES.items()}
        binary = {key: coded[key] for key in BINARY}
        self.mounting.workshop.create(
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": VALUES, "binaryData": binary}
        )
        self.mounting.workshop.create({"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": coded})
        self.clients = self.mounting.up([self._pod(n, node) for n, node in enumerate(self.nodes)], self.nodes)

    def must_show_every_byte(self) -> None:
        """Each file of each volume has the bytes of its key, and agnhost reads the plain one."""
        self.mounting.judge(
            self._contents, self.clients, "A Windows Pod does not see the contents of its volumes", code="volume",
            hint="events of the Pod and the kubelet's log on the Node; the volume's folder below the kubelet's pods",
        )  # fmt: skip

    def must_follow_changes(self) -> None:
        """After both objects are changed every volume shows the new value within four minutes and the Node's TTL."""
        workshop = self.mounting.workshop
        coded = base64.b64encode(UPDATED.encode()).decode()
        workshop.cluster.patch("ConfigMap", NAME, workshop.namespace, {"data": {"data-1": UPDATED}})
        workshop.cluster.patch("Secret", NAME, workshop.namespace, {"data": {"data-1": coded}})
        self.mounting.judge(
            self._updates, self.clients, "A change of a ConfigMap or Secret does not reach a running Windows Pod",
            hint="the kubelet's configMapAndSecretChangeDetectionStrategy and its log on the Node", code="volume",
        )  # fmt: skip

    def _contents(self, client: Client) -> list[Check]:
        asks = [Ask(f"{name}.{key}", f"sha256sum {_file(name, key)}") for name in VOLUMES for key in BYTES]
        answers = self.mounting.asker.ask(client, asks)
        checks = []
        for name in VOLUMES:
            for key, value in BYTES.items():
                answer, digest = answers[f"{name}.{key}"][0], hashlib.sha256(value).hexdigest()
                checks.append(
                    Check(name, client.place, PATHS[key], f"SHA-256 {digest[:12]}", answer.text, digest in answer.text)
                )
            checks += [self._told(client, name), self._typed(client, name)]
        return checks

    def _told(self, client: Client, name: str) -> Check:
        path = _file(name, "data-1")
        told = self.mounting.asker.answer(client, ["/agnhost", "mounttest", f"--file_content={path}"])
        wanted = f'content of file "{path}": {VALUES["data-1"]}'
        return Check(name, client.place, "data-1", wanted, told.text, wanted in told.text)

    def _typed(self, client: Client, name: str) -> Check:
        """What a program of Windows reads by a path of Windows, through the links."""
        path = "C:" + _file(name, "data-1").replace("/", "\\")
        typed = self.mounting.cmd(client, f"type {path}")
        return Check(f"{name} by cmd", client.place, "data-1", VALUES["data-1"], typed.text,
                     typed.good and typed.text.strip() == VALUES["data-1"])  # fmt: skip

    def _updates(self, client: Client) -> list[Check]:
        limit = UPDATE_SECONDS + self._ttl(client)
        shown, seconds = self._followed(client, limit)
        self.mounting.workshop.recorder.figure(f"{client.place.node}: all updates seen after seconds", seconds)
        expected = f"{UPDATED} within {limit} s"
        checks = [
            Check(f"{name} updated", client.place, "data-1", expected, shown.get(name, ""), shown.get(name) == UPDATED)
            for name in VOLUMES
        ]
        return checks + self._others(client)

    def _followed(self, client: Client, limit: int) -> tuple[dict[str, str], int]:
        """What each volume shows when all show the new value, or at the last look within `limit`; seconds until then.

        One clock for all of them, the Pod's own: the one that is looked at last has no more time than the first.
        """
        ask = Ask("round", _ROUND, ROUNDS, LOOK_SECONDS, until_good=True, longest=float(len(VOLUMES)))
        looks: list[tuple[int, dict[str, str]]] = []
        for _ in range(-(-limit // (ROUNDS * LOOK_SECONDS)) + 1):
            answers = self.mounting.asker.ask(client, [ask])["round"]
            looks += [_look(answer.text) for answer in answers]
            if answers[-1].good or looks[-1][0] - looks[0][0] > limit:
                break
        began = looks[0][0]
        last, shown = [look for look in looks if look[0] - began <= limit][-1]
        return shown, last - began

    def _others(self, client: Client) -> list[Check]:
        """What was not changed is in the new folder too, under the same names."""
        kept = [key for key in BYTES if key != "data-1"]
        asks = [Ask(f"{name}.{key}", f"sha256sum {_file(name, key)}") for name in VOLUMES for key in kept]
        answers = self.mounting.asker.ask(client, asks)
        digests = {key: hashlib.sha256(BYTES[key]).hexdigest() for key in kept}
        return [
            Check(f"{name} after the update", client.place, PATHS[key], f"SHA-256 {digests[key][:12]}",
                  answers[f"{name}.{key}"][0].text, digests[key] in answers[f"{name}.{key}"][0].text)
            for name in VOLUMES for key in kept
        ]  # fmt: skip

    def _ttl(self, client: Client) -> int:
        node = self.mounting.workshop.cluster.get("Node", client.place.node)
        told = (node["metadata"].get("annotations") or {}).get(TTL, "0")
        return int(told) if told.isdigit() else 0

    def _pod(self, number: int, node: NodeFact) -> Manifest:
        spec: Object = {"volumes": [volume(name, **source) for name, source in VOLUMES.items()]}
        container = {"volumeMounts": [mount(name, f"/etc/{name}", readOnly=True) for name in VOLUMES]}
        return self.mounting.workshop.pod(
            f"config-{number}", "windows", node, ["pause"], spec=spec, container=container
        )


def _file(name: str, key: str) -> str:
    return f"/etc/{name}/{PATHS[key]}"


def _look(text: str) -> tuple[int, dict[str, str]]:
    """The second of a round, and what each volume showed in it."""
    shown = {name: seen.strip() for name, seen in re.findall(r"^([a-z-]+): (.*)$", text, flags=re.MULTILINE)}
    return int(shown.pop("second", "0") or 0), shown


_ROUND = "; ".join([
    'echo "second: $(date +%s)"; bad=0',
    *(f'o=$(cat {_file(name, "data-1")} 2>&1); c=$?; echo "{name}: $o"; [ $c -lt {min(TOOL_MISSING)} ] || exit $c; '
      f'[ "$o" = {UPDATED} ] || bad=1' for name in VOLUMES),
    "[ $bad = 0 ]",
])  # fmt: skip
"""A look at all volumes, good when all of them show the new value."""
