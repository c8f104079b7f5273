"""What a readiness test makes: in a Namespace of its own, all at once, labelled, and gone afterwards.

The cleaning is promised before anything is made. Deletion is asked for and not waited for: the Namespace goes while the
next tests run, and the runner looks at the end that nothing is left.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from op_readiness.cluster.api import Cluster
from op_readiness.cluster.errors import ApiError
from op_readiness.cluster.watching import WatchTimeout, wait_for
from op_readiness.model.errors import CouldNotTell, NotTested, SkipReason
from op_readiness.model.facts import NodeFact
from op_readiness.model.findings import Finding
from op_readiness.observe.finished import written
from op_readiness.observe.pods import pods_gone, wait_for_pods
from op_readiness.observe.reach import together
from op_readiness.observe.recorder import Recorder
from op_readiness.observe.targets import Exposed
from op_readiness.suite.context import RunContext
from op_readiness.workloads import pull_secret, scripts
from op_readiness.workloads.labels import own_namespace, run_labels
from op_readiness.workloads.pods import (
    HOSTNAME_LABEL,
    HTTP_PORT,
    Manifest,
    echo_args,
    echo_container,
    hostname_container,
    pod,
    sent_to,
)
from op_readiness.workloads.services import echo_ports, namespace, service
from op_readiness.workloads.undo import journal

Object = dict[str, Any]


@dataclass
class Workshop:
    """Makes objects for one readiness test. `owned` undoes in reverse order when the test is over."""

    cluster: Cluster
    context: RunContext
    ability: str
    recorder: Recorder
    threads: Executor
    owned: ExitStack
    namespaces: list[str] = field(default_factory=list)
    level: str = "baseline"
    """The Pod Security level of the test's own Namespace."""
    _namespace: str = ""
    _sent: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    """Namespace and name of a Pod -> host names of the Nodes that it was sent to."""

    @property
    def namespace(self) -> str:
        """The test's own Namespace, made when it is first asked for."""
        if not self._namespace:
            self._namespace = self.new_namespace(self.level)
        return self._namespace

    def own_namespace(self, level: str, more: Mapping[str, str] | None = None) -> str:
        """The test's own Namespace, made with that Pod Security level (and `more` labels) if it is not there yet."""
        if not self._namespace:
            self._namespace = self.new_namespace(level, more)
        return self._namespace

    @property
    def labels(self) -> dict[str, str]:
        """The labels of everything made here."""
        return run_labels(self.context.run_id, self.ability)

    def new_namespace(self, level: str = "baseline", more: Mapping[str, str] | None = None) -> str:
        """A fresh Namespace in which Pods can be made; raises CouldNotTell when its ServiceAccount never comes."""
        name = f"opr-{self.context.run_id}-{secrets.token_hex(3)}"
        self.owned.callback(self._delete, "Namespace", name, None)
        self.namespaces.append(name)
        self.create(namespace(name, {**self.labels, **(more or {})}, level))
        try:
            wait_for(
                self.cluster, "ServiceAccount", name, lambda found: found or None,
                within=self.context.timeouts.real("object_seen"),
            )  # fmt: skip
        except WatchTimeout as error:
            finding = Finding(
                "No default ServiceAccount",
                f"Namespace {name}",
                "one within 60 s",
                "none",
                "look at kube-controller-manager",
            )
            raise CouldNotTell(finding) from error
        if self.context.pull_secret:
            pull_secret.copy_to(self.cluster, name, self.context.run_id)
        return name

    def promise(self, kind: str, data: Mapping[str, Any], undo: Callable[[], object] | None = None) -> None:
        """Write down how a change outside our Namespaces is undone, before it is made; undone when the test is over.

        `kind` and `data` are those of `workloads.undo`. `undo` is a quicker way than the journal's own; where it fails,
        the journal keeps the entry for the clean-up. Raises CouldNotTell where nothing can be written down.
        """
        run, key, whole = self.context.run_id, journal.new_key(), {"image": self.context.images.agnhost, **data}
        try:
            journal.write_down(self.cluster, run, key, kind, whole)
        except ApiError as error:
            where = f"ConfigMap {own_namespace(run)}/{journal.NAME}"
            finding = Finding("How to undo a change cannot be written down", where, "200 OK", str(error), code="api")
            raise CouldNotTell(finding) from error
        self.owned.callback(self._undo, key, undo or (lambda: journal.undo_now(self.cluster, run, kind, whole)))

    def _undo(self, key: str, undo: Callable[[], object]) -> None:
        undo()
        journal.strike_out(self.cluster, self.context.run_id, key)

    def create(self, manifest: Manifest) -> Object:
        """The object as the API server gave it back; a refusal is CouldNotTell, naming the object and the words."""
        try:
            made = self.cluster.create(manifest)
        except ApiError as error:
            meta = manifest["metadata"]
            where = f"{manifest['kind']} {meta.get('namespace', '')}/{meta['name']}"
            finding = Finding(
                "The API server did not take an object of ours", where, "201 Created", str(error), code="api"
            )
            raise CouldNotTell(finding) from error
        if manifest["kind"] == "Pod" and (hosts := sent_to(manifest)):
            self._sent[manifest["metadata"]["namespace"], manifest["metadata"]["name"]] = hosts
        return made

    def create_all(self, manifests: Sequence[Manifest]) -> list[Object]:
        """Every object, created side by side."""
        return together(self.threads, self.create, manifests)

    def delete(self, kind: str, name: str, *, grace: int | None = None) -> None:
        """Ask for the deletion of an object in the test's Namespace; one that is gone already is fine."""
        self._delete(kind, name, self.namespace, grace)

    def _delete(self, kind: str, name: str, namespace: str | None, grace: int | None = None) -> None:
        self.cluster.delete(kind, name, namespace or "", grace=grace)

    def pods(
        self, manifests: Sequence[Manifest], *, until_ready: bool = True, deadline: str = "pods_ready"
    ) -> list[Object]:
        """The Pods of `manifests`, made at once and up, in their order."""
        self.create_all(manifests)
        names = [m["metadata"]["name"] for m in manifests]
        return self.pods_up(names, until_ready=until_ready, deadline=deadline)

    def pods_up(self, names: Sequence[str], *, until_ready: bool = True, deadline: str = "pods_ready") -> list[Object]:
        """Pods of the test's Namespace by name, once they are up; `image_pulled` is the deadline for a new image."""
        found = wait_for_pods(
            self.cluster, self.namespace, names, until_ready=until_ready, timeouts=self.context.timeouts,
            recorder=self.recorder, deadline=deadline,
        )  # fmt: skip
        self.must_be_where_sent(found.values())
        return [found[name] for name in names]

    def must_be_where_sent(self, pods: Iterable[Object]) -> None:
        """A Pod on a Node that it was not sent to shows nothing of the one that it was; raises CouldNotTell."""
        hosts = {node.name: node.labels.get(HOSTNAME_LABEL, node.name) for node in self.context.facts.nodes}
        for one in pods:
            meta, node = one["metadata"], one["spec"]["nodeName"]
            sent = self._sent.get((meta["namespace"], meta["name"]), frozenset())
            if sent and hosts.get(node, node) not in sent:
                where = f"Pod {meta['namespace']}/{meta['name']} (Node {node})"
                finding = Finding(
                    "A Pod of ours runs on a Node that it was not sent to", where, f"on {', '.join(sorted(sent))}",
                    f"on {node}", "look for webhooks that change Pods", code="misplaced",
                )  # fmt: skip
                raise CouldNotTell(finding)

    def pods_away(self, pods: Sequence[Object]) -> None:
        """Delete Pods and wait until they are gone."""
        for one in pods:
            self.delete("Pod", one["metadata"]["name"], grace=0)
        pods_gone(
            self.cluster, self.namespace, [one["metadata"]["uid"] for one in pods], timeouts=self.context.timeouts
        )

    def pod(self, name: str, os: str, node: NodeFact | None, args: list[str], **more: Any) -> Manifest:
        """A Pod manifest of this test, with agnhost."""
        labels = {**self.labels, **more.pop("labels", {})}
        facts, selected = self.context.facts, self.context.windows_nodes
        nodes = [facts.node(name) for name in selected] if os == "windows" else facts.usable_nodes(os)
        return pod(
            name, self.namespace, os=os, image=self.context.images.agnhost, labels=labels, args=args, node=node,
            nodes=nodes, pull_secret=self.context.pull_secret, **more,
        )  # fmt: skip

    def script_pod(
        self, name: str, node: NodeFact, script: str, given: Mapping[str, object], resources: Manifest | None = None
    ) -> Manifest:
        """A Windows Pod on `node` that runs one of our PowerShell scripts, once."""
        container = {"command": scripts.command(script), "env": scripts.environment(given)}
        if resources:
            container["resources"] = resources
        made = self.pod(name, "windows", node, [], container=container, spec={"restartPolicy": "Never"})
        del made["spec"]["containers"][0]["args"]
        self.note_script(script)
        return made

    def log_of(self, pod: Object) -> str:
        """What a Pod has written so far; raises CouldNotTell."""
        return written(self.cluster, self.recorder, pod, self.context.timeouts)

    def note_script(self, script: str) -> None:
        """On a simulated cluster say that the script itself did not run."""
        if self.context.facts.simulated:
            self.recorder.note(f"stand-in script: the simulated cluster knows {script}.ps1 and does not run PowerShell")

    def echo_pod(
        self, name: str, os: str, node: NodeFact | None = None, *, app: str = "echo", probed: bool = True
    ) -> Manifest:
        """An echo Pod (SRV-W, SRV-L): netexec on 8080/TCP and 8081/UDP."""
        container = echo_container(ready_when_answering=probed)
        return self.pod(name, os, node, echo_args(), labels={"app": app}, container=container)

    def hostname_pod(self, name: str, os: str, node: NodeFact | None = None, *, app: str) -> Manifest:
        """A serve-hostname Pod (HN-W) on 9376."""
        return self.pod(name, os, node, ["serve-hostname"], labels={"app": app}, container=hostname_container())

    def spread(self, os: str, nodes: Sequence[NodeFact], count: int, *, app: str = "echo") -> list[Manifest]:
        """`count` echo Pods, one Node after the other."""
        return [self.echo_pod(f"{app}-{n}", os, nodes[n % len(nodes)], app=app) for n in range(count)]

    def echo(
        self, os: str, nodes: Sequence[NodeFact], *, count: int, app: str = "echo", kind: str = "ClusterIP", **spec: Any
    ) -> Exposed:
        """`count` echo Pods over `nodes` behind a Service of type `kind`, Ready."""
        made = self.create(self.service(app, app=app, kind=kind, **spec))
        pods = self.pods(self.spread(os, nodes, count, app=app))
        return self.exposed(made, pods)

    def service(
        self, name: str, *, app: str, ports: Sequence[Manifest] | None = None, kind: str = "ClusterIP", **spec: Any
    ) -> Manifest:
        """A Service manifest of this test in front of the Pods labelled `app`."""
        return service(
            name,
            self.namespace,
            labels=self.labels,
            selector={"app": app},
            ports=ports or echo_ports(),
            kind=kind,
            **spec,
        )

    def exposed(self, made: Object, pods: Sequence[Object], **how: Any) -> Exposed:
        """A Service as the API gave it back, and the Pods behind it."""
        return Exposed(made, tuple(pods), domain=self.context.facts.dns_domain, **how)

    def with_equal_ports(self, exposed: Exposed) -> Exposed:
        """The same Service with one more port, `equal`, whose number is that of its own NodePort.

        A NodePort equal to the Service's port has its own way of being lost (kubernetes/kubernetes#78574). The number
        is one that the API server has just given out, so it is taken from the first port and put to the new one.
        """
        meta, ports = exposed.service["metadata"], exposed.service["spec"]["ports"]
        extra = {"name": "equal", "port": HTTP_PORT, "targetPort": HTTP_PORT, "protocol": "TCP"}
        made = self.cluster.patch("Service", meta["name"], meta["namespace"], {"spec": {"ports": [*ports, extra]}})
        ports = made["spec"]["ports"]
        equal = [{**port, "port": port["nodePort"]} if port["name"] == "equal" else port for port in ports]
        made = self.cluster.patch("Service", meta["name"], meta["namespace"], {"spec": {"ports": equal}})
        return self.exposed(made, exposed.pods)

    def crowds(self, nodes: Sequence[NodeFact], *, size: int, least: int) -> dict[str, list[Object]]:
        """`size` echo Pods on each Node (fewer where fewer fit), Running; NotTested where not even `least` do."""
        sizes = {node.name: min(size, node.pods_allocatable - node.pods_running) for node in nodes}
        if small := [name for name, count in sizes.items() if count < least]:
            why = f"Node {', '.join(small)} has room for fewer than {least} more Pods"
            raise NotTested(why, reason=SkipReason.TOO_FEW_NODES)
        manifests = {
            node.name: [
                self.echo_pod(f"crowd-{n}-{k}", "windows", node, app="crowd", probed=False)
                for k in range(sizes[node.name])
            ]
            for n, node in enumerate(nodes)
        }
        pods = self.pods([one for crowd in manifests.values() for one in crowd], until_ready=False)
        by_node: dict[str, list[Object]] = {name: [] for name in manifests}
        for made in pods:
            by_node[made["spec"]["nodeName"]].append(made)
        return by_node
