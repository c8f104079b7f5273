"""A share that lets a Pod without credentials write and not read is open to it, though all it sees is an error."""

from types import SimpleNamespace

import pytest

from op_readiness.model.facts import NodeFact
from op_readiness.observe.shell import Answer, Client
from op_readiness.suite.subjects.active_directory.shares import Shares

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
    bad = [check for check in denied(Answer(0, "n0nce")) if not check.good]
    assert [check.path for check in bad] == ["trace of a write without credentials"]


@pytest.mark.parametrize("found", [Answer(1, "The system cannot find the file specified."), Answer(0, "other")])
def test_no_file_or_that_of_somebody_else_is_none(found):
    """Nothing was written."""
    assert all(check.good for check in denied(found))
