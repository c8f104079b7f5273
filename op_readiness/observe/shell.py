"""Questions put to a program inside a Pod, many in one exec.

An exec on a Windows Node is slow and some never return, so one exec carries a whole series of tries: a small sh script
(BusyBox on Windows: the agnhost image has it on the PATH) that runs each command, and says its exit code and output
between lines that carry a nonce. An answer without the nonce is no answer, be it old, cut or somebody else's.
"""

from __future__ import annotations

import re
import secrets
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from op_readiness.cluster.api import Cluster
from op_readiness.cluster.errors import ApiError, ExecDidNotReturn, ExecRefused
from op_readiness.cluster.execing import ExecAnswer
from op_readiness.model.errors import CouldNotTell
from op_readiness.model.facts import NodeFact
from op_readiness.model.findings import Finding, Place
from op_readiness.model.timeouts import Timeouts
from op_readiness.observe.recorder import Recorder

TOOL_MISSING = (126, 127)
TRY_COSTS = 0.25
"""Real seconds that starting a program costs a loaded machine, whatever the scale."""


@dataclass(frozen=True)
class Ask:
    """A command to run `times` times, `pause` seconds apart (cluster seconds, spent inside the Pod).

    `until_good` stops at the first exit code 0; `then_only_if_good` names an Ask without whose success this one is not
    run. `longest` bounds one try: the time-outs in `command` add up to it, in seconds.
    """

    key: str
    command: str
    times: int = 1
    pause: float = 0.0
    until_good: bool = False
    then_only_if_good: str = ""
    longest: float = 10.0

    @property
    def worst(self) -> float:
        """Cluster seconds that all its tries take at most."""
        return self.times * (self.longest + self.pause)


@dataclass(frozen=True)
class Answer:
    """What one try printed (stdout and stderr), and its exit code."""

    code: int
    text: str

    @property
    def good(self) -> bool:
        """Whether the program said that it worked."""
        return self.code == 0


class Answers(dict[str, list[Answer]]):
    """Answers by key, in the order of the tries; `seconds` are what the series took on the Pod's own clock."""

    seconds: float = 0.0


@dataclass(frozen=True)
class Client:
    """A Pod that asks for us. `curl` is the program's name on its operating system."""

    namespace: str
    pod: str
    place: Place
    ip: str = ""
    uid: str = ""
    container: str = "main"

    @classmethod
    def at(cls, namespace: str, pod: str, node: NodeFact, ip: str = "", uid: str = "") -> Client:
        """The client in a Pod on `node`."""
        place = replace(node.place, namespace=namespace, pod=pod)
        return cls(namespace, pod, place, ip, uid)

    @classmethod
    def of(cls, pod: Mapping[str, Any], node: NodeFact) -> Client:
        """The client in a Pod that has an address, as the API shows it."""
        meta = pod["metadata"]
        return cls.at(meta["namespace"], meta["name"], node, pod["status"]["podIP"], meta["uid"])

    @property
    def curl(self) -> str:
        """Windows finds programs by their extension only when a shell looks."""
        return "curl.exe" if self.place.os == "windows" else "curl"

    @property
    def shell(self) -> list[str]:
        """The argv that runs a script."""
        return ["sh", "-c"] if self.place.os == "windows" else ["/bin/sh", "-c"]

    def repeat(self, command: str) -> str:
        """The kubectl line with which a person repeats an observation."""
        return shlex.join(["kubectl", "-n", self.namespace, "exec", self.pod, "--", *self.shell, command])


@dataclass
class Asker:
    """Runs scripts in Pods for one readiness test."""

    cluster: Cluster
    timeouts: Timeouts
    recorder: Recorder
    nonce: str = field(default_factory=lambda: secrets.token_hex(4))
    _greeted: set[str] = field(default_factory=set)

    def ask(self, client: Client, asks: Sequence[Ask]) -> Answers:
        """Answers by key, in the order of the tries; raises CouldNotTell when the Pod gave none."""
        self._greet(client)
        worst = sum(ask.worst for ask in asks) * self.timeouts.scale + sum(ask.times for ask in asks) * TRY_COSTS
        silence = max((ask.longest + ask.pause) for ask in asks) * self.timeouts.scale + self._answer_seconds
        command = [*client.shell, script(asks, self.nonce)]
        text = self.run(client, command, within=worst + self._answer_seconds, silence=silence)
        answers = parse(text, self.nonce, [ask.key for ask in asks])
        if f"{self.nonce} over" not in text:
            seen = text[-200:] or "no output"
            raise CouldNotTell(
                self._finding(client, "the answer of an exec was cut", f"the line '{self.nonce} over'", seen)
            )
        for answer in (answer for tries in answers.values() for answer in tries):
            if answer.code in TOOL_MISSING:
                raise CouldNotTell(
                    self._finding(
                        client, "a program of ours does not run here", "exit code 0", f"{answer.code}: {answer.text}"
                    )
                )
        return answers

    def _greet(self, client: Client) -> None:
        """Once a test: an exec that does not return shows here, before a long series hides it in its own length."""
        if client.uid not in self._greeted:
            self.run(client, ["hostname"], within=self._answer_seconds)
            self._greeted.add(client.uid)

    @property
    def _answer_seconds(self) -> float:
        """Real seconds in which an exec has to give something."""
        return self.timeouts.real("exec_answer")

    def run(self, client: Client, argv: list[str], *, within: float, silence: float = 0.0) -> str:
        """stdout of a command that must be able to run; raises CouldNotTell when exec gives no answer.

        `within` and `silence` are real seconds, see `cluster.execing`.
        """
        return self._executed(client, argv, within, silence).stdout.replace("\r\n", "\n")

    def answer(self, client: Client, argv: list[str]) -> Answer:
        """Exit code, stdout and stderr of one program without a shell of ours; raises CouldNotTell as `run` does."""
        found = self._executed(client, argv, self._answer_seconds)
        return Answer(found.exit_code, f"{found.stdout}\n{found.stderr}".replace("\r\n", "\n").strip())

    def _executed(self, client: Client, argv: list[str], within: float, silence: float = 0.0) -> ExecAnswer:
        pod = (client.pod, client.namespace, client.container)
        try:
            answer = self.cluster.exec(*pod, argv, within=within, silence=silence)
        except ExecDidNotReturn as error:
            repeat = f"kubectl -n {client.namespace} exec {client.pod} -- hostname"
            hint = f"{repeat}; if it hangs too, look at kubelet and containerd on {client.place.node}"
            seconds = f"{within / self.timeouts.scale:.0f} s"  # findings speak of the cluster's seconds
            raise CouldNotTell(
                self._finding(
                    client,
                    "exec did not return",
                    f"an answer within {seconds}",
                    error.message.replace(f"{within:g} s", seconds),
                    hint,
                    code="exec",
                )
            ) from error
        except (ExecRefused, ApiError) as error:
            raise CouldNotTell(
                self._finding(client, "exec was refused", "an answer", error.message, code="exec")
            ) from error
        self.recorder.witness(client.namespace, client.pod, "exec", answer.stdout)
        return answer

    @staticmethod
    def _finding(client: Client, what: str, expected: str, seen: str, hint: str = "", code: str = "") -> Finding:
        return Finding(what, str(client.place), expected, seen, hint, nodes=(client.place.node,), code=code)


def holding(command: str, test: str, show: str = '"$o"') -> str:
    """A command that is good only if `test` of its output `$o` holds; otherwise its own exit code is kept.

    A pipe would hide that the program is not there: the last command's code would stand for it, and a missing tool
    would look like a missing answer.
    """
    return f"o=$({command}); c=$?; echo {show}; [ $c = 0 ] || exit $c; {test}"


def script(asks: Iterable[Ask], nonce: str) -> str:
    """The sh script for a series of asks."""
    lines = []
    for ask in asks:
        body = f'out=$({{ {ask.command}; }} 2>&1); code=$?; echo "{nonce} {ask.key} $code"; echo "$out"'
        if ask.until_good:
            body += f"; if [ $code -eq 0 ]; then good_{_word(ask.key)}=1; break; fi"
        if ask.pause:
            body += f"; sleep {ask.pause:g}"
        loop = f"for try in {' '.join(str(n) for n in range(1, ask.times + 1))}; do {body}; done"
        if ask.then_only_if_good:
            loop = f'if [ "$good_{_word(ask.then_only_if_good)}" = 1 ]; then {loop}; fi'
        lines.append(loop)
    clock = f'echo "{nonce} time $(date +%s)"'
    return "; ".join([clock, *lines, clock, f'echo "{nonce} over"'])


def parse(text: str, nonce: str, keys: Sequence[str]) -> Answers:
    """Answers by key from what a script printed."""
    answers = Answers({key: [] for key in keys})
    times = [int(second) for second in re.findall(rf"^{nonce} time (\d+)\s*$", text, flags=re.MULTILINE)]
    answers.seconds = float(max(0, times[-1] - times[0])) if times else 0.0
    for block in text.split(f"{nonce} ")[1:]:
        head, _, body = block.partition("\n")
        key, _, code = head.strip().rpartition(" ")
        if key in answers and code.lstrip("-").isdigit():
            answers[key].append(Answer(int(code), body.strip()))
    return answers


def _word(key: str) -> str:
    return "".join(character if character.isalnum() else "_" for character in key)
