"""Which Node a pattern of legs accuses."""

from op_readiness.observe.blame import Sighting, accused

WINDOWS = frozenset({"win-1", "win-2", "win-3"})


def test_a_client_that_misses_every_target_is_accused():
    """Its load balancers are broken, not the Nodes that run the backends."""
    legs = [
        Sighting(good=client != "win-2", client=client, backends=frozenset({"win-1", "win-3"}))
        for client in ("win-1", "win-2", "win-3", "linux-1")
    ]
    assert accused(legs, WINDOWS) == ("win-2",)


def test_a_target_that_nobody_reaches_is_accused():
    """From everywhere but itself: its Pods have no way in."""
    legs = [
        Sighting(good=target != "win-1" or client == "win-1", client=client, target=target)
        for client in WINDOWS
        for target in WINDOWS
    ]
    assert accused(legs, WINDOWS) == ("win-1",)


def test_the_home_of_a_backend_that_nobody_meets_is_accused():
    """A missing backend narrows the suspects to where it runs."""
    legs = [Sighting(False, client=client, backends=frozenset({"win-3"})) for client in ("linux-1", "win-1", "win-2")]
    assert accused(legs, WINDOWS) == ("win-3",)


def test_one_client_that_misses_remote_backends_is_accused_itself():
    """The other clients meet the same backends."""
    legs = [Sighting(True, client="win-2", backends=frozenset({"win-1", "win-2", "win-3"}))]
    legs += [Sighting(True, client="linux-1", backends=frozenset({"win-1", "win-2", "win-3"}))]
    legs += [Sighting(False, client="win-1", backends=frozenset({"win-2", "win-3"}))]
    assert accused(legs, WINDOWS) == ("win-1",)


def test_nobody_is_accused_when_all_is_well():
    """Good legs accuse nobody."""
    assert accused([Sighting(True, client="win-1")], WINDOWS) == ()


def test_the_windows_end_of_a_single_bad_path_is_accused():
    """Linux meets the other Windows Nodes, and they meet this one."""
    legs = [Sighting(target != "win-2", "linux-1", target) for target in WINDOWS]
    legs += [Sighting(True, client, target) for client in WINDOWS for target in WINDOWS]
    assert accused(legs, WINDOWS) == ("win-2",)


def test_a_node_that_fails_now_and_then_is_accused_though_some_legs_were_lucky():
    """Losses from everywhere to one Node's backend, and two legs that met a good moment."""
    everybody = frozenset({"win-1", "win-2", "win-3"})
    legs = [Sighting(False, client, backends=frozenset({"win-2"})) for client in ("win-1", "win-3") for _ in range(3)]
    legs += [Sighting(False, "linux-1", backends=frozenset({"win-2"}))]
    legs += [Sighting(True, "linux-1", backends=everybody) for _ in range(2)]
    legs += [Sighting(False, "win-2", backends=frozenset({"win-1", "win-3"})) for _ in range(3)]
    assert accused(legs, WINDOWS) == ("win-2",)


def test_a_node_that_is_accused_explains_what_another_client_lost_now_and_then():
    """One client met a bad moment of a backend whose Node other legs accuse; the others met good ones."""
    everybody = frozenset({"win-1", "win-2", "win-3"})
    legs = [Sighting(False, "win-2", backends=frozenset({"win-1", "win-3"}), partly=True) for _ in range(2)]
    legs += [Sighting(False, "win-1", backends=everybody, partly=True)]
    legs += [Sighting(True, client, backends=everybody) for client in ("linux-1", "win-3") for _ in range(2)]
    assert accused(legs, WINDOWS) == ("win-2",)


def test_a_second_node_that_loses_tries_where_the_first_takes_no_part_is_accused_too():
    """What the first one can explain is set aside, and the rest speaks against the second."""
    legs = [
        Sighting(False, client, backends=frozenset({home}), partly=True)
        for client, other in (("win-2", "win-1"), ("win-1", "win-2"))
        for home in (other, "win-3", "linux-1")
    ]
    legs += [Sighting(True, "linux-1", backends=frozenset({home})) for home in WINDOWS]
    assert accused(legs, WINDOWS) == ("win-1", "win-2")
