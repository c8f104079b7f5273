"""One Pod on its Node, from admission to its last delete: the rows of its life, in order, on the clock.

volumes -> sandbox -> init containers -> containers -> (ended | asked to go) -> stopped -> gone. Everything that
changes what the API should show calls `changed`; one status is sent for all changes of a moment.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from op_readiness.simulator.api import ApiError, Object
from op_readiness.simulator.network.namespace import Namespace
from op_readiness.simulator.network.network import AttachFailed, DetachFailed
from op_readiness.simulator.nodes.channels import ChannelError, ChannelKey, passed
from op_readiness.simulator.nodes.containers import Container, start_error
from op_readiness.simulator.nodes.dns import hostname_of
from op_readiness.simulator.nodes.failures import UNREACHABLE
from op_readiness.simulator.nodes.hooks import after_start, before_stop
from op_readiness.simulator.nodes.images import Image
from op_readiness.simulator.nodes.making import Maker
from op_readiness.simulator.nodes.probing import run_probes
from op_readiness.simulator.nodes.puller import Puller
from op_readiness.simulator.nodes.runtimes import as_run
from op_readiness.simulator.nodes.stamps import now
from op_readiness.simulator.nodes.status import Shown, rejected_status, status_of
from op_readiness.simulator.nodes.statuswriter import StatusWriter
from op_readiness.simulator.nodes.upkeep import Upkeep
from op_readiness.simulator.nodes.users import host_process, identity_met, windows_option
from op_readiness.simulator.nodes.volumes import VolumeFailed, Volumes
from op_readiness.simulator.programs.process import Process
from op_readiness.simulator.programs.windowsusers import LOGON_FAILED, known_container_user

if TYPE_CHECKING:
    from op_readiness.simulator.nodes.kubelet import Kubelet

FIRST_RETRY, LONGEST_RETRY = 2.0, 60.0


class SandboxFailed(Exception):
    """The runtime could not make the Pod's sandbox; the text is its own."""


class PodWorker:
    """One Pod. `ips` are its addresses, `network` is where its processes' packets start."""

    def __init__(self, kubelet: Kubelet, pod: Object) -> None:
        self.kubelet, self.pod = kubelet, pod
        self.world, self.clock, self.node = kubelet.world, kubelet.world.clock, kubelet.node
        self.os, self.run_program = self.node.os, kubelet.run_program
        self.network: Namespace | None = None
        self.ips: list[str] = []
        self.volumes = Volumes(self.world, self.node, pod)
        spec = pod["spec"]
        self.containers = [Container(one, "init", self) for one in spec.get("initContainers") or []]
        self.containers += [Container(one, "main", self) for one in spec["containers"]]
        self.shown = Shown(pod, self.node.reported_ips, self.containers, started=now())
        self.ended = False
        self.rejected: tuple[str, str] | None = None
        self._writer = StatusWriter(self.world, self._status)
        self._going, self._off, self._powered = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._vanished = self._remade = False
        self.upkeep = Upkeep(self)
        self._keeping: asyncio.Task[None] | None = None
        self.task: asyncio.Task[None] | None = None
        self._maker = Maker(self)
        self._puller = Puller(self)

    # What a kubelet tells it

    def update(self, pod: Object) -> None:
        """The Pod's newest version."""
        before, self.pod = self.pod, pod
        self.shown.pod = pod
        if any(before["metadata"].get(key) != pod["metadata"].get(key) for key in ("labels", "annotations")):
            self.upkeep.due()
        if pod["spec"].get("ephemeralContainers") and not before["spec"].get("ephemeralContainers"):
            self.kubelet.events.pod(pod, "Warning", "Failed", "Error: ephemeral containers are not simulated")
        if pod["spec"].get("readinessGates") and _conditions(before) != _conditions(pod):
            self.changed()
        if pod["metadata"].get("deletionTimestamp"):
            self._going.set()

    def vanish(self) -> None:
        """The Pod is gone from the API before its containers are."""
        self._vanished = True
        self._going.set()

    async def run(self) -> None:
        """Live until the Pod is gone from the API, or was told to end."""
        self._show_waiting()
        going = asyncio.ensure_future(self._going.wait())
        try:
            while await self._lived_until_reboot(going):
                await self._powered.wait()
        finally:
            going.cancel()

    async def _lived_until_reboot(self, going: asyncio.Future[Any]) -> bool:
        """Live from one boot of the Node to the next; gives whether it went down meanwhile."""
        living = asyncio.ensure_future(self._live())
        off = asyncio.ensure_future(self._off.wait())
        try:
            await asyncio.wait({living, going, off}, return_when=asyncio.FIRST_COMPLETED)
            if living.done() and not off.done():
                living.result()
                await asyncio.wait({going, off}, return_when=asyncio.FIRST_COMPLETED)
            if off.done():
                return True
            await self._leave(living)
            return False
        finally:
            living.cancel()
            off.cancel()

    def power_off(self) -> None:
        """The Node goes down: everything stops at once, and nobody can say so."""
        self._powered.clear()
        self._off.set()
        self._writer.silent = True
        if self.network is not None:
            with contextlib.suppress(DetachFailed):
                self.world.network.detach(self.pod, self.node.name)
        self.network = None

    def power_on(self) -> None:
        """The Node is up again: what is to run begins anew in a new sandbox."""
        for one in self.containers:
            one.rebooted()
        self._remade = self._remade or self.shown.sandbox
        self.shown.sandbox, self.shown.ips = False, []
        self._writer.silent = False
        self._off.clear()
        self._powered.set()

    async def reject(self, reason: str, message: str) -> None:
        """Not admitted: say so, and wait for the delete."""
        self.ended, self.rejected = True, (reason, message)
        self.kubelet.events.pod(self.pod, "Warning", reason, message)
        self.changed()
        await self._going.wait()
        await self._deleted()

    # The rows of its life

    async def _live(self) -> None:
        if self.ended:
            return
        self._writer.changed()
        await self._tried("FailedMount", self.volumes.prepare, VolumeFailed)
        await self._tried("FailedCreatePodSandBox", self._sandbox, SandboxFailed)
        if await self._initialized():
            await self._mains()
        await self._over()

    async def _tried(self, reason: str, step: Callable[[], Awaitable[None]], failure: type[Exception]) -> None:
        pause = FIRST_RETRY
        while True:
            try:
                return await step()
            except failure as error:
                if reason:
                    self.kubelet.events.pod(self.pod, "Warning", reason, str(error))
                await self.kubelet.nudged_within(pause)
                pause = min(pause * 2, LONGEST_RETRY)

    async def _sandbox(self) -> None:
        """A kubelet that has a sandbox on record which is gone says so each time that it makes another."""
        if self._remade:
            words = "Pod sandbox changed, it will be killed and re-created."
            self.kubelet.events.pod(self.pod, "Normal", "SandboxChanged", words)
        await self.clock.sleep(self.pause_of("sandbox"))
        await self._runtime()
        self._log_on()
        try:
            attached = self.world.network.attach(self.as_run, self.node.name)
        except AttachFailed as error:
            raise _sandbox_failed(str(error)) from error
        self.node.host.shim_begins(self.pod["metadata"]["uid"])
        self.network, self.ips = attached.namespace, list(attached.ips)
        self.shown.ips, self.shown.sandbox = self.ips, True
        self.world.emit("pod started", node=self.node.name, **self._names())
        self.changed()
        self._keeping = self.kubelet.spawn(self.upkeep.run(), "volumes")

    async def _runtime(self) -> None:
        """The call to the runtime, which may be slow, hang or be refused.

        What is wrong with the sandbox's image does not stop a HostProcess Pod, whose image need not fit the host.
        """
        meta, sandbox = self.pod["metadata"], "remade" if self._remade else "new"
        key = ChannelKey("runtime", meta["namespace"], meta["name"], sandbox=sandbox)
        try:
            await passed(self.node.channels, key, self.clock)
        except ChannelError as error:
            if not windows_option(self.pod, {}, "hostProcess"):
                raise _sandbox_failed(str(error)) from error

    def _log_on(self) -> None:
        """The sandbox's own process runs as the Pod's user (containerd 1.6 and later); HostProcess Pods have none."""
        user = windows_option(self.pod, {}, "runAsUserName") if self.os == "windows" else None
        user = user and (identity_met(self.node.identities, self.pod, {}, "user", user).account or user)
        if user and not windows_option(self.pod, {}, "hostProcess") and not known_container_user(user):
            raise _sandbox_failed(
                f'failed to start sandbox "{self.pod["metadata"]["uid"]}": '
                + start_error(self.pod["metadata"]["name"], self.os, LOGON_FAILED)
            )

    async def _initialized(self) -> bool:
        """Run init containers one after the other; gives whether the Pod goes on."""
        for one in self.containers:
            if one.kind != "init":
                continue
            running = self.kubelet.spawn(one.run(), f"container {one.name}")
            if one.sidecar:
                await one.up()
                continue
            await running
            if one.state["terminated"]["exitCode"] != 0:
                return False
        return True

    async def _mains(self) -> None:
        mains = [one for one in self.containers if one.kind == "main"]
        self.changed()
        await asyncio.gather(*(self.kubelet.spawn(one.run(), f"container {one.name}") for one in mains))

    async def _over(self) -> None:
        """All containers have ended for good: sidecars stop, the sandbox goes, the status stays."""
        await self._stop_all([one for one in self.containers if one.sidecar], self.grace)
        self.ended = True
        await self._detach()
        self.changed()

    async def end(self, reason: str, message: str, grace: float) -> None:
        """The kubelet itself ends the Pod (eviction, shutdown of the Node): it has failed, and stays in the API."""
        if self.ended or self.shown.failure is not None:
            return
        self.shown.failure = (reason, message)
        await self._stop_all(self.containers, min(grace, self.grace))
        while not self.ended and not self._going.is_set() and not self._off.is_set():
            await self.clock.sleep(0.1)

    async def _leave(self, living: asyncio.Future[None]) -> None:
        """The Pod was asked to go: stop what runs, show it, delete it."""
        asked = self.pod["metadata"].get("deletionGracePeriodSeconds")
        grace = float(self.grace if asked is None else asked)
        mains = [one for one in self.containers if not one.sidecar]
        await self._stop_all(mains, grace)
        await self._stop_all([one for one in self.containers if one.sidecar], grace)
        living.cancel()
        if not self.ended:
            await self.clock.sleep(self.pause_of("stop"))
        self.ended = True
        await self._detach()
        await self._tried("", self._unmounted, VolumeFailed)
        await self._deleted()

    async def _stop_all(self, containers: list[Container], grace: float) -> None:
        await asyncio.gather(*(self._stop(one, grace) for one in containers))

    async def _stop(self, one: Container, grace: float) -> None:
        left = await before_stop(self, one, grace) if one.running else grace
        await one.stop(left)

    async def _deleted(self) -> None:
        if self._vanished:
            return
        await self._writer.settled()
        meta = self.pod["metadata"]
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": meta["uid"]}}
        while True:
            try:
                await self.world.api.delete(self.path, options)
            except ApiError as error:
                if error.code not in (404, 409):
                    await asyncio.sleep(1)
                    continue
            except UNREACHABLE:
                await asyncio.sleep(1)
                continue
            return

    async def _detach(self) -> None:
        """Take the sandbox away; what cannot be torn down is tried again, and holds up the Pod's end."""
        if self._keeping is not None:
            self._keeping.cancel()
        await self._tried("FailedKillPod", self._torn_down, DetachFailed)
        self.network = None
        self.shown.sandbox = False

    async def _unmounted(self) -> None:
        """What cannot be taken down keeps the Pod in the API, its containers gone; a kubelet writes no Event of it."""
        if not self._vanished:
            self.volumes.taken_down()

    async def _torn_down(self) -> None:
        if self.network is not None:
            self.world.network.detach(self.pod, self.node.name)
        self.node.limits.forget(self.pod["metadata"]["uid"])
        self.node.host.shim_ends(self.pod["metadata"]["uid"])

    def _names(self) -> dict[str, str]:
        meta = self.pod["metadata"]
        return {"namespace": meta["namespace"], "pod": meta["name"], "uid": meta["uid"]}

    def _show_waiting(self) -> None:
        reason = "PodInitializing" if any(one.kind == "init" for one in self.containers) else "ContainerCreating"
        for one in self.containers:
            one.state = {"waiting": {"reason": reason}}

    @property
    def settled(self) -> bool:
        """Whether it waits neither for a sandbox that it had before the Node restarted, nor to be ready again."""
        if self.ended or self._going.is_set():
            return True
        has_sandbox = not self._remade or self.network is not None
        return has_sandbox and not any(one.wavering for one in self.containers)

    async def told(self) -> None:
        """Wait until the API server has its newest status."""
        await self._writer.settled()

    # What its containers ask of it

    @property
    def path(self) -> str:
        """Its path in the API."""
        meta = self.pod["metadata"]
        return f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}"

    @property
    def grace(self) -> float:
        """Cluster seconds between the stop signal and the kill."""
        return float(self.pod["spec"].get("terminationGracePeriodSeconds") or 0)

    @property
    def hostname(self) -> str:
        """What `hostname` says."""
        return hostname_of(self.as_run, self.node)

    async def image_of(self, container: Container) -> Image:
        """Gives the image when it is on the Node."""
        return await self._puller.image_of(container)

    async def process_of(self, container: Container, image: Image) -> Process:
        """The container's first process."""
        return await self._maker.process_of(container, image)

    def exec_process(self, container: Container, argv: list[str], stdin: bytes = b"") -> Process:
        """Another process of a running container."""
        return self._maker.exec_process(container, argv, stdin)

    async def probe(self, container: Container) -> None:
        """Run the container's probes until cancelled."""
        await after_start(self, container)
        await run_probes(self, container)

    @property
    def as_run(self) -> Object:
        """The Pod as the Node's runtime takes it."""
        return as_run(self.node.host, self.pod) if self.os == "windows" else self.pod

    def starts(self, container: Container, failure: str = "") -> None:
        """Count a start of a container, or (`failure`: the kubelet's word for it) one that failed."""
        if self.os == "windows" and host_process(self.pod, container.spec):
            kind = "init_container" if container.kind == "init" else "container"
            self.kubelet.host_process_starts[kind, failure] += 1

    def pause_of(self, step: str) -> float:
        """How long a step takes."""
        return self.node.latency.of(step, self.world.random)

    def event(self, container: Container, kind: str, reason: str, message: str) -> None:
        """Note an Event about the container."""
        field = "initContainers" if container.kind == "init" else "containers"
        self.kubelet.events.pod(self.pod, kind, reason, message, f"spec.{field}{{{container.name}}}")

    def changed(self) -> None:
        """The status is another one now."""
        self._writer.changed()

    def _status(self) -> tuple[str, str, Object]:
        """Path, UID and the status to show."""
        status = rejected_status(self.pod, *self.rejected) if self.rejected else status_of(self.shown)
        return self.path, str(self.pod["metadata"]["uid"]), status


def _conditions(pod: Object) -> dict[str, str]:
    """Conditions as the API has them, those of readiness gates included: somebody else writes these."""
    return {one["type"]: one["status"] for one in (pod.get("status") or {}).get("conditions") or []}


def _sandbox_failed(words: str) -> SandboxFailed:
    return SandboxFailed(f"Failed to create pod sandbox: rpc error: code = Unknown desc = {words}")
