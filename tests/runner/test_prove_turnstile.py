"""Cells come to their clusters one after the other, and while the machine has room."""

from __future__ import annotations

import os
import time

import pytest

from op_readiness.model.clock import TurnedClock
from op_readiness.runner.prove import turnstile
from op_readiness.runner.prove.turnstile import LONGEST, LOOK, STALE, WINDOW, Turnstile, can_be_measured, idle_share

BUSY, IDLE = 0.0, 0.9


def test_who_comes_to_an_idle_machine_passes_at_once(tmp_path):
    """And the turnstile is free again."""
    clock = TurnedClock()
    Turnstile(tmp_path, lambda: IDLE, clock).go_through()
    assert clock.now() == TurnedClock().now() and not list(tmp_path.iterdir())


def test_on_a_busy_machine_one_waits_until_it_has_room(tmp_path):
    """As often as it is looked at, and no longer."""
    shares = iter([BUSY, BUSY, IDLE])
    Turnstile(tmp_path, lambda: next(shares), TurnedClock()).go_through()
    assert next(shares, None) is None


def test_nobody_waits_for_ever_for_what_others_compute(tmp_path):
    """After `LONGEST` seconds the next one passes whatever the load is."""
    clock = TurnedClock()
    began = clock.now()

    def busy() -> float:
        clock.sleep(WINDOW)
        return BUSY

    Turnstile(tmp_path, busy, clock).go_through()
    assert LONGEST <= clock.now() - began < LONGEST + 2 * WINDOW


def test_one_at_a_time(tmp_path):
    """Whoever comes second waits until the first has gone through."""
    first = tmp_path / "turnstile"
    first.touch()

    class Leaves(TurnedClock):
        def sleep(self, seconds: float) -> None:
            assert seconds == LOOK
            first.unlink()

    Turnstile(tmp_path, lambda: IDLE, Leaves()).go_through()
    assert not first.exists()


def test_who_died_in_it_holds_nobody_up(tmp_path):
    """A mark that is too old is taken away."""
    left = tmp_path / "turnstile"
    left.touch()
    os.utime(left, (time.time() - 2 * STALE,) * 2)
    Turnstile(tmp_path, lambda: IDLE, TurnedClock()).go_through()
    assert not left.exists()


def test_a_proof_that_is_over_holds_nobody_up(tmp_path):
    """Its folder is gone: the worker that still comes ends by itself."""
    Turnstile(tmp_path / "gone", lambda: IDLE, TurnedClock()).go_through()


STAT = "cpu  10 0 10 {idle} {wait} 0 0 0 0 0\ncpu0 1 2 3 4\n"


def test_the_idle_share_is_that_of_all_cores_over_the_window(tmp_path, monkeypatch):
    """Waiting for a disk is idle too: 30 and 10 of 50 ticks."""
    stat = tmp_path / "stat"
    stat.write_text(STAT.format(idle=100, wait=0))
    monkeypatch.setattr(turnstile, "STAT", stat)

    class Passes(TurnedClock):
        def sleep(self, seconds: float) -> None:
            assert seconds == WINDOW
            stat.write_text("cpu  15 0 15 130 10 0 0 0 0 0\n")

    assert idle_share(Passes()) == pytest.approx(40 / 50)


@pytest.mark.parametrize("text", [None, "", "cpu\n", "cpu a b c d e\n"])
def test_where_the_machine_does_not_say_nobody_waits(tmp_path, monkeypatch, text):
    """No such file, or not as Linux writes it."""
    stat = tmp_path / "stat"
    if text is not None:
        stat.write_text(text)
    monkeypatch.setattr(turnstile, "STAT", stat)
    assert not can_be_measured()
    assert idle_share(TurnedClock()) == 1.0
