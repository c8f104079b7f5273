"""Windows ping: `-n COUNT`, `-w MILLISECONDS`, `-t`, -4, -6.

Tests also use ping as a way to wait: the own address answers at once, one second apart.
"""

from __future__ import annotations

from op_readiness.simulator.network.interface import NameFailure, NetworkFailure, NoRoute
from op_readiness.simulator.programs.addresses import literal, resolve
from op_readiness.simulator.programs.process import Process

DEFAULT_WAIT = 4.0
PAUSE = 1.0


async def ping(process: Process) -> int:
    """0 when at least one echo came back."""
    words, count, wait, host = list(process.argv[1:]), 4, DEFAULT_WAIT, ""
    while words:
        word = words.pop(0).lower().replace("/", "-", 1)
        if word in ("-n", "-w", "-l", "-i") and words:
            value = words.pop(0)
            if not value.isdigit():
                process.stdout.write(f"Bad value for option {word}.\r\n")
                return 1
            count = int(value) if word == "-n" else count
            wait = int(value) / 1000 if word == "-w" else wait
        elif word == "-t":
            count = 10**9
        elif not word.startswith("-"):
            host = word
    if not host:
        process.stdout.write("IP address must be specified.\r\n")
        return 1
    try:
        ip = (await resolve(process, host))[0]
    except NameFailure:
        text = f"Ping request could not find host {host}. Please check the name and try again."
        process.stdout.write(text + "\r\n")
        return 1
    shown = ip if literal(host) else f"{host} [{ip}]"
    process.stdout.write(f"\r\nPinging {shown} with 32 bytes of data:\r\n")
    received = await _echoes(process, ip, count, wait)
    lost = count - received
    process.stdout.write(
        f"\r\nPing statistics for {ip}:\r\n    Packets: Sent = {count}, Received = {received}, Lost = {lost} "
        f"({round(100 * lost / count) if count else 0}% loss),\r\n"
    )
    if received:
        times = "Minimum = 0ms, Maximum = 0ms, Average = 0ms"
        process.stdout.write(f"Approximate round trip times in milli-seconds:\r\n    {times}\r\n")
    return 0 if received else 1


async def _echoes(process: Process, ip: str, count: int, wait: float) -> int:
    received = 0
    for number in range(count):
        began = process.clock.now()
        text, came = await _echo(process, ip, wait)
        process.stdout.write(text + "\r\n")
        received += came
        if number + 1 < count:
            await process.clock.sleep(PAUSE - (process.clock.now() - began) if came else 0)
    return received


async def _echo(process: Process, ip: str, wait: float) -> tuple[str, bool]:
    came = f"Reply from {ip}: bytes=32 time<1ms TTL=128"
    if ip in ("127.0.0.1", "::1", *process.network.addresses):
        return came, True
    try:
        await process.network.ping(ip, wait)
    except NoRoute:
        return "PING: transmit failed. General failure.", False
    except NetworkFailure:
        return "Request timed out.", False
    return came, True
