"""Asking for a whole truth table: until it is as it should be, and then once more, to see it held.

Each client asks all its questions in one exec. What may not connect is silent until its time-out, so a round with
denials takes as many times three seconds; that is the named time for which a denial must hold.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from op_readiness.model.clock import SYSTEM_CLOCK, Clock
from op_readiness.observe.reach import together
from op_readiness.observe.recorder import Recorder
from op_readiness.observe.shell import Answers, Ask, Asker, Client
from op_readiness.observe.traffic import LOSS_TRIES, Patience
from op_readiness.observe.truth import Key, Question, Reply

CONNECT_SECONDS, ANSWER_SECONDS = 3, 5
"""Time-outs of one try: e2e's `agnhost connect` gets 3 s on every operating system."""
LOSS_SECONDS = 2
LOST_OF_HUNDRED = 1


@dataclass
class Reachability:
    """Asks truth tables; `clock` bounds the repetition on our side."""

    asker: Asker
    recorder: Recorder
    threads: Executor
    clock: Clock = SYSTEM_CLOCK

    def settled(self, questions: Sequence[Question], within: str) -> tuple[list[Reply], float]:
        """The first table that is right throughout, or the one at the deadline; and after how many cluster seconds.

        The first round never is the last: where it alone outlasts the deadline its first cells were asked too early.
        """
        patience = Patience(self.asker.timeouts, within, self.clock)
        while True:
            before = patience.spent
            replies, seconds = self._round(questions, patience.pause)
            if all(reply.right for reply in replies):
                return replies, before
            if patience.over(max(1.0, seconds), str(questions[0].client.place)) and before:
                return replies, patience.spent

    def held(self, questions: Sequence[Question], *, at_least: float = 0.0) -> tuple[list[Reply], float]:
        """The table asked again, of each cell the worst that was seen; for `at_least` so many cluster seconds, given
        back as they really were.
        """
        spent, worst = 0.0, dict[Key, Reply]()
        while not worst or spent < at_least:
            replies, seconds = self._round(questions, [Ask("pause", "sleep 1", longest=1)])
            for reply in replies:
                known = worst.get(reply.question.key)
                if known is None or known.right:
                    worst[reply.question.key] = reply
            spent += max(1.0, seconds)
        lost = [q for q in questions if q.allowed and not worst[q.key].reached]
        worst.update({reply.question.key: reply for reply in together(self.threads, self._rarely, lost)})
        return [worst[question.key] for question in questions], spent

    def losses_of(self, asked: Sequence[tuple[Client, str]]) -> list[int]:
        """The losses of several clients and commands, side by side."""
        return together(self.threads, lambda pair: self.losses(*pair), asked)

    def losses(self, client: Client, command: str) -> int:
        """How many of a hundred tries of a command got no answer."""
        tries = self.asker.ask(client, [Ask("loss", command, times=LOSS_TRIES, longest=ANSWER_SECONDS)])["loss"]
        return sum(not answer.good for answer in tries)

    def _rarely(self, question: Question) -> Reply:
        """One try was lost: right if no more than one of a hundred others is, with a note."""
        lost = self.losses(question.client, command_to(question.client, question.target.authority, LOSS_SECONDS))
        if lost > LOST_OF_HUNDRED:
            return Reply(question, "", f"{lost} of {LOSS_TRIES} tries lost")
        self.recorder.note(f"{question.row} -> {question.column}: one try lost, below the 1 % that passes")
        return Reply(question, next(iter(question.target.backends)))

    def wait(self, client: Client, seconds: float) -> None:
        """Let so many cluster seconds go by, on the client's clock."""
        self.asker.ask(client, [Ask("wait", f"sleep {math.ceil(seconds)}", longest=seconds + 1)])

    def _round(self, questions: Sequence[Question], before: Sequence[Ask]) -> tuple[list[Reply], float]:
        by_client: dict[Client, list[Question]] = {}
        for question in questions:
            by_client.setdefault(question.client, []).append(question)
        answers = together(
            self.threads,
            lambda client: self.asker.ask(client, [*before, *_asks(by_client[client])]),
            list(by_client),
        )
        replies = {
            question.key: _reply(question, given, str(n))
            for asked, given in zip(by_client.values(), answers, strict=True)
            for n, question in enumerate(asked)
        }
        for reply in replies.values():
            if reply.reached:
                self.recorder.witness(reply.question.target.namespace, reply.name, "http", reply.name)
        return [replies[question.key] for question in questions], max(given.seconds for given in answers)


def command_of(question: Question) -> str:
    """The command of one try: a connection, and the name of who took it."""
    return command_to(question.client, question.target.authority)


def command_to(client: Client, authority: str, seconds: int = CONNECT_SECONDS) -> str:
    """The same for host:port. Where losses are counted `seconds` must be fewer than the 3 after which Windows repeats
    a lost SYN, or a loss would only be late.
    """
    options = f"-g -q -sS --fail --connect-timeout {seconds} --max-time {ANSWER_SECONDS}"
    return f"{client.curl} {options} http://{authority}/hostname"


def _asks(questions: Sequence[Question]) -> list[Ask]:
    return [Ask(str(n), command_of(q), longest=ANSWER_SECONDS) for n, q in enumerate(questions)]


def _reply(question: Question, answers: Answers, key: str) -> Reply:
    answer = answers[key][-1]
    text = answer.text.strip()
    return Reply(question, text) if answer.good else Reply(question, "", " ".join(text.split())[:80])
