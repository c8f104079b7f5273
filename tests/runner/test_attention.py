"""Interrupts are noticed whatever the run is doing."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from op_readiness.model.clock import TurnedClock
from op_readiness.runner.attention import DEADLINE, Attention, Interrupted


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_interrupts_a_call_that_blocks(number):
    """What blocks is left behind."""
    released = threading.Event()
    with Attention(60, lambda: None) as attention:
        threading.Timer(0.05, os.kill, (os.getpid(), number)).start()
        with pytest.raises(Interrupted) as raised:
            attention.attend(lambda: released.wait(30))
    released.set()
    assert raised.value.by == number.name


def test_the_runs_deadline_interrupts_once():
    """After it was told, clean-up goes on."""
    clock = TurnedClock()
    attention = Attention(10, lambda: None, clock)
    attention.pause(9)
    with pytest.raises(Interrupted, match=DEADLINE):
        attention.pause(2)
    attention.pause(100)


def test_a_clean_up_is_not_cut_by_the_runs_deadline():
    """It has a deadline of its own."""
    clock = TurnedClock()
    attention = Attention(10, lambda: None, clock)
    attention.forget_deadline()
    attention.pause(100)
    assert attention.left() == float("inf")


def test_what_a_call_raises_is_raised():
    """A thread does not swallow it."""
    with pytest.raises(ValueError, match="no"):
        Attention(10, lambda: None).attend(lambda: int("no"))


def test_a_second_signal_leaves_at_once(monkeypatch):
    """Nothing is waited for any more."""
    left: list = []
    monkeypatch.setattr(os, "_exit", left.append)
    attention = Attention(60, lambda: left.append("killed"))
    attention._handle(signal.SIGINT, None)
    attention._handle(signal.SIGINT, None)
    assert left == ["killed", 130]
