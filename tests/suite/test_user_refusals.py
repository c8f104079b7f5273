"""How a Pod says that its user is refused, and what is no word of its user at all."""

from types import SimpleNamespace

import pytest

from op_readiness.cluster.watching import WatchTimeout
from op_readiness.model.errors import AbilityNotMet, CouldNotTell
from op_readiness.model.findings import Finding
from op_readiness.suite.subjects.active_directory import refused_users
from op_readiness.suite.subjects.active_directory.refused_users import NON_ROOT, root_shows, started, unknown_shows
from op_readiness.suite.subjects.active_directory.users import as_refused_logon


def pod(**state):
    return {"status": {"phase": "Pending", "containerStatuses": [{"name": "main", "state": state}]}}


WAITING = pod(waiting={"reason": "ContainerCreating"})


@pytest.mark.parametrize(
    ("seen", "events", "shown"),
    [
        (pod(terminated={"reason": "StartError", "message": "no such user"}), [], "StartError: no such user"),
        (pod(terminated={"reason": "ContainerCannotRun"}), [], "ContainerCannotRun: "),
        (WAITING, ["FailedCreatePodSandBox: Der Benutzername oder das Kennwort ist falsch."], "FailedCreatePodSandBox"),
        (WAITING, ["FailedCreatePodSandBox: plugin type=azure-vnet failed: no network"], ""),
        (WAITING, ["Failed: something"], ""),
        (pod(running={}), [], ""),
    ],
)
def test_an_unknown_user_shows_in_the_sandbox_or_the_container(seen, events, shown):
    """In any language; a sandbox that fails for its network says nothing of users."""
    found = unknown_shows(seen, events)
    assert found.startswith(shown) if shown else found == ""


def test_non_root_is_the_kubelets_word():
    """As a waiting state or an Event; another configuration error is none."""
    words = f"container's runAsUserName (ContainerAdministrator) {NON_ROOT}"
    refused = pod(waiting={"reason": "CreateContainerConfigError", "message": words})
    assert root_shows(refused, []) == words
    assert root_shows(WAITING, [f"Failed: Error: {words}"]).endswith(words)
    other = pod(waiting={"reason": "CreateContainerConfigError", "message": 'configmap "x" not found'})
    assert root_shows(other, []) == ""


def test_what_has_run_was_not_refused():
    """Also what has ended already; what could not be started has not run."""
    assert started(pod(running={})) and started(pod(terminated={"reason": "Error", "exitCode": 1}))
    assert not started(WAITING) and not started(pod(terminated={"reason": "StartError"})) and not started({})


@pytest.mark.parametrize(
    ("code", "seen", "kind"),
    [
        ("pods", "Failed, StartError: The user name or password is incorrect.", AbilityNotMet),
        ("pods", "Pending, CreateContainerConfigError container has runAsNonRoot and ...", AbilityNotMet),
        ("pods", "Pending, ErrImagePull: no match for platform", CouldNotTell),
        ("exec", "The user name or password is incorrect.", CouldNotTell),
    ],
)
def test_a_logon_that_is_refused_is_the_abilitys_answer(code, seen, kind):
    """Only where it kept a Pod from starting."""
    error = CouldNotTell(Finding("Pods did not come up", "here", "Running", seen, code=code))
    assert type(as_refused_logon(error)) is kind


def stayed(monkeypatch, later, timely=True):
    """What stays of a refusal if the Pod looks like `later` a while after, with or without an Event of it."""

    def wait_for(_, kind, namespace, met, *, within):
        assert (kind, namespace, within) == ("Event", "ns", refused_users.STAYS_SECONDS / 2)
        if not (timely and met([])):
            raise WatchTimeout(kind, within, [], None)

    shop = SimpleNamespace(cluster=None, namespace="ns", context=SimpleNamespace(timeouts=SimpleNamespace(scale=0.5)))
    made = refused_users.RefusedUsers(shop, None, [], [], unknown_shows, {})
    made._look = lambda: {"unknown-pod-0": (later, [])}
    monkeypatch.setattr(refused_users, "wait_for", wait_for)
    return made._stayed({"unknown-pod-0": (WAITING, ["FailedCreatePodSandBox: sandbox name is reserved"])})


@pytest.mark.parametrize("timely", [True, False])
def test_a_start_that_failed_once_is_no_refusal(monkeypatch, timely):
    """A sandbox fails for many reasons; the Pod that runs a moment later runs as the unknown user."""
    found, _ = stayed(monkeypatch, pod(running={}), timely)["unknown-pod-0"]
    assert started(found)


def test_a_refusal_that_lasts_stays_one(monkeypatch):
    """The Pod is as it was."""
    found, _ = stayed(monkeypatch, WAITING)["unknown-pod-0"]
    assert not started(found)
