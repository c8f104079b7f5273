r"""Storage with and without credentials of the domain: a share, an emptyDir and a folder of the Node.

What is written is told apart by a nonce and read back, also by Pods of other Nodes. Files on the share and on the Node
are no objects of the run's Namespace: they carry its id in their names, the run's journal knows them before they are
written, and they are removed when the test ends.

A Pod without credentials that cannot read shows something only while one with them can, so the one with them writes and
reads before and after, in the same minute.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

from op_readiness.model.errors import CouldNotTell
from op_readiness.model.findings import Finding
from op_readiness.observe import domains
from op_readiness.observe.checks import Check, Checks
from op_readiness.observe.reach import together
from op_readiness.observe.shell import Answer, Ask, Asker, Client
from op_readiness.suite.making import Workshop
from op_readiness.suite.subjects.active_directory.domain_identity import MISSING, listed, listing, ticket_command
from op_readiness.suite.subjects.active_directory.gmsa import Domain, GmsaPods

Object = dict[str, Any]
EMPTY_DIR, HOST_DIR = r"C:\emptydir", r"C:\hostdir"
ON_THE_NODE = r"C:\Windows\Temp"
"""A folder that every Windows Node has; nothing is left in it."""
LOCAL_VOLUMES = (
    {"name": "empty", "emptyDir": {}},
    {"name": "host", "hostPath": {"path": ON_THE_NODE, "type": "Directory"}},
)  # fmt: skip
LOCAL_MOUNTS = ({"name": "empty", "mountPath": EMPTY_DIR}, {"name": "host", "mountPath": HOST_DIR})
TEXT = "This is a test file."
SHARE_SECONDS = 60.0
"""Seconds that a file server which does not answer costs one command at most."""


def writing(path: str, text: str) -> str:
    """sh: one line into a file, by cmd."""
    return f"cmd /S /C 'echo {text}> {path}'"


def reading(path: str) -> str:
    """sh: a file's contents, by cmd."""
    return f"cmd /S /C 'type {path}'"


def removing(path: str) -> str:
    """sh: a file's removal, by cmd."""
    return f"cmd /S /C 'del {path}'"


@dataclass
class Shares:
    """The files of one readiness test. `pods` has Pods with the account and Pods without one, on each Node."""

    workshop: Workshop
    asker: Asker
    pods: GmsaPods
    domain: Domain
    nonce: str = field(default_factory=lambda: secrets.token_hex(4))
    _promised: set[str] = field(default_factory=set)

    # With credentials

    def must_be_read_and_written(self) -> None:
        """Every Pod with the account writes and reads the share, and reads what the next Node's Pod wrote there."""
        holders = list(self.pods.by_node(self.pods.holders).values())
        checks = Checks(self.workshop.recorder)
        for check in together(self.workshop.threads, self._round, holders):
            checks.take(check)
        if checks.taken and all(check.good for check in checks.taken) and len(holders) > 1:
            pairs = list(zip(holders, [*holders[1:], holders[0]], strict=True))
            for check in together(self.workshop.threads, self._read_of, pairs):
                checks.take(check)
        checks.must_hold(
            f"Pods of {self.domain.account}$ do not read and write the share", code="share",
            hint="the share's and the folder's rights; nltest /sc_verify. If only the address works and the name does "
            "not: EnableCompartmentNamespace=1 in the Node's HKLM\\SYSTEM\\CurrentControlSet\\Services\\hns\\State",
        )  # fmt: skip

    def local_must_be_read_and_written(self) -> None:
        """The same Pods write and read their emptyDir and a folder of their Node."""
        checks = Checks(self.workshop.recorder)
        for found in together(self.workshop.threads, self._local, self.pods.holders):
            for check in found:
                checks.take(check)
        checks.must_hold("Pods with a GMSA do not read and write local volumes", code="volume")

    # Without credentials

    def must_be_denied_without(self) -> None:
        """Pods without the account reach nothing on the share, while those with it do, before and after."""
        self._holders_must_work("before")
        checks = Checks(self.workshop.recorder)
        for found in together(self.workshop.threads, self._denied, self.pods.others):
            for check in found:
                checks.take(check)
        self._holders_must_work("after")
        checks.must_hold(
            "The share is open to Pods without credentials", code="share",
            hint="does the share let in anonymous or guest, or has the Node a global mapping (Get-SmbGlobalMapping)?",
        )  # fmt: skip

    def identity_must_be_missing(self) -> None:
        """Pods without the account have no secure channel and get no ticket."""
        checks = Checks(self.workshop.recorder)
        for found in together(self.workshop.threads, self._no_identity, self.pods.others):
            for check in found:
                checks.take(check)
        checks.must_hold("Pods without a GMSA act in the domain", code="domain")

    def _holders_must_work(self, when: str) -> None:
        for check in together(self.workshop.threads, self._round, list(self.pods.by_node(self.pods.holders).values())):
            if not check.good:
                raise CouldNotTell(
                    Finding(f"The Pod with credentials does not reach the share {when} the one without is asked",
                            str(check.place), check.expected, check.seen, "while nobody can, a denial shows nothing",
                            nodes=(check.place.node,), command=check.command, code="twin")
                )  # fmt: skip

    def _round(self, client: Client) -> Check:
        """Write, then read back."""
        path, text = self._file(client), self._text(client)
        answers = self.asker.ask(client, [
            Ask("write", writing(path, text), longest=SHARE_SECONDS), Ask("read", reading(path), longest=SHARE_SECONDS)
        ])  # fmt: skip
        write, read = answers["write"][-1], answers["read"][-1]
        seen = _plain(read.text) if read.good else f"write: {write.text or write.code}; read: {read.text or read.code}"
        return Check("write and read of", client.place, self.domain.allowed, text, seen, read.good and seen == text,
                     client.repeat(reading(path)))  # fmt: skip

    def _read_of(self, pair: tuple[Client, Client]) -> Check:
        client, other = pair
        answer = self._asked(client, reading(self._file(other)))
        text = self._text(other)
        return Check(f"read of the file of {other.place.node} on", client.place, self.domain.allowed, text,
                     _plain(answer.text), answer.good and _plain(answer.text) == text)  # fmt: skip

    def _local(self, client: Client) -> list[Check]:
        found = []
        for kind, folder in (("emptyDir", EMPTY_DIR), ("hostPath", HOST_DIR)):
            path = rf"{folder}\{self._name(client)}"
            if kind == "hostPath":
                on_node = {"node": client.place.node, "path": rf"{ON_THE_NODE}\{self._name(client)}"}
                self._promise(client, path, "host file", on_node)
            text = self._text(client)
            answers = self.asker.ask(client, [Ask("write", writing(path, text)), Ask("read", reading(path))])
            seen = _plain(answers["read"][-1].text)
            found.append(Check("write and read of", client.place, kind, text, seen, seen == text))
        return found

    def _denied(self, client: Client) -> list[Check]:
        holder = self.pods.by_node(self.pods.holders)[client.place.node]
        theirs = self._file(holder)
        own = self._file(client)
        answers = self.asker.ask(client, [
            Ask("read", reading(theirs), longest=SHARE_SECONDS),
            Ask("list", listing(self.domain.allowed), longest=SHARE_SECONDS),
            Ask("write", f"{writing(own, self.nonce)} && {reading(own)}", longest=SHARE_SECONDS),
        ])  # fmt: skip
        checks = [
            Check(f"{act} without credentials", client.place, self.domain.allowed, "an error and no content",
                  _shown(act, answer), not (answer.good or self.nonce in answer.text))
            for act, answer in ((act, answers[act][-1]) for act in ("read", "list", "write"))
        ]  # fmt: skip
        return [*checks, self._nothing_written(client, holder, own)]

    def _nothing_written(self, client: Client, holder: Client, path: str) -> Check:
        """What a Pod without credentials wrote and may not read itself, the Pod with them finds beside its own file."""
        command = f"{reading(path)}; {reading(self._file(holder))}"
        found = self._asked(holder, command)
        written = any(_plain(line) == self.nonce for line in found.text.splitlines())
        if not written and self._text(holder) not in found.text:
            raise CouldNotTell(
                Finding("Whether a Pod without credentials wrote on the share cannot be told", str(holder.place),
                        f"its own file beside: {self._text(holder)}", found.text or f"exit code {found.code}",
                        "while it reads nothing there, that it finds nothing shows nothing",
                        nodes=(holder.place.node,), command=holder.repeat(command), code="twin")
            )  # fmt: skip
        seen = f"{holder.place} reads what it wrote: {_plain(found.text)}" if written else found.text
        return Check("trace of a write without credentials", client.place, self.domain.allowed,
                     "no file of that Pod", seen, not written, holder.repeat(command))  # fmt: skip

    def _no_identity(self, client: Client) -> list[Check]:
        """An error is one that nltest tells by its status, and a ticket is one that the Pod with the account gets."""
        command = ticket_command(f"cifs/{self.domain.host}")
        answers = self.asker.ask(client, [Ask("query", "nltest /query"), Ask("ticket", command)])
        query, ticket = answers["query"][-1], answers["ticket"][-1]
        if not domains.statuses(query.text):
            raise CouldNotTell(_not_asked(client, "nltest /query", "a status", query))
        found = [
            Check("secure channel without credentials to", client.place, self.domain.name, "an error", query.text,
                  not domains.channel_is_well(query.code, query.text))
        ]  # fmt: skip
        if MISSING not in ticket.text:
            good = not _is_ticket(ticket)
            found.append(Check("ticket without credentials for", client.place, f"cifs/{self.domain.host}", "an error",
                               ticket.text[-200:], good))  # fmt: skip
            holder = self.pods.by_node(self.pods.holders)[client.place.node]
            if good and not _is_ticket(twin := self._asked(holder, command)):
                raise CouldNotTell(_not_asked(holder, command, "a ticket in the Pod with the account", twin))
        return found

    # Files

    def _name(self, client: Client) -> str:
        return f"opr-{self.workshop.context.run_id}-{self.nonce}-{client.pod}.txt"

    def _text(self, client: Client) -> str:
        return f"{TEXT} {self.nonce} {client.pod}"

    def _file(self, client: Client) -> str:
        path = rf"{self.domain.allowed.rstrip(chr(92))}\{self._name(client)}"
        holder = self.pods.by_node(self.pods.holders).get(client.place.node)
        if holder is not None:
            on_share = {"node": holder.place.node, "path": path, "credential_spec": self.domain.spec}
            self._promise(holder, path, "share file", on_share)
        return path

    def _promise(self, client: Client, path: str, kind: str, data: Object) -> None:
        """Have a file removed when the test is over, once, by a Pod that may; and by a clean-up if the test dies."""
        if path not in self._promised:
            self._promised.add(path)
            self.workshop.promise(kind, data, lambda: self._remove(client, path))

    def _remove(self, client: Client, path: str) -> None:
        """Remove a file; raises CouldNotTell where it may still be there, so that the journal keeps it."""
        answer = self._asked(client, f"{removing(path)}; {reading(path)}")
        if answer.good or domains.not_reached(answer.text):
            raise CouldNotTell(
                Finding("A file of ours could not be removed", str(client.place), f"{path} is gone", answer.text)
            )

    def _asked(self, client: Client, command: str) -> Answer:
        return self.asker.ask(client, [Ask("one", command, longest=SHARE_SECONDS)])["one"][-1]


def _is_ticket(answer: Answer) -> bool:
    """Whether klist shows whose ticket it got."""
    return answer.good and "@" in answer.text


def _not_asked(client: Client, command: str, expected: str, answer: Answer) -> Finding:
    return Finding(
        "Who a Pod without credentials is to the domain cannot be told", str(client.place), expected,
        answer.text or f"exit code {answer.code}", "while this is not answered, an error shows nothing",
        (client.place.node,), client.repeat(command), code="twin",
    )  # fmt: skip


def _shown(act: str, answer: Answer) -> str:
    if act == "list" and answer.good:
        return listed(answer.text)
    return answer.text or f"exit code {answer.code}"


def _plain(text: str) -> str:
    """Contents of a file without a byte order mark and the blanks that cmd's echo adds."""
    return text.lstrip("\ufeff").strip()


