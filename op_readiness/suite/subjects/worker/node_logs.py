"""Node log query: events of a Windows service and a file through the kubelet, with the options that narrow events.

On Windows the answer is a table that PowerShell folds at the console's width, so blanks and line ends are taken out
before anything is compared, and short words are looked for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from urllib.parse import urlencode

from op_readiness.model.errors import AbilityNotMet, CouldNotTell, NotApplicable, NotTested
from op_readiness.model.facts import NodeFact
from op_readiness.model.findings import Finding, Outcome, Part
from op_readiness.observe.kubelet import Answered, Kubelets
from op_readiness.observe.recorder import Recorder
from op_readiness.suite.subjects.worker.hosts import Hosts
from op_readiness.suite.subjects.worker.log_files import LogFiles

Object = dict[str, Any]
PROVIDER, HEAD = "Microsoft-Windows-Security-SPP", "ProviderName: Microsoft-Windows-Security-SPP"
TAIL, PATTERN = 3, "Health"
LONG_AGO = "2000-01-01T00:00:00Z"
DEADLINE = 40.0
"""Cluster seconds for one query: the kubelet itself stops after 30."""
SOURCE = "https://kubernetes.io/docs/concepts/cluster-administration/system-logs/#log-query"
_EVENT = re.compile(r"^\s*\d{1,4}([/.-])\s?\d{1,2}\1\s?\d{1,4}\.?\s+(?:\D{1,4}\s)?\d{1,2}[:.]\d{2}", flags=re.MULTILINE)
"""The line that an event begins with: its time, as the language of the Node writes dates."""
_ROWS = re.compile(r"^\s*----.*\n\s*\S", flags=re.MULTILINE)


@dataclass
class NodeLogs:
    """The kubelets of the selected Windows Nodes."""

    kubelets: Kubelets
    recorder: Recorder
    nodes: Sequence[NodeFact]
    hosts: Hosts
    before: dict[str, tuple[int, int]] = field(default_factory=dict)
    told: dict[str, Object] = field(default_factory=dict)

    def must_be_answered(self) -> None:
        """Events and a file come; tailLines, pattern and sinceTime narrow events; boot is refused.

        Nodes with the query off are left out.
        """
        off = [node for node in self.nodes if self._off(node)]
        for node in off:
            why = "the kubelet's enableSystemLogQuery is off"
            self.recorder.part(Part("node log query", node.place, "", Outcome.SKIPPED, node.name, reason=why))
        if len(off) == len(self.nodes):
            raise NotApplicable("node log query is off on every Windows Node", source=SOURCE)
        on = [node for node in self.nodes if node not in off]
        self._ask_nodes(on)
        findings = []
        for node in self.nodes:
            if node in on:
                bad = [*self._wrong(node), *self._wrong_file(node)]
                outcome = Outcome.FAILED if bad else Outcome.PASSED
                self.recorder.part(Part("node log query", node.place, PROVIDER, outcome, node.name))
                findings += [_finding(node, bad)] if bad else []
        if findings:
            raise AbilityNotMet(*findings)

    def _ask_nodes(self, on: Sequence[NodeFact]) -> None:
        """What the Nodes themselves have of the provider's events, by HostProcess Pods where there may be any."""
        self.hosts.nodes = on
        why = {node.name: "no answer" for node in on}
        try:
            self.told = self.hosts.ask("event-count", given={"OPR_PROVIDER": PROVIDER, "OPR_PATTERN": PATTERN})
            why |= {place: str(one.seen) for one in self.hosts.unknown for place in one.nodes}
        except (CouldNotTell, NotTested) as error:
            words = f"{error.reason}: {error}" if isinstance(error, NotTested) else f"not found out: {error}"
            why = dict.fromkeys(why, words)
        why |= {name: said["error"] for name, said in self.told.items() if said["error"]}
        self.told = {name: said for name, said in self.told.items() if not said["error"]}
        for node in (one for one in on if one.name not in self.told):
            self.recorder.part(
                Part("events by the Node itself", node.place, PROVIDER, Outcome.SKIPPED, node.name,
                     reason=why[node.name])
            )  # fmt: skip

    def _not_the_nodes(self, node: NodeFact, whole: Answered) -> list[str]:
        """A Node's own count lies between the kubelet's before and after; a log that was cleared shows nothing."""
        if node.name not in self.told:
            return []
        wrong, after = [], _counts(whole.body)
        for name, least, most in zip(("total", "matching"), self.before[node.name], after, strict=True):
            own = self.told[node.name][name]
            if least <= most and not least <= own <= most:
                what = PROVIDER if name == "total" else f"{PROVIDER} with {PATTERN}"
                wrong.append(f"{what}: {least} events, then {most}; the Node itself tells {own}")
        return wrong

    def _off(self, node: NodeFact) -> bool:
        """Off: the query is not looked at and the folder is listed, or the whole handler is off."""
        answer = self._ask(node)
        self.before[node.name] = _counts(answer.body)
        listing = answer.status == 200 and "html" in answer.content_type.lower()
        return listing or answer.status in (404, 405)

    def _wrong(self, node: NodeFact) -> list[str]:
        whole = self._ask(node)
        if HEAD not in whole.body:
            if "No events were found" in whole.body:
                raise CouldNotTell(_no_events(node, whole))
            return [f"query={PROVIDER}: {whole.status} {_short(whole)} without {HEAD!r}"]
        if not _events(whole.body) and _ROWS.search(whole.body):
            raise CouldNotTell(_unread(node, whole))
        tail, matching = self._ask(node, tailLines=TAIL), self._ask(node, pattern=PATTERN)
        boot = self._ask(node, boot=0)
        total = len(_EVENT.findall(whole.body))
        wrong = []
        if tail.status != 200 or len(_EVENT.findall(tail.body)) != min(TAIL, total):
            wrong.append(f"tailLines={TAIL}: {tail.status}, {len(_EVENT.findall(tail.body))} of {total} events")
        if other := self._not_matching(whole, matching):
            wrong.append(f"pattern={PATTERN}: {other}")
        wrong += [*self._wrong_since(node, total), *self._not_the_nodes(node, whole)]
        if boot.status != 406 or "not supported on Windows" not in boot.body:
            wrong.append(f"boot=0: {boot.status} {_short(boot)} in place of 406, not supported on Windows")
        self.recorder.figure(f"{node.name} events of {PROVIDER}", total)
        return wrong

    def _wrong_since(self, node: NodeFact, total: int) -> list[str]:
        """Since long ago events come as without it; since a year from now, whatever the Node's clock says, none."""
        later = (datetime.now(UTC) + timedelta(days=365)).strftime("%Y-%m-%dT%H:%M:%SZ")
        wrong = []
        for since, expected in ((LONG_AGO, "some"), (later, "none")):
            answer = self._ask(node, sinceTime=since)
            seen = len(_EVENT.findall(answer.body))
            if answer.status != 200 or bool(seen) != (expected == "some"):
                wrong.append(f"sinceTime={since}: {answer.status}, {seen} of {total} events in place of {expected}")
        return wrong

    def _wrong_file(self, node: NodeFact) -> list[str]:
        """A file is asked for where the kubelet lists one."""
        path, bad = LogFiles(self.kubelets, node).judged()
        why = "; ".join(bad) if path else r"no log file is found below C:\var\log"
        outcome = Outcome.FAILED if bad else Outcome.PASSED if path else Outcome.SKIPPED
        self.recorder.part(Part("node log query", node.place, f"file {path}".strip(), outcome, node.name, reason=why))
        return bad

    @staticmethod
    def _not_matching(whole: Answered, matching: Answered) -> str:
        """What is wrong with the events that match: one has not the word, or they are not as many as have it."""
        if matching.status != 200:
            return f"{matching.status} {_short(matching)}"
        wanted = sum(PATTERN.lower() in event.lower() for event in _events(whole.body))
        events = _events(matching.body)
        if others := sum(PATTERN.lower() not in event.lower() for event in events):
            return f"{len(events)} events, {others} of them without the word"
        seen = len(events)
        return "" if seen == wanted else f"{seen} events, of which {wanted} should match"

    def _ask(self, node: NodeFact, **options: object) -> Answered:
        query = urlencode({"query": PROVIDER, **options})
        return self.kubelets.any_answer(node, f"logs/?{query}", seconds=DEADLINE)


def _events(text: str) -> list[str]:
    """Each event's lines, joined as they were before they were folded."""
    starts = [found.start() for found in _EVENT.finditer(text)]
    return ["".join(text[a:b].split()) for a, b in pairwise([*starts, len(text)])]


def _counts(text: str) -> tuple[int, int]:
    """How many events there are, and how many with the pattern's word."""
    events = _events(text)
    return len(events), sum(PATTERN.lower() in event.lower() for event in events)


def _short(answer: Answered) -> str:
    return repr(" ".join(answer.body.split())[:120])


def _no_events(node: NodeFact, answer: Answered) -> Finding:
    return Finding(
        "The Node has no events to look for", f"Node {node.name}", f"events of {PROVIDER}", _short(answer),
        nodes=(node.name,), code="control",
    )  # fmt: skip


def _unread(node: NodeFact, answer: Answered) -> Finding:
    rows = " ".join(answer.body.rpartition("----")[2].split())
    return Finding(
        "The Node's events cannot be told apart", f"Node {node.name}", "rows that begin with a date and a time",
        repr(rows[:120]), "compare them by hand: kubectl get --raw "
        f"'/api/v1/nodes/{node.name}/proxy/logs/?query={PROVIDER}'", (node.name,), code="control",
    )  # fmt: skip


def _finding(node: NodeFact, wrong: Sequence[str]) -> Finding:
    return Finding(
        "Node log query does not give what was asked for", f"Node {node.name}",
        f"events of {PROVIDER}; {TAIL} with tailLines, only matching ones with pattern, none before sinceTime, "
        "406 with boot; files as they are, 406 for one that is not there",
        "\n".join(wrong), f"kubectl get --raw '/api/v1/nodes/{node.name}/proxy/logs/?query={PROVIDER}'", (node.name,),
        code="node-logs",
    )  # fmt: skip
