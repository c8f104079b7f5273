"""A Linux Pod outside of what is restarted, that asks the Service all the time, and is asked itself."""

from __future__ import annotations

from dataclasses import dataclass, field

from op_readiness.model.facts import NodeFact
from op_readiness.observe.finished import written
from op_readiness.observe.outage import Beat, Outage, asking, beats, outage
from op_readiness.observe.shell import Client
from op_readiness.suite.making import Workshop

NAME = "asking"


@dataclass
class Asking:
    """Its Pod runs on `node`; what it has seen since the last look is read from its log."""

    workshop: Workshop
    node: NodeFact
    client: Client = field(init=False)
    seen: int = 0

    def start(self, url: str) -> None:
        """Ask from now on."""
        made = self.workshop.pod(NAME, "linux", self.node, [], container={"command": asking(url)})
        del made["spec"]["containers"][0]["args"]
        [self._pod] = self.workshop.pods([made], until_ready=False)
        self.client = Client.of(self._pod, self.node)

    def look(self) -> Outage:
        """How long the Service was silent since the last look."""
        found = self._beats()
        since = found[max(0, self.seen - 1) :]  # with the last one from before, to measure from
        self.seen = len(found)
        return outage(since)

    def _beats(self) -> list[Beat]:
        return beats(written(self.workshop.cluster, self.workshop.recorder, self._pod, self.workshop.context.timeouts))
