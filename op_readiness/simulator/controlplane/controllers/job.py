"""Jobs: Pods that run until enough of them have succeeded, or too many have failed."""

from __future__ import annotations

import asyncio
import copy
from dataclasses import dataclass, field

from op_readiness.simulator.api import ApiError, Object
from op_readiness.simulator.controlplane.controllers import jobs
from op_readiness.simulator.controlplane.controllers.claims import claimed, owner_keys
from op_readiness.simulator.controlplane.informers import pods
from op_readiness.simulator.controlplane.informers.conditions import find, with_condition
from op_readiness.simulator.controlplane.informers.kinds import JOB, POD
from op_readiness.simulator.controlplane.informers.queue import WorkQueue
from op_readiness.simulator.controlplane.informers.recorder import stamp
from op_readiness.simulator.controlplane.informers.shared import Shared
from op_readiness.simulator.controlplane.informers.stores import Key

COMPONENT = "job-controller"


@dataclass
class _Memory:
    """What is known of one Job beyond its status; a Pod is counted once, also when it is deleted later."""

    started: float
    succeeded: dict[str, int] = field(default_factory=dict)
    failed: dict[str, float] = field(default_factory=dict)
    ended: float | None = None


class Jobs:
    """The Job controller."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._memory: dict[str, _Memory] = {}
        self.queue: WorkQueue[Key] = WorkQueue(shared.clock, self._sync)
        shared.store(JOB).handlers.append(self._changed)
        shared.pods.handlers.append(self._pod_changed)

    def _changed(self, old: Object | None, new: Object | None) -> None:
        if new is not None:
            self.queue.add((new["metadata"]["namespace"], new["metadata"]["name"]))
        elif old is not None:
            self._memory.pop(old["metadata"]["uid"], None)

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        for pod in (old, new):
            for key in owner_keys(self._shared, JOB, pod) if pod else ():
                self.queue.add(key)

    async def _sync(self, key: Key) -> None:
        job = self._shared.store(JOB).get(*key)
        if job is None or "deletionTimestamp" in job["metadata"]:
            return
        if finished_at(job) is not None:
            await self._expire(job)
            return
        unknown = jobs.unsupported(job["spec"])
        if unknown is not None:
            text = f"spec.{unknown} is not supported by this Job controller"
            self._shared.recorder.event(job, "Warning", "NotSupported", text, COMPONENT)
            return
        mine = await claimed(self._shared, job, JOB, POD)
        memory = self._count(job, mine)
        active = [pod for pod in mine if pods.is_active(pod) and not self._shared.pods.going(pod)]
        tally = jobs.Tally(len(active), len(memory.succeeded), len(memory.failed), _restarts(job, active))
        seconds = self._shared.clock.now() - memory.started
        end = None if job["spec"].get("suspend") else jobs.verdict(job["spec"], tally, seconds)
        if end is None:
            await self._manage(job, active, tally, memory)
            self._watch_deadline(job, key, seconds)
        else:
            await self._delete(job, active)
        await self._write_status(key, memory, end)

    def _count(self, job: Object, mine: list[Object]) -> _Memory:
        uid = job["metadata"]["uid"]
        memory = self._memory.setdefault(uid, _Memory(self._shared.clock.now()))
        if job["spec"].get("suspend"):
            memory.started = self._shared.clock.now()
        for pod in mine:
            if pods.phase(pod) == "Succeeded":
                memory.succeeded.setdefault(pod["metadata"]["uid"], _index(pod))
            elif pods.phase(pod) == "Failed":
                memory.failed.setdefault(pod["metadata"]["uid"], self._shared.clock.now())
        return memory

    async def _manage(self, job: Object, active: list[Object], tally: jobs.Tally, memory: _Memory) -> None:
        missing = jobs.wanted_active(job["spec"], tally) - len(active)
        if missing < 0:
            await self._delete(job, sorted(active, key=pods.deletion_rank)[:-missing])
            return
        if missing == 0:
            return
        waited = self._shared.clock.now() - max(memory.failed.values(), default=0.0)
        left = jobs.backoff(tally.failed) - waited if memory.failed else 0.0
        if left > 0:
            self.queue.add_after((job["metadata"]["namespace"], job["metadata"]["name"]), left + 0.01)
            return
        taken = [_index(pod) for pod in active] + list(memory.succeeded.values())
        indexes: list[int | None] = [None] * missing
        if job["spec"].get("completionMode") == "Indexed":
            indexes = list(jobs.free_indexes(job["spec"]["completions"], taken, missing))
        results = await asyncio.gather(*(self._create(job, index) for index in indexes))
        for error in filter(None, results):
            raise error

    async def _create(self, job: Object, index: int | None) -> ApiError | None:
        try:
            made = await self._shared.create(POD, job["metadata"]["namespace"], job_pod(job, index))
        except ApiError as error:
            self._event(job, "Warning", "FailedCreate", f"Error creating: {error.message}")
            return error
        self._event(job, "Normal", "SuccessfulCreate", f"Created pod: {made['metadata']['name']}")
        return None

    async def _delete(self, job: Object, victims: list[Object]) -> None:
        for pod in victims:
            await self._shared.delete(POD, pod)
            self._event(job, "Normal", "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}")

    def _event(self, job: Object, kind: str, reason: str, message: str) -> None:
        self._shared.recorder.event(job, kind, reason, message, COMPONENT)

    def _watch_deadline(self, job: Object, key: Key, seconds: float) -> None:
        deadline = job["spec"].get("activeDeadlineSeconds")
        if deadline is not None and not job["spec"].get("suspend"):
            self.queue.add_after(key, max(0.0, deadline - seconds) + 0.01)

    async def _write_status(self, key: Key, memory: _Memory, end: tuple[str, tuple[str, str]] | None) -> None:
        job = self._shared.store(JOB).get(*key)
        if job is None:
            return
        mine = self._shared.pods.by("controller", job["metadata"]["uid"])
        active = [pod for pod in mine if pods.is_active(pod) and not self._shared.pods.going(pod)]
        leaving = [pod for pod in mine if not pods.is_finished(pod) and self._shared.pods.going(pod)]
        have = job.get("status") or {}
        conditions: list[Object] = have.get("conditions") or []
        status: Object = {
            "active": len(active), "ready": sum(1 for pod in active if pods.is_ready(pod)),
            "terminating": len(leaving), "succeeded": len(memory.succeeded), "failed": len(memory.failed),
            "uncountedTerminatedPods": {},
            "startTime": have.get("startTime") or (None if job["spec"].get("suspend") else stamp()),
        }
        if job["spec"].get("completionMode") == "Indexed":
            status["completedIndexes"] = jobs.index_text(memory.succeeded.values())
        conditions = self._suspension(job, conditions)
        if end is not None:
            conditions = _ending(conditions, end, at_end=not active and not leaving)
            if find(conditions, "Complete"):
                status["completionTime"] = stamp()
        status["conditions"] = conditions or None
        await self._shared.status(JOB, job, status)
        if end is not None and (find(conditions, "Complete") or find(conditions, "Failed")):
            if end[0] == "Complete":
                self._event(job, "Normal", "Completed", "Job completed")
            else:
                self._event(job, "Warning", *end[1])

    def _suspension(self, job: Object, conditions: list[Object]) -> list[Object]:
        have = find(conditions, "Suspended")
        if job["spec"].get("suspend"):
            if have is None or have["status"] != "True":
                self._event(job, "Normal", "Suspended", "Job suspended")
            return with_condition(conditions, "Suspended", "True", "JobSuspended", "Job suspended")
        if have is not None and have["status"] == "True":
            self._event(job, "Normal", "Resumed", "Job resumed")
            return with_condition(conditions, "Suspended", "False", "JobResumed", "Job resumed")
        return conditions

    async def _expire(self, job: Object) -> None:
        """Delete a finished Job when its ttlSecondsAfterFinished has passed since we saw it finished."""
        ttl = job["spec"].get("ttlSecondsAfterFinished")
        if ttl is None:
            return
        memory = self._memory.setdefault(job["metadata"]["uid"], _Memory(self._shared.clock.now()))
        if memory.ended is None:
            memory.ended = self._shared.clock.now()
        left = memory.ended + ttl - self._shared.clock.now()
        if left > 0:
            self.queue.add_after((job["metadata"]["namespace"], job["metadata"]["name"]), left + 0.01)
            return
        await self._shared.delete(JOB, job, propagationPolicy="Foreground")


def finished_at(job: Object) -> str | None:
    """When the Job completed or failed, or None."""
    for each in (job.get("status") or {}).get("conditions") or []:
        if each["type"] in ("Complete", "Failed") and each["status"] == "True":
            return str(each.get("lastTransitionTime", ""))
    return None


def job_pod(job: Object, index: int | None) -> Object:
    """A Pod of the Job; of an Indexed one with its index as annotation, label, host name and variable."""
    pod = pods.from_template(job["spec"]["template"], job, JOB)
    if index is None:
        return pod
    name = job["metadata"]["name"]
    pod["metadata"]["generateName"] = f"{name}-{index}-"
    pod["metadata"]["annotations"][jobs.INDEX] = str(index)
    pod["metadata"]["labels"][jobs.INDEX] = str(index)
    pod["spec"].setdefault("hostname", f"{name}-{index}")
    source = {"fieldRef": {"fieldPath": f"metadata.annotations['{jobs.INDEX}']"}}
    for container in [*pod["spec"]["containers"], *(pod["spec"].get("initContainers") or [])]:
        variable = {"name": "JOB_COMPLETION_INDEX", "valueFrom": copy.deepcopy(source)}
        container["env"] = [*(container.get("env") or []), variable]
    return pod


def _ending(conditions: list[Object], end: tuple[str, tuple[str, str]], *, at_end: bool) -> list[Object]:
    """First why it ends; that it has ended only when no Pod is left running."""
    kind, said = end
    first = "SuccessCriteriaMet" if kind == "Complete" else "FailureTarget"
    conditions = with_condition(conditions, first, "True", *said)
    conditions = with_condition(conditions, kind, "True", *said) if at_end else conditions
    return [{"lastProbeTime": each["lastTransitionTime"], **each} for each in conditions]


def _index(pod: Object) -> int:
    return int((pod["metadata"].get("annotations") or {}).get(jobs.INDEX, -1))


def _restarts(job: Object, active: list[Object]) -> int:
    """Restarts that count as failures: of Pods whose containers are started again in place."""
    if job["spec"]["template"]["spec"].get("restartPolicy") != "OnFailure":
        return 0
    statuses = [each for pod in active for each in (pod.get("status") or {}).get("containerStatuses") or []]
    return sum(each.get("restartCount", 0) for each in statuses)
