"""What somebody does to the cluster as a step of a fault: restart a component, change an object; and API rules.

Acts go through the same doors as everybody else's: the world's restarts and the API.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from op_readiness.simulator.api import ApiError
from op_readiness.simulator.faults.apirules import ApiRules
from op_readiness.simulator.faults.condition import Condition
from op_readiness.simulator.faults.match import all_fit, fits
from op_readiness.simulator.faults.schema import Step
from op_readiness.simulator.faults.words import FaultError, nearest


class Act:
    """A step that does something each time it is due."""

    def __init__(self, step: Step, condition: Condition, world: Any) -> None:
        self.step, self.condition, self.world = step, condition, world
        self._tasks: list[Any] = []

    @property
    def nodes(self) -> list[str]:
        """An act breaks no Node by itself."""
        return []

    def put_in(self) -> None:
        """Without `after` it is due at once."""
        if self.step.when.after is None:
            self.due()

    def take_out(self) -> None:
        """Forget what was still to come."""
        for task in self._tasks:
            task.cancel()

    def due(self) -> None:
        """Act, `at` seconds from now."""
        self._tasks.append(self.world.spawn(self._later(), f"fault step {self.step.state} {self.step.do}"))

    async def _later(self) -> None:
        if self.step.when.at > 0:
            await self.world.clock.sleep(self.step.when.at)
        await self.act()

    async def act(self) -> None:
        """What the step does."""
        raise NotImplementedError


class Restart(Act):
    """Restarts a component of the Nodes that the key names: {node:, component:}."""

    def __init__(self, step: Step, condition: Condition, world: Any) -> None:
        super().__init__(step, condition, world)
        for name in step.key:
            if name not in ("node", "os", "build", "component"):
                raise FaultError(
                    f"a NODE step has no key {name!r}{nearest(name, ('node', 'os', 'build', 'component'))}"
                )
        if not step.key.get("component"):
            raise FaultError("a NODE step needs the component that restarts (kube-proxy, cni, kubelet, node ...)")

    async def act(self) -> None:
        """One Node after the other."""
        wanted = {name: value for name, value in self.step.key.items() if name != "component"}
        for node in list(self.world.nodes.values()):
            if all_fit(wanted, {"node": node.name, "os": node.os, "build": node.build}):
                await self.world.restart(self.step.key["component"], node.name)


OTHER_SCHEDULER_LOOKS = 5.0
OBJECT_KEYS = ("resource", "api", "namespace", "name", "labels", "node")


class ApiChange(Act):
    """Removes, patches or creates objects: {resource:, api:, namespace:, name:, labels:, node:}."""

    def __init__(self, step: Step, condition: Condition, world: Any) -> None:
        super().__init__(step, condition, world)
        for name in step.key:
            if name not in OBJECT_KEYS:
                raise FaultError(f"an object of the API has no key {name!r}{nearest(name, OBJECT_KEYS)}")
        if not step.key.get("resource") or (step.do == "create" and not step.key.get("namespace")):
            raise FaultError(
                "a step that changes objects needs their resource (pods, services ...), to create: and namespace"
            )

    async def acted(self) -> None:
        """Wait for what is due at once and comes to an end; what comes later, or goes on, is not waited for."""
        if self.step.when.at <= 0 and self.step.when.after is None and self.step.do != "bind":
            await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def _base(self) -> str:
        api = str(self.step.key.get("api", "v1"))
        return f"/apis/{api}" if "/" in api else f"/api/{api}"

    async def act(self) -> None:
        """The first `count` objects that fit, by name; all of them without a count."""
        resource, space = self.step.key["resource"], self.step.key.get("namespace")
        if self.step.do == "bind":
            await self._bind_all()
            return
        if self.step.do == "create":
            await self.world.api.create(f"{self._base}/namespaces/{space}/{resource}", self.step.value)
            return
        listed = await self.world.api.get(f"{self._base}/{resource}")
        found = sorted(
            (obj for obj in listed.get("items", ()) if self._fits(obj)), key=lambda obj: str(obj["metadata"]["name"])
        )
        for obj in found[: self.step.when.count]:
            await self._change(self._path(obj))

    async def _bind_all(self) -> None:
        """Bind what fits and has no Node to the Node of `value`, for as long as the fault is in: another scheduler."""
        while True:
            for pod in list(self.world.pods.objects.values()):
                if not pod["spec"].get("nodeName") and _unschedulable(pod) and self._fits(pod):
                    await self._bind(pod["metadata"])
            await self.world.clock.sleep(OTHER_SCHEDULER_LOOKS)

    async def _bind(self, meta: dict[str, Any]) -> None:
        target = {"apiVersion": "v1", "kind": "Node", "name": self.step.value}
        binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": meta["name"]}, "target": target}
        try:
            await self.world.api.create(f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}/binding", binding)
        except ApiError as error:
            if error.code not in (404, 409):
                raise

    def _path(self, obj: dict[str, Any]) -> str:
        space, name = obj["metadata"].get("namespace"), obj["metadata"]["name"]
        inside = f"/namespaces/{space}" if space else ""
        return f"{self._base}{inside}/{self.step.key['resource']}/{name}"

    async def _change(self, path: str) -> None:
        try:
            if self.step.do == "remove":
                await self.world.api.delete(path)
            else:
                await self.world.api.patch(path, self.step.value)
        except ApiError as error:
            if error.code != 404:
                raise

    def _fits(self, obj: dict[str, Any]) -> bool:
        meta, key = obj["metadata"], self.step.key
        plain = {
            "namespace": meta.get("namespace", ""),
            "name": meta["name"],
            "node": obj.get("spec", {}).get("nodeName", ""),
        }
        labels = meta.get("labels") or {}
        return all(fits(key[name], value) for name, value in plain.items() if name in key) and all(
            fits(wanted, labels.get(name)) for name, wanted in (key.get("labels") or {}).items()
        )


def _unschedulable(pod: dict[str, Any]) -> bool:
    """Whether the cluster's own scheduler has found no Node for it."""
    conditions = pod.get("status", {}).get("conditions") or ()
    return any(one["type"] == "PodScheduled" and one["status"] == "False" for one in conditions)


class ApiRule:
    """A rule for the API server's front; those who carry watches are woken when it begins and ends."""

    def __init__(self, step: Step, condition: Condition, rules: ApiRules, world: Any) -> None:
        self.step, self.condition, self.rules, self.world = step, condition, rules, world
        self.rules.check(step)
        self._tasks: list[Any] = []

    @property
    def nodes(self) -> list[str]:
        """The API is no Node."""
        return []

    def put_in(self) -> None:
        """From now on requests are held against it."""
        self.rules.add(self.step, self.condition)
        if self.step.when.after is None:
            self.due()

    def take_out(self) -> None:
        """The engine clears all rules at once."""
        for task in self._tasks:
            task.cancel()

    def due(self) -> None:
        """Wake the watches at the beginning and at the end."""
        self.rules.touch()
        self._spawn(self._touch(self.step.when.at))
        if self.step.for_ is not None:
            self._spawn(self._touch(self.step.when.at + self.step.for_))

    async def _touch(self, wait: float) -> None:
        if wait > 0:
            await self.world.clock.sleep(wait)
            self.rules.touch()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(self.world.spawn(work, "fault step API"))
