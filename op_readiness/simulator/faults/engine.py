"""Putting faults in and taking them out: requests become steps in force, events of the world reach them.

A request is checked whole before anything changes, so that a misspelt second fault does not leave the first one in.
Taking out removes hooks, rules and what was still to come; making the world healthy again is the world's work.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from op_readiness.simulator.faults.acts import ApiChange, ApiRule, Restart
from op_readiness.simulator.faults.apirules import ApiRules
from op_readiness.simulator.faults.changes import wave_times
from op_readiness.simulator.faults.condition import Condition
from op_readiness.simulator.faults.library import named, parse_request
from op_readiness.simulator.faults.match import parsed
from op_readiness.simulator.faults.parameters import of_nodes, resolved
from op_readiness.simulator.faults.schema import Document, Step, document
from op_readiness.simulator.faults.states import shape_of
from op_readiness.simulator.faults.steps import COUNTS, InForce, TableStep
from op_readiness.simulator.faults.words import FaultError, nearest, seconds

Request = str | Mapping[str, Any]


@dataclass
class Active:
    """A fault that is in."""

    fault: Document
    parameters: dict[str, Any]
    steps: list[InForce] = field(default_factory=list)

    def described(self) -> dict[str, Any]:
        """For the control API: what it is, and which Nodes it sits on."""
        return {
            "name": self.fault.name, "title": self.fault.title, "report": self.fault.report, "case": self.fault.case,
            "parameters": self.parameters, "nodes": sorted({node for step in self.steps for node in step.nodes}),
        }  # fmt: skip


class Faults:
    """The faults of one world. `api` are the rules that the API server's front asks."""

    def __init__(self, world: Any, api: ApiRules | None = None) -> None:
        self.world = world
        self.api = api if api is not None else ApiRules(world.clock)
        self.active: list[Active] = []
        world.on_event(self._heard)

    def put_in(self, requests: Sequence[Request]) -> list[dict[str, Any]]:
        """Put all of them in, or none; gives a description each. Needs a running loop; raises FaultError.

        A request is `NAME:key=value,...`, {"name":, "parameters":} or {"file": document, "parameters":}.
        """
        fresh = [self._prepared(request) for request in requests]
        for fault in fresh:
            self.active.append(fault)
            for step in fault.steps:
                step.put_in()
        return [fault.described() for fault in fresh]

    async def acted(self) -> None:
        """Wait until what is done to objects at once has been done: a fault is older than whoever looks for it."""
        steps = [step for fault in self.active for step in fault.steps]
        await asyncio.gather(*(step.acted() for step in steps if isinstance(step, ApiChange)))

    def take_out_all(self) -> None:
        """Unhook everything and forget what was to come."""
        for fault in self.active:
            for step in fault.steps:
                step.take_out()
        self.active.clear()
        self.api.clear()

    def _prepared(self, request: Request) -> Active:
        asked = parse_request(request) if isinstance(request, str) else request
        if unknown := sorted(set(asked) - {"name", "file", "parameters"}):
            raise FaultError(
                f"unknown field {unknown[0]!r} in a fault request{nearest(unknown[0], ('name', 'file', 'parameters'))}"
            )
        fault = document(asked["file"], "fault file") if "file" in asked else named(str(asked.get("name", "")))
        values = resolved(fault, asked.get("parameters") or {}, self.world)
        filling = {**values, **of_nodes(fault, values, self.world)}
        steps = [
            self._in_force(f"fault {fault.name}, step {n}", step) for n, step in enumerate(fault.filled(filling), 1)
        ]
        return Active(fault, values, steps)

    def _in_force(self, what: str, step: Step) -> InForce:
        check_step(what, step)
        condition = Condition(step, self.world.clock)
        if step.state == "NODE" and step.do == "restart":
            return Restart(step, condition, self.world)
        if step.state == "API":
            return (
                ApiRule(step, condition, self.api, self.world)
                if step.point == "lookup"
                else ApiChange(step, condition, self.world)
            )
        tables = [node.tables[step.state] for node in self.world.nodes.values() if step.state in node.tables]
        return TableStep(step, condition, shape_of(what, step), tables, self.world)

    def _heard(self, event: str, fields: dict[str, Any]) -> None:
        for fault in self.active:
            for step in fault.steps:
                if step.condition.event(event, fields) and step.condition.take_event():
                    step.due()


def check_step(what: str, step: Step) -> None:
    """Raise FaultError for values that the engine could not use later."""
    if step.when.while_:
        counted = parsed(step.when.while_)[0]
        if counted not in COUNTS:
            raise FaultError(f"{what}: `while` cannot count {counted!r}{nearest(counted, COUNTS)}")
    if step.do == "square-wave":
        wave_times(step.value)
    if step.do == "loss" and not 0 <= _number(what, step.value) <= 1:
        raise FaultError(f"{what}: loss is a part from 0 to 1, not {step.value!r}")
    if step.do == "delay":
        seconds(step.value)


def _number(what: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise FaultError(f"{what}: {value!r} is not a number") from None
