"""One container of a Pod through all its lives: pull, start, run, end, back-off, next life.

What it shows (`state`, `last_state`, `ready`, ...) are the words of a containerStatus; whoever changes it says so with
`changed`, and the Pod sends one status for all changes of a moment.
"""

from __future__ import annotations

import asyncio
import traceback
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from op_readiness.simulator.api import Object
from op_readiness.simulator.clock import Clock
from op_readiness.simulator.nodes.images import Image
from op_readiness.simulator.nodes.logs import Log
from op_readiness.simulator.nodes.stamps import now
from op_readiness.simulator.nodes.waiting import ended_within
from op_readiness.simulator.programs.process import Process, Terminated, UnknownProgram

FIRST_BACK_OFF, LONGEST_BACK_OFF, BACK_OFF_FORGOTTEN = 10.0, 300.0, 600.0
CONFIG_RETRY = 10.0
BROKEN = 70
"""Exit code of a simulated program that has a fault of its own: said loudly, never taken for an answer."""
LONGEST_MESSAGE, FALLBACK_BYTES = 4096, 2048
KILLED = {"linux": 137, "windows": 1067}
"""Exit codes of what had to be killed (Windows: ERROR_PROCESS_ABORTED)."""
UNHANDLED_STOP = {"linux": 143, "windows": 3221225786}
"""Exit codes of what a stop signal ended (Windows: STATUS_CONTROL_C_EXIT)."""
RunProgram = Callable[[Process], Awaitable[int]]


class ConfigError(Exception):
    """The container cannot be made as its spec says (a missing key, an unsupported field)."""


class CreateFailed(ConfigError):
    """The runtime could not create the container; the text is its own. Tried again, as a kubelet does."""


class Surroundings(Protocol):
    """What a container needs of its Pod."""

    pod: Object
    clock: Clock
    os: str
    run_program: RunProgram

    async def image_of(self, container: Container) -> Image:
        """Gives the image when it is on the Node; waits, and says so in the state, as long as it is not."""

    async def process_of(self, container: Container, image: Image) -> Process:
        """The container's first process; raises ConfigError."""

    async def probe(self, container: Container) -> None:
        """Run the container's probes until cancelled."""

    def starts(self, container: Container, failure: str = "") -> None:
        """Count a start, or a start that failed."""

    def pause_of(self, step: str) -> float:
        """How long a step takes, in cluster seconds."""

    def event(self, container: Container, kind: str, reason: str, message: str) -> None:
        """Note an Event about the container."""

    def changed(self) -> None:
        """The status is another one now."""


@dataclass
class Exit:
    """How a life ended."""

    code: int
    reason: str = ""
    message: str = ""


@dataclass
class Container:
    """One container. `kind` is init or main; a restartable init container is a sidecar."""

    spec: Object
    kind: str
    around: Surroundings
    state: Object = field(default_factory=dict)
    last_state: Object = field(default_factory=dict)
    restarts: int = 0
    ready: bool = False
    started: bool = False
    ended: bool = False
    image: Image | None = None
    container_id: str = ""
    log: Log | None = None
    previous_log: Log | None = None
    process: Process | None = None
    began: float = 0.0
    was_ready: bool = False

    def __post_init__(self) -> None:
        self._task: asyncio.Task[int] | None = None
        self._stopping = asyncio.Event()
        self._execs: set[asyncio.Task[int]] = set()
        self._up = asyncio.Event()
        self._back_off = 0.0

    @property
    def wavering(self) -> bool:
        """Whether it was ready since it started and no longer is: its readiness probe fails."""
        return self.running and self.was_ready and not self.ready

    @property
    def name(self) -> str:
        """The container's name."""
        return str(self.spec["name"])

    @property
    def sidecar(self) -> bool:
        """Whether it is an init container that keeps running."""
        return self.kind == "init" and self.spec.get("restartPolicy") == "Always"

    @property
    def policy(self) -> str:
        """Its restart policy: its own, else the Pod's (an init container of an Always Pod restarts on failure)."""
        own = self.spec.get("restartPolicy")
        if own:
            return str(own)
        policy = str(self.around.pod["spec"].get("restartPolicy", "Always"))
        return "OnFailure" if self.kind == "init" and policy == "Always" else policy

    @property
    def execs(self) -> int:
        """How many processes run in it beside the first one."""
        return len(self._execs)

    @property
    def stopping(self) -> bool:
        """Whether it was asked to end for good."""
        return self._stopping.is_set()

    @property
    def running(self) -> bool:
        """Whether its first process runs."""
        return "running" in self.state

    def waits(self, reason: str, message: str = "") -> None:
        """Show a waiting state."""
        state = {"waiting": {"reason": reason} | ({"message": message} if message else {})}
        if state != self.state:
            self.state = state
            self.around.changed()

    async def run(self) -> None:
        """All its lives, until it ends for good or is stopped."""
        while not self._stopping.is_set() and not self.ended:
            self.around.starts(self)
            image = await self.around.image_of(self)
            process = await self._made(image)
            begun = self.around.clock.now()
            ended = await self._life(process, image)
            if self._stopping.is_set() or not self._restarts(ended.code):
                break
            await self._pause(self.around.clock.now() - begun)
        self.ended = True
        self.around.changed()

    async def up(self) -> None:
        """Wait until it has started (its startup probe, if any, has succeeded)."""
        await self._up.wait()

    def is_started(self) -> None:
        """Its startup probe has succeeded, or it has none."""
        self.started = True
        self._up.set()
        self.around.changed()

    async def stop(self, grace: float, why: str = "") -> None:
        """End it for good: SIGTERM, and after `grace` cluster seconds SIGKILL."""
        self._stopping.set()
        await self.kill(grace, why or f"Stopping container {self.name}")

    async def kill(self, grace: float, why: str) -> None:
        """End this life; its restart policy decides about the next."""
        if self._task is None or self._task.done() or self.process is None:
            return
        self.around.event(self, "Normal", "Killing", why)
        self.process.stop.set()
        if grace <= 0 or not await ended_within(self.around.clock, self._task, grace):
            self._task.cancel()
            await asyncio.wait([self._task])

    def rebooted(self) -> None:
        """Its Node went down under it: what ran is lost, and begins anew if its policy says so."""
        if self.kind == "init" and not self.sidecar:
            self.ended = False
        if self.ended:
            return
        if self.container_id:
            self.last_state = {"terminated": _lost(self.state, self.container_id)}
            if self.policy == "Never" and self.kind == "main":
                self.state, self.ended, self.ready = self.last_state, True, False
                return
            self.restarts += 1
        self.state = {"waiting": {"reason": "ContainerCreating"}}
        self.ready = self.started = False
        self._up.clear()

    async def execute(self, process: Process) -> int:
        """Run another process in it; gives its exit code, that of a killed one when the container ends meanwhile."""
        task = asyncio.ensure_future(self._guarded(process))
        self._execs.add(task)
        task.add_done_callback(self._execs.discard)
        try:
            return await task
        except asyncio.CancelledError:
            if task.cancelled() and not self.running:
                return KILLED[self.around.os]
            task.cancel()
            raise

    async def _made(self, image: Image) -> Process:
        while True:
            try:
                return await self.around.process_of(self, image)
            except ConfigError as error:
                reason = "CreateContainerError" if isinstance(error, CreateFailed) else "CreateContainerConfigError"
                self.around.starts(self, reason)
                self.waits(reason, str(error))
                self.around.event(self, "Warning", "Failed", f"Error: {error}")
                await self.around.clock.sleep(CONFIG_RETRY)

    async def _life(self, process: Process, image: Image) -> Exit:
        self.image, self.process = image, process
        self.around.event(self, "Normal", "Created", "Container created")
        await self.around.clock.sleep(self.around.pause_of("start"))
        self.previous_log, self.log = self.log, Log(self.around.clock)
        self.container_id = f"containerd://{uuid.uuid4().hex}{uuid.uuid4().hex}"
        began, self.began = now(), self.around.clock.now()
        self._task = asyncio.ensure_future(self._guarded(process))
        await asyncio.sleep(0)
        if not self._unstartable():
            self._shows_running(began)
        watching = asyncio.ensure_future(self.around.probe(self)) if self.running else None
        try:
            ended = await self._end()
        finally:
            self._cut(watching)
        self._shows_end(began, ended)
        return ended

    def _cut(self, watching: asyncio.Future[None] | None) -> None:
        """Nothing of a life outlives it: probes, exec'ed processes, and the process itself."""
        for task in [watching, self._task, *self._execs]:
            if task is not None:
                task.cancel()
        if self.log is not None:
            self.log.close()

    def _unstartable(self) -> bool:
        return (
            self._task is not None
            and self._task.done()
            and not self._task.cancelled()
            and isinstance(self._task.exception(), UnknownProgram)
        )

    def _shows_running(self, began: str) -> None:
        self.state = {"running": {"startedAt": began}}
        self.around.event(self, "Normal", "Started", "Container started")
        self.ready = self.was_ready = "readinessProbe" not in self.spec and "startupProbe" not in self.spec
        if "startupProbe" not in self.spec:
            self.is_started()
        self.around.changed()

    async def _guarded(self, process: Process) -> int:
        try:
            return await self.around.run_program(process)
        except Terminated:
            return UNHANDLED_STOP[self.around.os]
        except UnknownProgram:
            raise
        except Exception as error:
            traceback.print_exc()
            process.stderr.write(f"simulator: {process_name(process)} broke: {error!r}\n")
            return BROKEN

    async def _end(self) -> Exit:
        if self._task is None:
            raise RuntimeError("a container ends that never began")
        await asyncio.wait([self._task])
        if self._task.cancelled():
            return Exit(KILLED[self.around.os], "Error")
        error = self._task.exception()
        if isinstance(error, UnknownProgram):
            message = start_error(process_name(self.process), self.around.os, str(error))
            self.around.starts(self, "RunContainerError")
            self.around.event(self, "Warning", "Failed", f"Error: {message}")
            return Exit(128, "StartError", message)
        if error is not None:
            raise error
        code = self._task.result()
        return Exit(code, "Completed" if code == 0 else "Error", self._last_words(code))

    def _last_words(self, code: int) -> str:
        """The termination message: the file that its spec names, or the end of its log after an error."""
        path = self.spec.get("terminationMessagePath") or "/dev/termination-log"
        files = self.process.files if self.process is not None else None
        if files is not None and files.exists(path):
            words = files.read(path)[:LONGEST_MESSAGE].decode(errors="replace")
            if words:
                return words
        if code == 0 or self.spec.get("terminationMessagePolicy") != "FallbackToLogsOnError" or self.log is None:
            return ""
        self.log.flushed()
        return b"".join(line.data for line in self.log.lines[-80:])[-FALLBACK_BYTES:].decode(errors="replace")

    def _shows_end(self, began: str, ended: Exit) -> None:
        terminated: dict[str, Any] = {
            "exitCode": signed(ended.code), "reason": ended.reason, "startedAt": began, "finishedAt": now(),
            "containerID": self.container_id,
        }  # fmt: skip
        if ended.message:
            terminated["message"] = ended.message
        if ended.reason == "StartError":
            terminated["startedAt"] = "1970-01-01T00:00:00Z"
        self.state = {"terminated": terminated}
        self.ready = self.started = False
        self.around.changed()

    def _restarts(self, code: int) -> bool:
        return self.policy == "Always" or (self.policy == "OnFailure" and code != 0)

    async def _pause(self, lived: float) -> None:
        """The back-off before the next life; the first follows at once, as a kubelet does it."""
        if lived > BACK_OFF_FORGOTTEN:
            self._back_off = 0.0
        pause = self._back_off
        self._back_off = min(max(FIRST_BACK_OFF, pause * 2), LONGEST_BACK_OFF)
        self.last_state = self.state
        if pause:
            meta = self.around.pod["metadata"]
            who = f"container {self.name} in pod {meta['name']}_{meta['namespace']}({meta['uid']})"
            self.waits("CrashLoopBackOff", f"back-off {_duration(pause)} restarting failed container={self.name} pod="
                       f"{meta['name']}_{meta['namespace']}({meta['uid']})")  # fmt: skip
            self.around.event(self, "Warning", "BackOff", f"Back-off restarting failed {who}")
        stopped = asyncio.ensure_future(self._stopping.wait())
        await ended_within(self.around.clock, stopped, max(pause, 1.0))
        stopped.cancel()
        if not self._stopping.is_set():
            self.restarts += 1


def _lost(state: Object, container_id: str) -> Object:
    """The terminated state of a container that nobody saw end."""
    return {
        "exitCode": 255, "reason": "Unknown", "containerID": container_id, "finishedAt": now(),
        "startedAt": state.get("running", {}).get("startedAt") or now(),
    }  # fmt: skip


def start_error(program: str, os: str, words: str) -> str:
    """What containerd says of a first process that the runtime (runc, hcsshim) refuses with `words`."""
    if os == "windows":
        what = f"hcs::System::CreateProcess {program}: {words}"
    else:
        what = (
            "OCI runtime create failed: runc create failed: unable to start container process: error during "
            f"container init: {words}"
        )
    return f"failed to create containerd task: failed to create shim task: {what}: unknown"


def signed(code: int) -> int:
    """An exit code as the API carries it, in 32 bits with a sign: Windows' 0xC000013A is -1073741510 there."""
    return code - 2**32 if code >= 2**31 else code


def process_name(process: Process | None) -> str:
    """The program of a process as it was asked for."""
    return process.argv[0] if process is not None and process.argv else ""


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
