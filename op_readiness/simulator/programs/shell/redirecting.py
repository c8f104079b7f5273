"""Redirections: from `> file`, `2>&1` and here-documents to the streams of a command."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from op_readiness.simulator.programs.shell import expansion
from op_readiness.simulator.programs.shell.streams import (
    CREATE_WORDS,
    OPEN_WORDS,
    Input,
    NullSink,
    RedirectionFault,
    Streams,
    open_output,
)
from op_readiness.simulator.programs.shell.syntax import Redirection


class Redirecting(expansion.State, Protocol):
    """What redirections need of the shell."""


async def redirected(shell: Redirecting, redirections: tuple[Redirection, ...], streams: Streams) -> Streams:
    """The streams that redirections make of `streams`; raises RedirectionFault."""
    for redirection in redirections:
        streams = await _one(shell, redirection, streams)
    return streams


async def _one(shell: Redirecting, redirection: Redirection, streams: Streams) -> Streams:
    name = await expansion.text(shell, redirection.word)
    operator, fd = redirection.operator, redirection.fd
    if operator == "<<":
        return streams.with_fd(fd, Input(name.encode(errors="surrogateescape")))
    if operator in (">&", "<&"):
        return _duplicated(operator, fd, name, streams)
    place = replace(shell.process, stdout=streams.out, stderr=streams.err)
    if operator in ("<", "<>"):
        try:
            return streams.with_fd(fd, Input(place.files.read(place.path(name))))
        except OSError as error:
            raise RedirectionFault(f"can't open {name}: {OPEN_WORDS.get(error.errno or 0, error.strerror)}") from None
    try:
        return streams.with_fd(fd, open_output(place, name, operator == ">>"))
    except OSError as error:
        raise RedirectionFault(f"can't create {name}: {CREATE_WORDS.get(error.errno or 0, error.strerror)}") from None


def _duplicated(operator: str, fd: int, name: str, streams: Streams) -> Streams:
    if name == "-":
        return streams.with_fd(fd, NullSink() if fd else Input())
    if not name.isdigit():
        raise RedirectionFault(f"{name}: bad fd number")
    if operator == "<&" and name == str(fd):
        return streams
    return streams.with_fd(fd, streams.sink(int(name)))
