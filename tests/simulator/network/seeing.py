"""What a client sees: the name that came back, or how its attempt ended."""

from __future__ import annotations

from op_readiness.simulator.network.interface import NetworkFailure
from tests.simulator.network.worlds import World, name_at

VIP = "10.96.0.50"


async def answers(world: World, work: object, seconds: float = 200.0) -> str:
    """The name that came, or the failure's class."""
    try:
        return str(await world.after(work, seconds))  # type: ignore[arg-type]
    except NetworkFailure as error:
        return type(error).__name__


async def seen(world: World, client: object, tries: int = 40) -> set[str]:
    return {await answers(world, name_at(client, VIP, 80, 3)) for _ in range(tries)}  # type: ignore[arg-type]
