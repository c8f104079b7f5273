"""A Windows Pod as a user of its domain: secure channel, tickets, real look-ups, and what it may not reach.

Two witnesses, because one lies: nltest has said success beside an error, and both trust commands have been well while
every look-up failed. Several Pods on each Node, more than most sites have controllers, since accounts that are used
many times at once have lost their trust (microsoft/Windows-Containers#405).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from op_readiness.model.errors import CouldNotTell
from op_readiness.model.findings import Finding
from op_readiness.observe import domains
from op_readiness.observe.checks import Check, Checks
from op_readiness.observe.reach import together
from op_readiness.observe.shell import Answer, Ask, Asker, Client
from op_readiness.suite.making import Workshop
from op_readiness.suite.subjects.active_directory.gmsa import Domain, GmsaPods

LOOKUPS, SESSIONS = 30, 3
"""Tickets that each Pod asks for, and shares that it opens: a loss of 7 in 100 shows in 90 of them but once in 600."""
MISSING = "klist is not in the image"


def ticket_command(service: str) -> str:
    """sh: a new ticket for a service; exit code 0 with a word where the image has no klist."""
    get = f"klist purge >/dev/null 2>&1; klist get {service}"
    return f"if command -v klist >/dev/null 2>&1; then {get}; else echo '{MISSING}'; fi"


def listing(unc: str) -> str:
    """sh: a listing of a share by cmd, which speaks SMB as the process's own account; quotes do not survive an exec."""
    return f"cmd /S /C 'dir /b {unc}'"


def listed(text: str) -> str:
    """What a finding says of a listing: how long it is, and no name of what may be nobody's business."""
    return f"listed {len(text.splitlines())} names"


@dataclass
class DomainIdentity:
    """Looks at every Pod with the account."""

    workshop: Workshop
    asker: Asker
    pods: GmsaPods
    domain: Domain

    def must_hold(self) -> None:
        """Channel, domain name, tickets and look-ups of every Pod; raises AbilityNotMet."""
        checks = Checks(self.workshop.recorder)
        for found in together(self.workshop.threads, self._seen, self.pods.holders):
            for check in found:
                checks.take(check)
        checks.must_hold(
            f"Pods do not act as {self.domain.account}$ in {self.domain.name}", code="domain",
            hint=f"nltest /sc_verify:{self.domain.name} in such a Pod; who may retrieve the account's password, DNS "
            "(TCP too), and the ways from these Nodes to a domain controller",
        )  # fmt: skip

    def must_be_kept_out(self) -> None:
        """The share that the account may not use refuses it, while the domain answers the same Pod."""
        first = self.pods.by_node(self.pods.holders).values()
        checks = Checks(self.workshop.recorder)
        if not self.domain.denied:
            for client in first:
                why = "gmsa.smbUncDenied is not given"
                checks.not_tested("access to a closed share", client.place, "smbUncDenied", why)
            self._show_what_can_be(checks, list(first))
            return
        for client, answer in together(self.workshop.threads, self._closed, list(first)):
            checks.take(
                Check("access to a closed share", client.place, self.domain.denied, "access is denied",
                      answer.text if not answer.good else listed(answer.text), not answer.good,
                      client.repeat(listing(self.domain.denied)))
            )  # fmt: skip
        checks.must_hold("A share that is closed to the account is open to it", code="share")

    def _show_what_can_be(self, checks: Checks, clients: Sequence[Client]) -> None:
        """Without a share that is closed to the account: that of a server's administrators refuses it. An account that
        is let in there may be one of them, which nobody denied it, so that is told and not judged.
        """
        share = rf"\\{self.domain.host}\ADMIN$"
        self.workshop.recorder.note(
            "warning: not shown that the account is kept out of what is closed to it: gmsa.smbUncDenied is not given. "
            f"A refusal by {share} says only that it is no administrator there"
        )
        for client, (closed, opened) in zip(
            clients, together(self.workshop.threads, lambda one: self._both(one, share), clients), strict=True
        ):
            if closed.good:
                self.workshop.recorder.note(f"warning: {client.place}: the account opens {share}")
            if closed.good or not opened.good or domains.not_reached(closed.text):
                why = listed(closed.text) if closed.good else closed.text if opened.good else opened.text
                checks.not_tested("access to an administrative share", client.place, share, why)
                continue
            checks.take(Check("access to an administrative share", client.place, share, "access is denied",
                              closed.text, True))  # fmt: skip

    def _both(self, client: Client, closed: str) -> tuple[Answer, Answer]:
        """What a closed share and one that is open to every account of the domain answer."""
        asks = [Ask("closed", listing(closed), longest=45.0), Ask("open", listing(self._open_one), longest=45.0)]
        answers = self.asker.ask(client, asks)
        return answers["closed"][-1], answers["open"][-1]

    @property
    def _open_one(self) -> str:
        return rf"\\{self.domain.name}\SYSVOL"

    def _seen(self, client: Client) -> list[Check]:
        channel = self._channel(client)
        answers = self.asker.ask(client, [
            Ask("parent", "nltest /parentdomain"),
            Ask("ticket", ticket_command(f"cifs/{self.domain.host}"), times=LOOKUPS),
            Ask("lookup", listing(self._open_one), times=SESSIONS, longest=45.0),
            Ask("whoami", "whoami"),
        ])  # fmt: skip
        local = answers["whoami"][-1].text
        self.workshop.recorder.note(f"whoami in Pods with the account: {local} (its local account, as it should be)")
        tickets, lookups = answers["ticket"], answers["lookup"]
        checks = [
            self._parent(client, answers["parent"][-1]),
            self._tickets(client, tickets),
            self._lookups(client, lookups),
        ]
        well = all(check.good for check in checks)
        if not channel.good and well and MISSING not in tickets[0].text:
            self.workshop.recorder.note(
                f"{client.place}: {channel.seen}; tickets and look-ups work, so the ability is not judged by it"
            )
            return checks
        return [channel, *checks]

    def _channel(self, client: Client) -> Check:
        """`nltest /query`; what is not well is reset and asked again for a minute, as e2e does."""
        name, until = self.domain.name, time.monotonic() + self.workshop.context.timeouts.real("domain_joined")
        queries = [Ask("query", "nltest /query"), Ask("verify", f"nltest /sc_verify:{name}", longest=30.0)]
        while True:
            answers = self.asker.ask(client, queries)
            bad = [one for one in (answers["query"][-1], answers["verify"][-1]) if not _well(one)]
            if not bad or time.monotonic() > until:
                break
            self.asker.ask(client, [Ask("reset", f"nltest /sc_reset:{name}", pause=1.0, longest=30.0)])
        seen = bad[0].text if bad else "NERR_Success"
        return Check("secure channel to", client.place, name, "every status 0", seen, not bad,
                     client.repeat(f"nltest /sc_verify:{name}"))  # fmt: skip

    def _parent(self, client: Client, answer: Answer) -> Check:
        named = domains.parent_domain(answer.text)
        good = answer.good and named == self.domain.name.lower() and not domains.has_error(answer.text)
        return Check("nltest /parentdomain names", client.place, self.domain.name, self.domain.name,
                     named or answer.text, good, client.repeat("nltest /parentdomain"))  # fmt: skip

    def _tickets(self, client: Client, answers: Sequence[Answer]) -> Check:
        service = f"cifs/{self.domain.host}"
        if MISSING in answers[0].text:
            self.workshop.recorder.note(f"tickets were not looked at: {MISSING}")
            return Check("ticket for", client.place, service, "not looked at", MISSING, True)
        account, domain = self.domain.account, self.domain.name
        bad = [one for one in answers if not (one.good and domains.is_client(one.text, account, domain))]
        seen = f"{len(bad)} of {len(answers)} failed: {bad[0].text[-200:]}" if bad else f"{len(answers)} tickets"
        return Check("ticket for", client.place, service, f"{len(answers)} of {account}$ @ {domain.upper()}", seen,
                     not bad, client.repeat(f"klist get {service}"))  # fmt: skip

    def _lookups(self, client: Client, answers: Sequence[Answer]) -> Check:
        share = rf"\\{self.domain.name}\SYSVOL"
        bad = [one for one in answers if not one.good]
        seen = f"{len(bad)} of {len(answers)} failed: {bad[0].text}" if bad else f"{len(answers)} times"
        return Check("look-up by", client.place, share, "open to every account of the domain", seen, not bad,
                     client.repeat(listing(share)))  # fmt: skip

    def _closed(self, client: Client) -> tuple[Client, Answer]:
        open_one = self._open_one
        closed, opened = self._both(client, self.domain.denied)
        if not closed.good and (domains.not_reached(closed.text) or not opened.good):
            why = closed.text if domains.not_reached(closed.text) else f"{open_one}: {opened.text}"
            raise CouldNotTell(
                Finding("Whether a share is closed cannot be told while it, or an open one, is not reached",
                        str(client.place), f"{self.domain.denied} refuses, {open_one} opens", why,
                        nodes=(client.place.node,), code="twin")
            )  # fmt: skip
        return client, closed


def _well(answer: Answer) -> bool:
    return domains.channel_is_well(answer.code, answer.text)
