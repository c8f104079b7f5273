"""Traffic from a Pod to a target: which names answer, and whether the answers hold.

One answer from one backend shows little. A leg (one client, one target) is asked until the first answer, then often
enough to meet every backend, then once a second for the hold window (hybrid_network.go: 10 s). What comes back is
judged by `observe.judging`; here is only the asking.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from op_readiness.model.clock import SYSTEM_CLOCK, Clock
from op_readiness.model.errors import CouldNotTell
from op_readiness.model.findings import Finding
from op_readiness.model.timeouts import Timeouts
from op_readiness.observe.judging import Judgement, Try, judge
from op_readiness.observe.shell import Answer, Ask, Asker, Client, holding
from op_readiness.workloads.pods import HTTP_PORT

CONNECT_SECONDS, ANSWER_SECONDS = 2, 4
"""Time-outs of one try inside the Pod, cluster seconds; e2e's connect takes 3 s, its curl 1 to 10."""
UDP_SECONDS = 5
"""agnhost's own deadline for a datagram (test/images/agnhost/netexec)."""
GIVE_UP = 6
AGAIN_SECONDS = 2
"""Cluster seconds between two rounds: the poll interval of the e2e framework."""
_TOOK = re.compile(r" after \d+ ms")
"""How long curl's try took: it would make equal failures look different."""
LOSSY_TRIES = 10
NAME_TRIES = 4
"""Tries for each backend in one round. With the hold they miss one of three backends in 1 of 4,000 rounds, and a round
that missed one is followed by another: e2e's MaxTries (n * n + 30 for n backends) is a bound, not a need."""
FIRST_TRIES, HOLD_TRIES, LOSS_TRIES, LARGE_BYTES = 10, 10, 100, 4096


@dataclass(frozen=True)
class Target:
    """Where a leg goes, how it is asked, and what its answer says. This one is HTTP over TCP, or agnhost's UDP.

    `backends` maps the names that must answer to the Nodes they run on. `node` is the Node that the address itself
    belongs to (a Pod's, a NodePort's), empty for a Service address. `what` is the object as `Kind namespace/name`.
    `direct` maps the same names to Pod addresses, for a control when the target does not answer.
    """

    path: str
    what: str
    host: str
    port: int
    backends: Mapping[str, str]
    protocol: str = "TCP"
    node: str = ""
    large: bool = False
    url_path: str = "/hostname"
    direct: Mapping[str, str] = field(default_factory=dict)
    name_tries: int = 0
    """Tries to meet every backend; 0: NAME_TRIES for each."""
    hold_tries: int = HOLD_TRIES
    hold_pause: float = 1.0

    @property
    def authority(self) -> str:
        """host:port, with brackets around an IPv6 address."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def shown(self) -> str:
        """Where the leg goes, in a line that has named the path already."""
        return self.authority

    @property
    def namespace(self) -> str:
        """The Namespace of the object."""
        return self.what.partition(" ")[2].partition("/")[0]

    @property
    def longest(self) -> float:
        """Seconds that one try takes at most."""
        return UDP_SECONDS + 2.0 if self.protocol == "UDP" else float(ANSWER_SECONDS)

    @property
    def expected(self) -> frozenset[str]:
        """The answers that must come, and no others."""
        return frozenset({str(LARGE_BYTES)} if self.large else self.backends)

    @property
    def names_pods(self) -> bool:
        """Whether an answer is the name of the Pod that gave it, and so a witness."""
        return not self.large

    @property
    def expectation(self) -> str:
        """What a finding says was expected."""
        if self.large:
            return f"bodies of {LARGE_BYTES} bytes, whole"
        held = f"held for {self.hold_tries * self.hold_pause:g} s" if self.hold_pause else "each time"
        return f"answers from exactly {', '.join(sorted(self.backends))}, {held}"

    def __str__(self) -> str:
        return f"{self.what} {self.authority}" + ("/UDP" if self.protocol == "UDP" else "")

    def hint(self, nodes: str, control: str) -> str:
        """The next step for an operator, given the accused Nodes and what the control showed."""
        if self.path.startswith("Pod IP"):
            pods = f"kubectl get pods -A -o wide --field-selector spec.nodeName={nodes.split(',', maxsplit=1)[0]}"
            return f"look at the CNI and the HNS endpoints of {nodes}: {pods}"
        if control.startswith("0"):
            return f"{control} from the same Pod either: look at the CNI and the routes of {nodes}"
        if control:
            return f"{control} from the same Pod, so look at kube-proxy and its HNS load balancers on {nodes}"
        return f"look at kube-proxy on {nodes}: the Service's HNS load balancer there against its EndpointSlices"

    def command(self, client: Client) -> str:
        """The command of one try, whose exit code says whether an answer came."""
        if self.protocol == "UDP":
            dial = f"host={self.host}&port={self.port}&protocol=udp&request=hostname&tries=1"
            url = f"http://127.0.0.1:{HTTP_PORT}/dial?{dial}"
            asked = f"{client.curl} -g -q -s --max-time {UDP_SECONDS + 2} '{url}'"
            return holding(asked, 'echo "$o" | grep responses > /dev/null')
        options = f"-g -q -sS --fail --connect-timeout {CONNECT_SECONDS} --max-time {ANSWER_SECONDS}"
        if self.large:
            url = f"http://{self.authority}/echo?msg={'A' * LARGE_BYTES}"
            counted = f"{client.curl} {options} '{url}'"
            return holding(counted, f"[ ${{#o}} = {LARGE_BYTES} ]", show="${#o}")
        return f"{client.curl} {options} http://{self.authority}{self.url_path}"

    def read(self, answer: Answer) -> str:
        """What an answer says: a name, or empty when it is none."""
        if not answer.good:
            return ""
        if self.protocol != "UDP":
            return answer.text.strip()
        try:
            responses = json.loads(answer.text).get("responses") or [""]
        except (ValueError, AttributeError):
            return ""
        return str(responses[0])

    def asks(self, client: Client) -> list[Ask]:
        """First answer, then a bare connect, then enough tries to meet every backend, then the hold."""
        line = self.command(client)
        asks = [Ask("first", line, times=FIRST_TRIES, pause=1, until_good=True, longest=self.longest)]
        after: dict[str, Any] = {"then_only_if_good": "first", "longest": self.longest}
        if self.large:
            return [*asks, Ask("hold", line, times=3, **after)]
        if self.protocol == "TCP":
            connect = f"/agnhost connect {self.authority} --timeout=10s --protocol=tcp"
            asks.append(Ask("connect", connect, then_only_if_good="first"))
        if len(self.backends) > 1:
            asks.append(Ask("names", line, times=self.name_tries or NAME_TRIES * len(self.backends), **after))
        return [*asks, Ask("hold", line, times=self.hold_tries, pause=self.hold_pause, **after)]

    def losses(self, asker: Asker, client: Client) -> frozenset[str]:
        """The backends that lose tries when the same client asks them by their Pod IPs, for a leg that lost some."""
        if not self.direct:
            return frozenset()
        answers = asker.ask(
            client, [Ask(name, line, LOSSY_TRIES, 1, longest=ANSWER_SECONDS) for name, line in self._direct(client)]
        )
        return frozenset(name for name in self.direct if not all(answer.good for answer in answers[name]))

    def _direct(self, client: Client) -> list[tuple[str, str]]:
        options = f"-g -q -s --fail --connect-timeout {CONNECT_SECONDS} --max-time {ANSWER_SECONDS}"
        return [(name, f"{client.curl} {options} http://{where}{self.url_path}") for name, where in self.direct.items()]

    def control(self, asker: Asker, client: Client) -> tuple[str, frozenset[str]]:
        """What the same client sees of the backends by their Pod IPs: in a few words, and those it does not reach."""
        if not self.direct:
            return "", frozenset()
        answers = asker.ask(client, [Ask(name, line, longest=ANSWER_SECONDS) for name, line in self._direct(client)])
        silent = frozenset(name for name in self.direct if not any(a.good and a.text == name for a in answers[name]))
        words = f"{len(self.direct) - len(silent)} of {len(self.direct)} backends answer by Pod IP"
        return words, silent


@dataclass(frozen=True)
class Leg:
    """What one client saw of one target. `seconds` are cluster seconds until the first good answer.

    `suspects` are backends that the same client does not reach well by their Pod IPs either.
    """

    client: Client
    target: Target
    judgement: Judgement
    seconds: float
    command: str
    control: str = ""
    suspects: frozenset[str] = frozenset()


class Patience:
    """How long a series is repeated: until its deadline has passed on the cluster's own clock.

    What a series took is measured inside the Pod, and the pause before the next is spent there too, so a simulated
    cluster that a loaded machine slows down gets the time it needs. One whose clock all but stands still is given up
    after some times the deadline on ours: then nothing can be said.
    """

    def __init__(self, timeouts: Timeouts, within: str, clock: Clock) -> None:
        self.spent = 0.0
        self._within, self._limit = within, float(getattr(timeouts, within))
        self._clock, self._give_up = clock, clock.now() + GIVE_UP * timeouts.real(within)

    def over(self, seconds: float, where: str) -> bool:
        """Count a series of that many cluster seconds; raises CouldNotTell when our own time has run out before."""
        self.spent += seconds
        if self.spent < self._limit and self._clock.now() >= self._give_up:
            seen = f"{self.spent:.0f} s went by there"
            raise CouldNotTell(
                Finding("The cluster's clock goes too slowly", where, f"{self._limit:g} s", seen, code="slow")
            )
        return self.spent >= self._limit

    @property
    def pause(self) -> list[Ask]:
        """The wait before another series, none before the first."""
        return [Ask("again", f"sleep {AGAIN_SECONDS}", longest=AGAIN_SECONDS)] if self.spent else []


class Observer:
    """Observes legs with one Asker; `clock` times the repetition until a deadline."""

    def __init__(self, asker: Asker, clock: Clock = SYSTEM_CLOCK) -> None:
        self._asker, self._clock = asker, clock

    def seconds(self, within: str) -> float:
        """Real seconds of the deadline named `within`."""
        return self._asker.timeouts.real(within)

    def leg(self, client: Client, target: Target, within: str, *, after_change: bool = False) -> Leg:
        """Ask until every backend has answered, or until the deadline named `within`; then hold.

        `after_change`: the backends have just changed, and proxies may still send a share of the tries to one that is
        gone. Until `endpoints_follow` has passed a series that lost some is asked again; what is well then has to
        be so in a hundred tries, since a short series can miss a backend that is still gone.
        """
        following = self._asker.timeouts.endpoints_follow if after_change else 0.0
        patience, spoilt = Patience(self._asker.timeouts, within, self._clock), False
        while True:
            answers = self._asker.ask(client, [*patience.pause, *target.asks(client)])
            before = patience.spent + sum(not answer.good for answer in answers["first"])
            seen = self._judged(target, answers)
            if seen.good and spoilt:
                seen = self._with_more_tries(client, target, answers)
            spoilt = after_change and seen.answered and not seen.good
            done = seen.good if patience.spent < following else seen.settled
            if done or patience.over(max(1.0, answers.seconds), str(client.place)):
                break
        if seen.undecided:
            seen = self._with_more_tries(client, target, answers)
        line = "" if target.large else client.repeat(target.command(client))
        if seen.good:
            return Leg(client, target, seen, before, line)
        control, silent = target.control(self._asker, client)
        suspects = target.losses(self._asker, client) if seen.complete else silent
        return Leg(client, target, seen, before, line, control, suspects)

    def fallen_silent(self, client: Client, target: Target, within: str) -> tuple[bool, str, float]:
        """(`target` stopped answering `client` in time, what it last said, after how many cluster seconds)."""
        patience = Patience(self._asker.timeouts, within, self._clock)
        ask = Ask("down", target.command(client), times=3, pause=1, longest=ANSWER_SECONDS)
        while True:
            answers = self._asker.ask(client, [*patience.pause, ask])
            silent = not any(answer.good for answer in answers["down"])
            if silent or patience.over(max(1.0, answers.seconds), str(client.place)):
                said = next((answer.text for answer in reversed(answers["down"]) if answer.good), "")
                return silent, said, patience.spent

    def names_during(self, client: Client, target: Target, tries: int) -> list[str]:
        """The names of `tries` requests, one a second; empty where none came."""
        answers = self._asker.ask(
            client, [Ask("hold", target.command(client), times=tries, pause=1, longest=ANSWER_SECONDS)]
        )
        return [target.read(answer) for answer in answers["hold"]]

    @staticmethod
    def _judged(target: Target, answers: Mapping[str, list[Answer]]) -> Judgement:
        return judge(
            expected=target.expected,
            first=_tries(target, answers["first"]),
            names=_tries(target, answers.get("names", [])),
            hold=[*_connects(answers.get("connect", [])), *_tries(target, answers["hold"])],
        )

    def _with_more_tries(self, client: Client, target: Target, answers: Mapping[str, list[Answer]]) -> Judgement:
        ask = Ask("loss", target.command(client), times=LOSS_TRIES, longest=target.longest)
        more = self._asker.ask(client, [ask])["loss"]
        return self._judged(target, {**answers, "hold": [*answers["hold"], *more]})


def _tries(target: Target, answers: list[Answer]) -> list[Try]:
    tries = []
    for answer in answers:
        said = target.read(answer)
        tries.append(Try(good=bool(said), name=said, said="" if said else _TOOK.sub("", answer.text)[:160]))
    return tries


def _connects(answers: list[Answer]) -> list[Try]:
    return [Try(good=answer.good, name="", said=f"connect: {answer.text[:120]}") for answer in answers]
