r"""Pods whose volumes are what is judged, and commands in their containers.

A Pod that waits because its volume cannot be set up answers the question: the ability is not met. Any other reason for
not being up says nothing about volumes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from op_readiness.model.errors import AbilityNotMet, CouldNotTell
from op_readiness.model.facts import NodeFact
from op_readiness.observe.checks import Check, Checks
from op_readiness.observe.reach import together
from op_readiness.observe.shell import Answer, Asker, Client
from op_readiness.suite.making import Workshop
from op_readiness.suite.refusals import without_privileges
from op_readiness.workloads.pods import Manifest

Object = dict[str, Any]
Subject = TypeVar("Subject")
MOUNT_WORDS = (
    "FailedMount",
    "MountVolume.SetUp failed",
    "FailedAttachVolume",
    "volume specification",
    "MappedDirector",
)
"""Words of kubelets and runtimes that say that it is a volume for which a container does not start."""
DENIED = "Access is denied."
NOT_THERE = r"C:\opr-not-there.txt"
ENGLISH = "The system cannot find the file specified."
"""What cmd says of a file that is not there, on a host that speaks English."""


@dataclass
class Mounting:
    """Makes Pods with volumes and runs cmd lines in them."""

    workshop: Workshop
    asker: Asker

    def up(self, manifests: Sequence[Manifest], nodes: Sequence[NodeFact]) -> list[Client]:
        """The Pods, one a Node of `nodes`, Running; raises AbilityNotMet where a volume could not be set up.

        NotTested where Pod Security takes none of them.
        """
        try:
            pods = self.workshop.pods(manifests, until_ready=False)
        except CouldNotTell as error:
            if skip := without_privileges(error):
                raise skip from error
            if any(word in finding.seen for finding in error.findings for word in MOUNT_WORDS):
                raise AbilityNotMet(
                    *(replace(finding, what="A volume of a Windows Pod cannot be mounted", code="mount")
                      for finding in error.findings)
                ) from error  # fmt: skip
            raise
        return [Client.of(pod, node) for pod, node in zip(pods, nodes, strict=True)]

    def cmd(self, client: Client, line: str) -> Answer:
        """Exit code and output of a line of cmd."""
        return self.asker.answer(client, ["cmd", "/S", "/C", line])

    def refused(self, client: Client, path: str, word: str) -> tuple[Answer, bool]:
        """What a write to `path` answered, and whether it was refused with Windows' own words.

        On a host that speaks another language (asked for a file that is not there) the exit code alone decides.
        """
        answer = self.cmd(client, f"echo {word} > {path}")
        if answer.good or lines_of(answer.text) == [DENIED]:
            return answer, not answer.good
        return answer, lines_of(self.cmd(client, f"type {NOT_THERE}").text) != [ENGLISH]

    def judge(
        self, look: Callable[[Subject], list[Check]], subjects: Sequence[Subject], what: str, *, hint: str, code: str
    ) -> None:
        """What `look` says of each, side by side; raises AbilityNotMet, one finding, where something does not hold."""
        checks = Checks(self.workshop.recorder)
        for found in together(self.workshop.threads, look, subjects):
            for check in found:
                checks.take(check)
        checks.must_hold(what, hint=hint, code=code)


def volume(name: str, **source: Any) -> Object:
    """A volume of a Pod's spec: `volume("data", emptyDir={})`."""
    return {"name": name, **source}


def mount(name: str, path: str, **more: Any) -> Object:
    """A volumeMount: `mount("data", "C:\\\\data", readOnly=True)`."""
    return {"name": name, "mountPath": path, **more}


def lines_of(text: str) -> list[str]:
    """The lines of what a Windows program printed, without the blanks that `echo x > f` leaves at their ends."""
    return [line.strip() for line in re.split(r"\r?\n", text) if line.strip()]
