"""A share that lets a Pod without credentials write and not read is open to it, though all it sees is an error."""

from types import SimpleNamespace

import pytest

from op_readiness.model.errors import CouldNotTell
from op_readiness.model.facts import NodeFact
from op_readiness.observe.shell import Answer, Client
from op_readiness.suite.subjects.active_directory.shares import Shares

OWN = "This is a test file. n0nce gmsa-0-0"
"""What the Pod with credentials has written itself before."""
NODE = NodeFact("win-1", "windows", "10.0.20348.1")
PLAIN, HOLDER = Client.at("ns", "plain-0", NODE), Client.at("ns", "gmsa-0-0", NODE)
DENIED = Answer(1, "Access is denied.")


class Share:
    """Answers every command of the Pod without credentials with a denial, and the one with them as told."""

    def __init__(self, found):
        self.found = found

    def ask(self, client, asks):
        return {ask.key: [self.found if client == HOLDER else DENIED] for ask in asks}


def denied(found):
    pods = SimpleNamespace(holders=[HOLDER], others=[PLAIN], by_node=lambda clients: {"win-1": clients[0]})
    domain = SimpleNamespace(allowed="\\\\files\\apps", spec="webapp01", name="corp.example", host="dc")
    context = SimpleNamespace(run_id="abc")
    shop = SimpleNamespace(context=context, promise=lambda *_: None)
    return Shares(shop, Share(found), pods, domain, nonce="n0nce")._denied(PLAIN)


def test_what_the_other_pod_finds_was_written():
    """Its contents are those of the Pod without credentials."""
    bad = [check for check in denied(Answer(0, f"n0nce\n{OWN}")) if not check.good]
    assert [check.path for check in bad] == ["trace of a write without credentials"]


@pytest.mark.parametrize("found", [
    Answer(0, f"The system cannot find the file specified.\n{OWN}"), Answer(0, f"other\n{OWN}"),
])  # fmt: skip
def test_no_file_or_that_of_somebody_else_is_none(found):
    """Nothing was written."""
    assert all(check.good for check in denied(found))


@pytest.mark.parametrize("found", [Answer(1, "The network path was not found."), Answer(0, "")])
def test_who_does_not_find_his_own_file_has_not_looked(found):
    """Then that he finds no other one shows nothing."""
    with pytest.raises(CouldNotTell, match="cannot be told"):
        denied(found)


NO_CHANNEL = "I_NetLogonControl failed: Status = 1722 0x6ba RPC_S_SERVER_UNAVAILABLE"
TICKET = Answer(0, "#0> Client: webapp01$ @ CORP.EXAMPLE")


class Who(Share):
    """nltest and klist in the Pod without credentials, and klist in the one with them."""

    def __init__(self, query, holder):
        self.query, self.holder = query, holder

    def ask(self, client, asks):
        said = {"query": self.query, "ticket": Answer(1, "klist failed with 0xc000018b"), "one": self.holder}
        return {ask.key: [said[ask.key]] for ask in asks}


def identity(query, holder=TICKET):
    pods = SimpleNamespace(holders=[HOLDER], others=[PLAIN], by_node=lambda clients: {"win-1": clients[0]})
    domain = SimpleNamespace(name="corp.example", host="dc")
    return Shares(SimpleNamespace(), Who(query, holder), pods, domain)._no_identity(PLAIN)


def test_an_error_of_nltest_and_of_klist_is_no_identity():
    """nltest tells its status, and the Pod with the account gets a ticket in the same minute."""
    assert [check.good for check in identity(Answer(1, NO_CHANNEL))] == [True, True]


@pytest.mark.parametrize(("query", "holder"), [
    (Answer(127, "sh: nltest: not found"), TICKET), (Answer(1, NO_CHANNEL), Answer(1, "klist failed with 0xc000018b")),
])  # fmt: skip
def test_what_nobody_could_ask_shows_no_missing_identity(query, holder):
    """A program that is not there, and a ticket that the Pod with the account does not get either."""
    with pytest.raises(CouldNotTell, match="cannot be told"):
        identity(query, holder)
