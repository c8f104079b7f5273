"""Without a share that is closed to the account a pass says what it does not show."""

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from op_readiness.model.facts import NodeFact
from op_readiness.observe.recorder import Recorder
from op_readiness.observe.shell import Answer, Client
from op_readiness.suite.subjects.active_directory.domain_identity import DomainIdentity
from op_readiness.suite.subjects.active_directory.gmsa import Domain

POD = Client.at("ns", "gmsa-0-0", NodeFact("win-1", "windows", "10.0.20348"))
DENIED, LISTED, UNMET = Answer(1, "Access is denied."), Answer(0, "a\nb"), Answer(1, "The network path was not found.")


def looked(closed, opened):
    recorder = Recorder()
    with ThreadPoolExecutor() as threads:
        shop = SimpleNamespace(recorder=recorder, threads=threads)
        asker = SimpleNamespace(ask=lambda client, asks: {"closed": [closed], "open": [opened]})
        pods = SimpleNamespace(holders=[POD], by_node=lambda clients: {"win-1": clients[0]})
        domain = Domain("corp.example", "webapp01", "webapp01", controller="dc1.corp.example")
        DomainIdentity(shop, asker, pods, domain).must_be_kept_out()
    return {part.path: str(part.outcome) for part in recorder.parts}, recorder.notes.texts


def test_a_refusal_of_administrators_shares_is_shown_and_what_is_missing_is_told():
    """The share itself stays untested, with a warning."""
    parts, notes = looked(DENIED, LISTED)
    assert parts == {"access to a closed share": "skipped", "access to an administrative share": "passed"}
    assert len(notes) == 1 and "gmsa.smbUncDenied" in notes[0]


@pytest.mark.parametrize(("closed", "opened"), [(LISTED, LISTED), (DENIED, DENIED), (UNMET, LISTED)])
def test_nothing_is_shown_by_an_administrator_or_without_a_way(closed, opened):
    """An account that is let in, and one that is refused everywhere."""
    parts, notes = looked(closed, opened)
    assert set(parts.values()) == {"skipped"}
    assert any("opens" in note for note in notes) == closed.good
