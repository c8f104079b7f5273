r"""A Pod with many subPath mounts: every file is read, then the Pod is deleted and has to go.

Upstream: test/e2e/windows/subpath_cleanup.go. To mount a subPath safely a kubelet on Windows opens each part of the
path; a handle that it forgets to close keeps the volume from being removed, and the Pod stays Terminating for days
(kubernetes/kubernetes#112630). A Pod that does not go is removed by force once the verdict stands.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

from op_readiness.cluster.watching import WatchTimeout, wait_for
from op_readiness.model.clock import SYSTEM_CLOCK, Clock
from op_readiness.model.facts import NodeFact
from op_readiness.observe.checks import Check
from op_readiness.observe.shell import Ask, Client
from op_readiness.suite.subjects.storage.host_folders import OnHostFolders
from op_readiness.suite.subjects.storage.mounting import Object, lines_of, mount, volume
from op_readiness.workloads.pods import Manifest

NAME = "subpath"
CONFIG = {f"key{n}": f"value{n}" for n in (1, 2, 3)}
SECRET = {f"secret{n}": f"secretvalue{n}" for n in (1, 2)}
GRACE = 30
NESTED = {"outer": r"C:\data", "inner": r"C:\data\nested\deep", "middle": r"C:\data\nested"}
"""Folders of the Node, one mounted inside the other; the innermost comes before the one that it lies in."""
EMPTY = {"dir1": {}, "dir2": {}, "mem1": {"medium": "Memory"}, "mem2": {"medium": "Memory"}}
FILES = {
    "config": tuple(CONFIG), "secret": tuple(SECRET), "projected": ("key1", "secret1"), "podinfo": ("labels", "name"),
}  # fmt: skip
"""Volume -> its files, each mounted by a subPath of its own."""
MOUNTS = sum(map(len, FILES.values()))
NOT_KILLED = "FailedKillPod"
FIXED = "1.37, kubernetes/kubernetes#138367"


@dataclass
class SubPaths(OnHostFolders):
    """One such Pod on each Windows Node."""

    clock: Clock = SYSTEM_CLOCK
    clients: list[Client] = field(default_factory=list)
    pods: dict[str, Object] = field(default_factory=dict)

    def start(self) -> None:
        """The folders and objects, then the Pods, Running."""
        workshop = self.mounting.workshop
        workshop.own_namespace("privileged")
        meta = {"name": NAME, "namespace": workshop.namespace, "labels": workshop.labels}
        coded = {key: base64.b64encode(value.encode()).decode() for key, value in SECRET.items()}
        workshop.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": CONFIG})
        workshop.create({"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": coded})
        self.folders.start()
        for name in NESTED:
            self.folders.everywhere(rf"mkdir {self.folders.path}\{name}")
        manifests = [self._pod(n, node) for n, node in enumerate(self.nodes)]
        self.pods = {made["metadata"]["name"]: made for made in manifests}
        for name in self.pods:
            workshop.owned.callback(workshop.delete, "Pod", name, grace=0)
        self.clients = self.mounting.up(manifests, self.nodes)

    def must_be_read(self) -> None:
        """Each file that is mounted by a subPath has its contents."""
        self.mounting.judge(
            self._contents, self.clients, "A file that a Windows Pod mounts by a subPath is not what it should be",
            hint="events of the Pod; the volume's folder below the kubelet's pods folder on the Node", code="subpath",
        )  # fmt: skip

    def must_go(self) -> None:
        """Deleted, every Pod is gone within five minutes, killed at the first try, and the Node keeps its folders."""
        self.mounting.judge(
            self._gone, self.clients, "A Windows Pod with subPath mounts does not go away as it should",
            hint=self._hint(), code="subpath",
        )  # fmt: skip

    def _contents(self, client: Client) -> list[Check]:
        files = [(name, file) for name, names in FILES.items() for file in names]
        asks = [Ask(f"{name}.{file}", f"cat /etc/{name}/{file}") for name, file in files]
        answers = self.mounting.asker.ask(client, asks)
        checks = []
        for name, file in files:
            expected, seen = self._expected(client, file), answers[f"{name}.{file}"][0]
            good = seen.good and seen.text.splitlines() == expected.splitlines()
            checks.append(Check(f"{name} by subPath", client.place, file, expected, seen.text, good))
        return checks

    def _expected(self, client: Client, file: str) -> str:
        labels = self.pods[client.pod]["metadata"]["labels"]
        of_pod = {"labels": "\n".join(f'{key}="{labels[key]}"' for key in sorted(labels)), "name": client.pod}
        return str({**CONFIG, **SECRET, **of_pod}[file])

    def _gone(self, client: Client) -> list[Check]:
        timeouts, began = self.mounting.workshop.context.timeouts, self.clock.now()
        left, limit = self._left(client), timeouts.object_deleted
        took = timeouts.cluster(self.clock.now() - began)
        self.mounting.workshop.recorder.figure(f"{client.place.node}: gone after seconds", took)
        said, there = self._events(client), self._folders(client)
        place, target = client.place, f"Pod with {MOUNTS} subPath mounts"
        return [
            Check("deleted", place, target, f"gone within {limit:g} s", left or f"gone after {took:.0f} s", not left),
            Check("events", place, target, f"no {NOT_KILLED}", "; ".join(said[:2]) or "none", not said),
            Check("folders of the Node", place, "hostPath", ", ".join(sorted(NESTED)), ", ".join(there) or "none",
                  there == sorted(NESTED)),
        ]  # fmt: skip

    def _left(self, client: Client) -> str:
        """Ask for the Pod's deletion and wait: what is left of it after five minutes, empty where it is gone."""
        workshop, timeouts = self.mounting.workshop, self.mounting.workshop.context.timeouts
        workshop.delete("Pod", client.pod, grace=GRACE)
        try:
            wait_for(
                workshop.cluster, "Pod", client.namespace,
                lambda pod: pod is None or pod["metadata"]["uid"] != client.uid,
                name=client.pod, within=timeouts.real("object_deleted"),
            )  # fmt: skip
        except WatchTimeout as error:
            return _left(error.last, timeouts.object_deleted)
        return ""

    def _folders(self, client: Client) -> list[str]:
        """What the Node itself still has of the folders that were mounted, the Pod being gone."""
        host = self.folders.hosts[client.place.node]
        return sorted(lines_of(self.mounting.cmd(host, f"dir /b {self.folders.path}").text))

    def _events(self, client: Client) -> list[str]:
        """What the kubelet says of a Pod that it could not kill, or of folders that it left."""
        events: list[Any] = self.mounting.workshop.cluster.list("Event", client.namespace)
        return [
            f"{event.get('reason')}: {event.get('message')}"
            for event in events
            if (event.get("involvedObject") or {}).get("name") == client.pod
            and (event.get("reason") == NOT_KILLED or "orphaned" in str(event.get("message")))
        ]

    def _hint(self) -> str:
        versions = ", ".join(sorted({node.kubelet for node in self.nodes}))
        return (
            f"the kubelet's log on the Node ('being used by another process'); kubelets before the fix ({FIXED}) leak "
            f"handles of subPath mounts, here {versions}; restarting the kubelet frees them"
        )

    def _pod(self, number: int, node: NodeFact) -> Manifest:
        fields = [("labels", "metadata.labels"), ("name", "metadata.name")]
        items = [{"path": path, "fieldRef": {"fieldPath": field_path}} for path, field_path in fields]
        spec: Object = {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": GRACE,
            "volumes": [
                volume("config", configMap={"name": NAME}),
                volume("secret", secret={"secretName": NAME}),
                volume("projected", projected={"sources": [{"configMap": {"name": NAME}}, {"secret": {"name": NAME}}]}),
                volume("podinfo", downwardAPI={"items": items}),
                *(self.folders.volume(name, below=name) for name in NESTED),
                *(volume(name, emptyDir=source) for name, source in EMPTY.items()),
            ],
        }
        mounts = [
            mount(name, rf"C:\etc\{name}\{file}", subPath=file) for name, files in FILES.items() for file in files
        ]
        mounts += [mount(name, path) for name, path in NESTED.items()]
        mounts += [mount(name, rf"C:\scratch\{name}") for name in EMPTY]
        return self.mounting.workshop.pod(
            f"subpath-{number}", "windows", node, ["pause"], spec=spec, container={"volumeMounts": mounts}
        )


def _left(pod: Object | None, limit: float) -> str:
    """What is left of a Pod that does not go: whether its containers have ended, which is what tells it apart."""
    statuses = ((pod or {}).get("status") or {}).get("containerStatuses") or []
    states = ", ".join(f"container {one['name']} {next(iter(one.get('state') or {}), '')}" for one in statuses)
    return f"Terminating after {limit:g} s; {states or 'no container is told'}"
