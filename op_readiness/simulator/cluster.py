"""A whole simulated cluster in this process: control plane, Nodes, network and faults, put together and taken apart."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from op_readiness.simulator.api import Api, Informer, Object
from op_readiness.simulator.apiproxy import ApiProxy, front
from op_readiness.simulator.bootstrap import bootstrap, restore
from op_readiness.simulator.clock import Clock
from op_readiness.simulator.controlplane.informers.pods import is_ready, is_terminating
from op_readiness.simulator.domain import installing
from op_readiness.simulator.domain.directory import Directory
from op_readiness.simulator.domain.embedded import IN_PROCESS
from op_readiness.simulator.domain.manifests import hooks
from op_readiness.simulator.domain.webhookserver import WebhookServer
from op_readiness.simulator.faults.apirules import ApiRules
from op_readiness.simulator.faults.engine import Faults
from op_readiness.simulator.following import endpoints_follow, pods_leave
from op_readiness.simulator.kubeconfig import Access, write_kubeconfig
from op_readiness.simulator.network.network import Network
from op_readiness.simulator.network.services import service_of
from op_readiness.simulator.nodes.certificate import serving_context
from op_readiness.simulator.nodes.entry import NodeFace
from op_readiness.simulator.nodes.kubelet import Kubelet
from op_readiness.simulator.nodes.registration import Registration
from op_readiness.simulator.nodes.upkeep import watch_sources
from op_readiness.simulator.processes import StartFailed
from op_readiness.simulator.programs.running import run
from op_readiness.simulator.spec import Spec
from op_readiness.simulator.tokenface import answering
from op_readiness.simulator.world import CONTROL_PLANE_IP, World

if TYPE_CHECKING:
    from op_readiness.simulator.realcontrolplane import RealControlPlane

READY_SECONDS, LOOK_SECONDS = 60.0, 0.5
DNS_PODS = 2
SERVICE_RANGE, SERVICE_RANGE6 = "10.96.0.0/16", "fd00:10:96::/112"


class ControlPlane(Protocol):
    """Either control plane, once started."""

    async def stop(self) -> None:
        """Nothing of it runs afterwards."""


class SimulatedCluster:
    """One cluster. `start` gives how to reach it once Nodes and DNS are ready; `stop` leaves nothing."""

    def __init__(self, spec: Spec) -> None:
        self.spec, self.clock = spec, Clock(spec.rate)
        self._open = contextlib.AsyncExitStack()
        self._api_rules = ApiRules(self.clock)
        self._real: RealControlPlane | None = None
        self._hooks: list[tuple[str, Object]] = []
        self.world: World
        self.faults: Faults
        self.access: Access

    async def start(self) -> Access:
        """Start everything; raises StartFailed, with nothing left running."""
        self.spec.folder.mkdir(parents=True, exist_ok=True)
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise
        return self.access

    async def stop(self) -> None:
        """Take everything down, last things first."""
        await self._open.aclose()

    async def put_in(self, faults: list[Any]) -> None:
        """Put faults in, all or none; what kubelets report of their Nodes is true when it returns."""
        self.faults.put_in(faults)
        await self._report()

    async def heal(self) -> None:
        """All faults out, and the world as if they had never been in."""
        self.faults.take_out_all()
        for node in self.world.nodes.values():
            node.heal()
        if self.world.directory is not None:
            self.world.directory.heal()
        await installing.restore(self.world.api, self._hooks)
        await restore(self.world.api)
        await asyncio.gather(*(kubelet.registration.heal() for kubelet in self.world.kubelets.values()))
        await self.world.network.heal()
        await asyncio.gather(*(kubelet.settled() for kubelet in self.world.kubelets.values()))
        await self._within(self._ready(), "Nodes and cluster DNS")
        await pods_leave(self.world)
        await endpoints_follow(self.world)
        await self.world.network.heal()

    async def _start(self) -> None:
        face = NodeFace(serving_context(self.spec.folder), CONTROL_PLANE_IP)
        self._open.push_async_callback(face.close)
        directory = Directory() if self.spec.domain else None
        direct = await self._control_plane(face, directory)
        api = await self._open.enter_async_context(Api(direct.server, direct.admin_token, direct.ca_file))
        self.world = World(api, self.clock, self.spec.nodes, seed=self.spec.seed, profile=self.spec.latency)
        self._open.push_async_callback(self.world.stop)
        await bootstrap(api)
        self.world.network = Network(self.world)
        self.world.network.api_server = answering(self.world.api)
        self._open.callback(self.world.network.close)
        if directory is not None:
            await self._join(directory)
        self._kubelets()
        face.world = self.world
        await self._running(direct)
        self.faults = Faults(self.world, self._api_rules)
        self.access = await self._front(direct) if self.spec.real else direct
        await self.put_in(self.spec.faults)

    async def _report(self) -> None:
        await asyncio.gather(*(kubelet.registration.follow() for kubelet in self.world.kubelets.values()))

    async def _join(self, directory: Directory) -> None:
        """The domain stands on the network; a real control plane is given kind and webhook through its API."""
        self.world.directory = directory
        directory.join(self.world.network)
        self._hooks = hooks(IN_PROCESS, "")
        if self.spec.real:
            webhook = WebhookServer(self.spec.folder)
            self._open.push_async_callback(webhook.stop)
            self._hooks = hooks(await webhook.start(self.world.api), webhook.ca_bundle)
            await installing.install(self.world.api, directory, self._hooks)

    async def _control_plane(self, face: NodeFace, directory: Directory | None) -> Access:
        if self.spec.real and self.spec.assets is not None:
            from op_readiness.simulator.realcontrolplane import RealControlPlane

            face.listen(self.spec.egress)
            ranges = ",".join(self._service_ranges())
            self._real = RealControlPlane(self.spec.folder, self.spec.assets, self.spec.egress, ranges)
            self._open.push_async_callback(self._real.stop)
            return await self._real.start()
        from op_readiness.simulator.controlplane.serving.server import ControlPlane as Embedded
        from op_readiness.simulator.controlplane.verbs import customkinds
        from op_readiness.simulator.domain import embedded as domain

        customkinds.serve(*([customkinds.gmsa()] if directory is not None else []))
        embedded = Embedded()
        self._open.push_async_callback(embedded.stop)
        access = await embedded.start(
            self.spec.folder, self.clock, self.spec.seed, face.open, front=front(self._api_rules),
            extend=functools.partial(domain.install, directory) if directory is not None else None,
            service_ranges=self._service_ranges(),
        )  # fmt: skip
        return Access(access.server, access.ca_file, access.admin_token, access.kubeconfig)

    def _service_ranges(self) -> tuple[str, ...]:
        return (SERVICE_RANGE, SERVICE_RANGE6) if self.spec.dual_stack else (SERVICE_RANGE,)

    async def _front(self, direct: Access) -> Access:
        """Put the proxy of API faults before a real API server, and its address into the kubeconfig."""
        certs = self.spec.folder / "certs"
        certificate, key = str(certs / "apiserver.crt"), str(certs / "apiserver.key")
        proxy = ApiProxy(self._api_rules, direct.server, direct.ca_file, certificate, key)
        self._open.push_async_callback(proxy.stop)
        server = await proxy.start()
        write_kubeconfig(Path(direct.kubeconfig), server, direct.ca_file, direct.admin_token)
        return Access(server, direct.ca_file, direct.admin_token, direct.kubeconfig)

    def _kubelets(self) -> None:
        for node in self.world.nodes.values():
            registration = Registration(self.world.api, self.clock, node, self.spec.lease_seconds)
            self.world.kubelets[node.name] = Kubelet(self.world, node, registration, run)
        self.world.pods.handlers.append(self._pod_changed)
        watch_sources(self.world)

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        """The one watch of Pods for all Nodes: hand each change to the kubelet that it concerns."""
        node = (new or old or {}).get("spec", {}).get("nodeName")
        kubelet = self.world.kubelets.get(node)
        if kubelet is not None:
            kubelet.pod_changed(old if old and old["spec"].get("nodeName") else None, new)

    async def _running(self, direct: Access) -> None:
        self.world.start()
        await self.world.synced()
        if not self.spec.real:
            from op_readiness.simulator.controlplane.controllers import run_controllers

            root_ca = await asyncio.to_thread(Path(direct.ca_file).read_text)
            self.world.spawn(run_controllers(self.world.api, self.clock, root_ca=root_ca), "controllers")
        await asyncio.gather(*(kubelet.start() for kubelet in self.world.kubelets.values()))
        await self._within(self._ready(), "Nodes and cluster DNS")

    async def _ready(self) -> None:
        """Wait until every Node is Ready, and DNS where a Linux Node can run it."""
        wanted = set(self.world.nodes)
        await until(self.world.node_objects, lambda: wanted <= _ready_names(self.world.node_objects))
        if any(node.os == "linux" for node in self.world.nodes.values()):
            await until(self.world.pods, lambda: _dns_pods_well(self.world.pods))
            await until(self.world.endpointslices, lambda: _dns_addresses(self.world.endpointslices) >= DNS_PODS)

    async def _within(self, work: Coroutine[Any, Any, None], what: str) -> None:
        """Wait for `work`; raises StartFailed when it takes too long, or when a program of the control plane ends."""
        waiting = asyncio.ensure_future(work)
        try:
            async with asyncio.timeout(READY_SECONDS):
                while not (await asyncio.wait({waiting}, timeout=LOOK_SECONDS))[0]:
                    if self._real is not None:
                        self._real.must_run()
        except TimeoutError as error:
            raise StartFailed(f"{what} are not ready after {READY_SECONDS:g} s") from error
        finally:
            waiting.cancel()
        await waiting


async def until(informer: Informer, met: Callable[[], bool]) -> None:
    """Wait, by watch, until `met`."""
    changed = asyncio.Event()

    def note(_: Object | None, __: Object | None) -> None:
        changed.set()

    informer.handlers.append(note)
    try:
        while not met():
            changed.clear()
            await changed.wait()
    finally:
        informer.handlers.remove(note)


def _labels(obj: Object) -> dict[str, str]:
    return obj["metadata"].get("labels") or {}


def _ready_names(informer: Informer) -> set[str]:
    return {
        name for (_, name), node in informer.objects.items() if is_ready(node) and not _not_ready_taint(node)
    }


def _not_ready_taint(node: Object) -> bool:
    return any(taint["key"] == "node.kubernetes.io/not-ready" for taint in node["spec"].get("taints") or [])


def _dns_pods_well(informer: Informer) -> bool:
    """Whether there are as many DNS Pods as at the start, all of them Ready, none on its way out."""
    pods = [
        pod
        for (namespace, _), pod in informer.objects.items()
        if namespace == "kube-system" and _labels(pod).get("k8s-app") == "kube-dns"
    ]
    return len(pods) == DNS_PODS and all(is_ready(pod) and not is_terminating(pod) for pod in pods)


def _dns_addresses(informer: Informer) -> int:
    """How many ready endpoints cluster DNS has."""
    return sum(
        1
        for one in informer.objects.values()
        if service_of(one) == ("kube-system", "kube-dns")
        for endpoint in one.get("endpoints") or []
        if (endpoint.get("conditions") or {}).get("ready") is not False
    )
