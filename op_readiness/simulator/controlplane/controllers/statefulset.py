"""StatefulSets: Pods with names that last, made in order and taken away in reverse."""

from __future__ import annotations

import asyncio

from op_readiness.simulator.api import ApiError, Object
from op_readiness.simulator.controlplane.controllers import revisions
from op_readiness.simulator.controlplane.controllers.claims import claimed, owner_keys
from op_readiness.simulator.controlplane.controllers.ordinals import Member, Step, next_steps, ordinal_of
from op_readiness.simulator.controlplane.controllers.rolling import share
from op_readiness.simulator.controlplane.informers import pods
from op_readiness.simulator.controlplane.informers.kinds import CLAIM, POD, STATEFUL_SET
from op_readiness.simulator.controlplane.informers.queue import WorkQueue
from op_readiness.simulator.controlplane.informers.selectors import labels_of
from op_readiness.simulator.controlplane.informers.shared import Shared
from op_readiness.simulator.controlplane.informers.stores import Key

COMPONENT = "statefulset-controller"


class StatefulSets:
    """The StatefulSet controller."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self.queue: WorkQueue[Key] = WorkQueue(shared.clock, self._sync)
        shared.store(STATEFUL_SET).handlers.append(self._changed)
        shared.pods.handlers.append(self._pod_changed)

    def _changed(self, old: Object | None, new: Object | None) -> None:
        if new is not None:
            self.queue.add((new["metadata"]["namespace"], new["metadata"]["name"]))

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        for pod in (old, new):
            for key in owner_keys(self._shared, STATEFUL_SET, pod) if pod else ():
                self.queue.add(key)

    async def _sync(self, key: Key) -> None:
        owner = self._shared.store(STATEFUL_SET).get(*key)
        if owner is None:
            return
        mine = await claimed(self._shared, owner, STATEFUL_SET, POD)
        update = await revisions.current_revision(self._shared, owner, STATEFUL_SET)
        current = self._current(owner, update)
        failure: ApiError | None = None
        if "deletionTimestamp" not in owner["metadata"]:
            failure = await self._take(owner, self._steps(owner, mine, update), current, update)
        mine = [pod for pod in self._shared.pods.by("controller", owner["metadata"]["uid"]) if _named(owner, pod)]
        await self._write_status(self._shared.store(STATEFUL_SET).get(*key) or owner, mine, current, update)
        if failure is not None:
            raise failure

    def _current(self, owner: Object, update: Object) -> Object:
        name = (owner.get("status") or {}).get("currentRevision")
        known = {each["metadata"]["name"]: each for each in revisions.history(self._shared, owner)}
        return known.get(name or "", update)

    def _steps(self, owner: Object, mine: list[Object], update: Object) -> list[Step]:
        spec = owner["spec"]
        strategy = spec.get("updateStrategy") or {}
        rolling = strategy.get("rollingUpdate") or {}
        replicas, start = spec.get("replicas", 1), (spec.get("ordinals") or {}).get("start", 0)
        return next_steps(
            [self._member(owner, pod) for pod in mine if _named(owner, pod)],
            range(start, start + replicas),
            parallel=spec.get("podManagementPolicy") == "Parallel",
            update=update["metadata"]["name"] if strategy.get("type", "RollingUpdate") == "RollingUpdate" else "",
            partition=rolling.get("partition", 0),
            unavailable=max(1, share(rolling.get("maxUnavailable", 1), replicas, up=True)),
        )

    def _member(self, owner: Object, pod: Object) -> Member:
        wait = self._shared.seconds_until_available(pod, owner["spec"].get("minReadySeconds", 0))
        if wait:
            self.queue.add_after((owner["metadata"]["namespace"], owner["metadata"]["name"]), wait + 0.01)
        return Member(
            ordinal_of(pod["metadata"]["name"]), pod["metadata"]["name"],
            revision=labels_of(pod).get(revisions.POD_LABEL, ""), available=wait == 0,
            finished=pods.is_finished(pod), going=self._shared.pods.going(pod),
        )

    async def _take(self, owner: Object, steps: list[Step], current: Object, update: Object) -> ApiError | None:
        results = await asyncio.gather(*(self._one(owner, step, current, update) for step in steps))
        return next((error for error in results if error is not None), None)

    async def _one(self, owner: Object, step: Step, current: Object, update: Object) -> ApiError | None:
        namespace, name = owner["metadata"]["namespace"], f"{owner['metadata']['name']}-{step.ordinal}"
        pod = self._shared.pods.get(namespace, name)
        verb = "Create" if step.create else "Delete"
        try:
            if step.create:
                revision = current if _keeps_old(owner, step.ordinal) else update
                await self._claims(owner, step.ordinal)
                await self._shared.create(POD, namespace, stateful_pod(owner, step.ordinal, revision))
            elif pod is not None:
                await self._shared.delete(POD, pod)
        except ApiError as error:
            if not (error.code == 409 and step.create):
                text = f"{verb} Pod {name} in StatefulSet {owner['metadata']['name']} failed error: {error.message}"
                self._event(owner, "Warning", f"Failed{verb}", text)
            return error
        text = f"{verb} Pod {name} in StatefulSet {owner['metadata']['name']} successful"
        self._event(owner, "Normal", f"Successful{verb}", text)
        return None

    async def _claims(self, owner: Object, ordinal: int) -> None:
        for template in owner["spec"].get("volumeClaimTemplates") or []:
            namespace, name = owner["metadata"]["namespace"], _claim_name(owner, template, ordinal)
            if self._shared.store(CLAIM).get(namespace, name) is not None:
                continue
            labels = {**(template["metadata"].get("labels") or {}), **_selected(owner)}
            claim = {
                "apiVersion": "v1", "kind": "PersistentVolumeClaim", "spec": template["spec"],
                "metadata": {"name": name, "labels": labels, "annotations": template["metadata"].get("annotations")},
            }
            await self._shared.create(CLAIM, namespace, claim)
            text = (
                f"Create Claim {name} Pod {owner['metadata']['name']}-{ordinal} in StatefulSet "
                f"{owner['metadata']['name']} success"
            )
            self._event(owner, "Normal", "SuccessfulCreate", text)

    def _event(self, owner: Object, kind: str, reason: str, message: str) -> None:
        self._shared.recorder.event(owner, kind, reason, message, COMPONENT)

    async def _write_status(self, owner: Object, mine: list[Object], current: Object, update: Object) -> None:
        alive = [pod for pod in mine if not pods.is_finished(pod)]
        steady = [pod for pod in alive if not self._shared.pods.going(pod)]
        names = {"current": current["metadata"]["name"], "update": update["metadata"]["name"]}
        min_ready = owner["spec"].get("minReadySeconds", 0)
        replicas = owner["spec"].get("replicas", 1)
        updated, ready = _of(steady, names["update"]), sum(1 for pod in alive if pods.is_ready(pod))
        if updated == ready == replicas == len(mine) or not mine:
            names["current"] = names["update"]
        waits = [self._shared.seconds_until_available(pod, min_ready) for pod in alive]
        status = {
            "observedGeneration": owner["metadata"].get("generation", 0),
            "replicas": len(alive), "readyReplicas": ready,
            "availableReplicas": sum(1 for wait in waits if wait == 0),
            "currentReplicas": _of(steady, names["current"]), "updatedReplicas": updated,
            "currentRevision": names["current"], "updateRevision": names["update"],
            "collisionCount": (owner.get("status") or {}).get("collisionCount", 0),
        }
        await self._shared.status(STATEFUL_SET, owner, status)
        in_use = {labels_of(pod).get(revisions.POD_LABEL, "") for pod in mine} | set(names.values())
        await revisions.forget_old(self._shared, owner, in_use)


def stateful_pod(owner: Object, ordinal: int, revision: Object) -> Object:
    """The Pod of that ordinal, with its name, host name, labels and claims."""
    pod = pods.from_template(revisions.template_of(revision), owner, STATEFUL_SET)
    name = f"{owner['metadata']['name']}-{ordinal}"
    pod["metadata"]["name"] = name
    pod["metadata"]["labels"] |= {
        "statefulset.kubernetes.io/pod-name": name,
        "apps.kubernetes.io/pod-index": str(ordinal),
        revisions.POD_LABEL: revision["metadata"]["name"],
    }
    pod["spec"]["hostname"] = name
    if owner["spec"].get("serviceName"):
        pod["spec"]["subdomain"] = owner["spec"]["serviceName"]
    claims = {
        template["metadata"]["name"]: {
            "name": template["metadata"]["name"],
            "persistentVolumeClaim": {"claimName": _claim_name(owner, template, ordinal)},
        }
        for template in owner["spec"].get("volumeClaimTemplates") or []
    }
    if claims:
        others = [each for each in pod["spec"].get("volumes") or [] if each["name"] not in claims]
        pod["spec"]["volumes"] = [*others, *claims.values()]
    return pod


def _claim_name(owner: Object, template: Object, ordinal: int) -> str:
    return f"{template['metadata']['name']}-{owner['metadata']['name']}-{ordinal}"


def _selected(owner: Object) -> dict[str, str]:
    return dict(owner["spec"]["selector"].get("matchLabels") or {})


def _named(owner: Object, pod: Object) -> bool:
    name = owner["metadata"]["name"]
    return ordinal_of(pod["metadata"]["name"]) >= 0 and pod["metadata"]["name"].rpartition("-")[0] == name


def _of(members: list[Object], revision: str) -> int:
    return sum(1 for pod in members if labels_of(pod).get(revisions.POD_LABEL) == revision)


def _keeps_old(owner: Object, ordinal: int) -> bool:
    """Whether a new Pod of that ordinal still gets the old template."""
    strategy = owner["spec"].get("updateStrategy") or {}
    if strategy.get("type", "RollingUpdate") != "RollingUpdate":
        return False
    start = (owner["spec"].get("ordinals") or {}).get("start", 0)
    rolling = strategy.get("rollingUpdate")
    bound = (owner.get("status") or {}).get("currentReplicas", 0) if rolling is None else rolling.get("partition", 0)
    return bool(ordinal < start + bound)
