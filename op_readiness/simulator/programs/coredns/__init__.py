"""CoreDNS: reads a Corefile and serves DNS in its container, from the zone, hosts or upstreams that it names."""

from __future__ import annotations

import asyncio
import hashlib

from op_readiness.simulator.programs.coredns.corefile import BadCorefile, parse
from op_readiness.simulator.programs.coredns.serving import Config, configure
from op_readiness.simulator.programs.goserver import ListenFailed, Ports, ports
from op_readiness.simulator.programs.process import Process

VERSION = "1.12.0"
RELOAD_SECONDS = 30.0


class WrongFlag(Exception):
    """A flag that CoreDNS does not know."""


async def coredns(process: Process) -> int:
    """0 after SIGTERM, 1 for a Corefile or port that does not do."""
    try:
        path, port = _flags(process.argv[1:])
    except WrongFlag as error:
        process.stderr.write(f"{error}\nUsage of {process.argv[0]}:\n")
        return 2
    try:
        text = _read(process, path)
        config = configure(process, parse(text, path, process.env, port), path)
    except BadCorefile as error:
        process.stdout.write(f"{error}\n")
        return 1
    with ports(process) as held:
        try:
            config.listen(held)
        except ListenFailed as error:
            process.stdout.write(f"Listen: {error}\n")
            return 1
        _greet(process, config, text)
        return await _serve(process, config, held, text, port)


def _flags(words: list[str]) -> tuple[str, int]:
    path, port, rest = "Corefile", 53, list(words)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.lstrip("-").partition("=")
        if not word.startswith("-") or name not in ("conf", "dns.port", "p", "quiet"):
            raise WrongFlag(f"flag provided but not defined: -{name}")
        if name == "quiet":
            continue
        if not equals:
            if not rest:
                raise WrongFlag(f"flag needs an argument: -{name}")
            value = rest.pop(0)
        if name == "conf":
            path = value
        elif value.isdigit():
            port = int(value)
        else:
            raise WrongFlag(f'invalid value "{value}" for flag -{name}: parse error')
    return path, port


def _read(process: Process, path: str) -> str:
    try:
        return process.files.read(process.path(path)).decode(errors="replace")
    except OSError:
        raise BadCorefile(f"open {path}: no such file or directory") from None


def _greet(process: Process, config: Config, text: str) -> None:
    for serving in config.blocks:
        for zone, port in serving.block.keys:
            process.stdout.write(f"{zone}:{port}\n")
    digest = hashlib.sha512(text.encode()).hexdigest()
    if any(serving.block.find("reload") for serving in config.blocks):
        process.stdout.write(f"[INFO] plugin/reload: Running configuration SHA512 = {digest}\n")
    process.stdout.write(f"CoreDNS-{VERSION}\n{process.os}/amd64, go1.23.3, 51e11f166\n")


async def _serve(process: Process, config: Config, held: Ports, text: str, port: int) -> int:
    stop = asyncio.ensure_future(process.stop.wait())
    try:
        while not stop.done():
            if not any(serving.block.find("reload") for serving in config.blocks):
                await stop
                break
            tick = asyncio.ensure_future(process.clock.sleep(RELOAD_SECONDS))
            await asyncio.wait((stop, tick), return_when=asyncio.FIRST_COMPLETED)
            tick.cancel()
            if not stop.done():
                config, text = _reloaded(process, config, held, text, port)
    finally:
        stop.cancel()
    process.stdout.write("[INFO] SIGTERM: Shutting down servers then terminating\n")
    lameduck = max(serving.lameduck for serving in config.blocks)
    if lameduck:
        process.stdout.write(f"[INFO] plugin/health: Going into lameduck mode for {lameduck:g}s\n")
        await process.clock.sleep(lameduck)
    return 0


def _reloaded(process: Process, config: Config, held: Ports, text: str, port: int) -> tuple[Config, str]:
    """The configuration of the Corefile as it is now; the former one if nothing changed or the new one is bad."""
    try:
        fresh = _read(process, config.path)
        if fresh == text:
            return config, text
        process.stdout.write("[INFO] Reloading\n")
        new = configure(process, parse(fresh, config.path, process.env, port), config.path)
        held.close()
        new.listen(held)
    except (BadCorefile, ListenFailed) as error:
        process.stdout.write(f"[ERROR] Restart failed: {error}\n")
        if isinstance(error, ListenFailed):
            held.close()
            config.listen(held)
        return config, text
    process.stdout.write("[INFO] Reloading complete\n")
    return new, fresh
