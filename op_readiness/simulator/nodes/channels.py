"""The kubelet's and the runtime's channels (state CHAN): exec, log, stats, probe, node log query.

Each is well, slow, hanging or broken.

The table holds nothing: every channel is well. Faults hook its look-up and give a Channel.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from op_readiness.simulator.network.table import Table

if TYPE_CHECKING:
    from op_readiness.simulator.clock import Clock


@dataclass(frozen=True)
class ChannelKey:
    """One use of a channel. `channel` is exec, log, stats, probe, nodelog, runtime (the making of a Pod's sandbox) or
    http (any call to the kubelet's port); stats, nodelog and http name no Pod. `sandbox` (of runtime) is new, or
    remade: that of a Pod that ran before its Node booted.
    """

    channel: str
    namespace: str = ""
    pod: str = ""
    container: str = ""
    sandbox: str = ""


@dataclass(frozen=True)
class Channel:
    """How a channel is. `state` is well, slow, hangs, error or, of stats, stale (the last answer once more).

    `seconds` (cluster) is the delay of a slow one. `message` is what a broken one says. `exit_code` replaces the exit
    code of an exec; `frozen_at` (cluster time) hides everything newer in a log. Of stats, `pod_factor` and
    `node_factor` spoil the usage of CPU that is told of Pods and of the Node, and `lacks` names figures that the
    runtime does not give; of nodelog, options of a query that nobody looks at;
    `barren` those with which no event is found, `most` how many of the newest events are looked at.
    """

    state: str = "well"
    seconds: float = 0.0
    message: str = ""
    exit_code: int | None = None
    frozen_at: float | None = None
    pod_factor: float = 1.0
    node_factor: float = 1.0
    lacks: tuple[str, ...] = ()
    barren: tuple[str, ...] = ()
    most: int | None = None


class ChannelError(Exception):
    """The channel answered with an error; the text is the runtime's."""


WELL = Channel()
Channels = Table[ChannelKey, Channel]


def channel_table(node: str) -> Channels:
    """The CHAN table of a Node, all well."""
    return Table("CHAN", node)


async def passed(table: Channels, key: ChannelKey, clock: Clock) -> Channel:
    """Wait as this use of the channel has to; gives the channel met, raises ChannelError if it is broken."""
    channel = table.lookup(key) or WELL
    if channel.state == "error":
        raise ChannelError(channel.message or "rpc error: code = Unknown desc = the runtime did not answer")
    if channel.state == "slow":
        await clock.sleep(channel.seconds)
    elif channel.state == "hangs":
        await asyncio.Event().wait()
    elif channel.state not in ("well", "stale"):
        raise ChannelError(f"unknown state of a channel: {channel.state}")
    return channel
