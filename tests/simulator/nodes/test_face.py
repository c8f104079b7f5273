"""What the API server asks of a kubelet: exec, logs, figures."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from op_readiness.simulator.nodes.channels import Channel
from op_readiness.simulator.nodes.face import Face

from .standin import Cluster


@asynccontextmanager
async def asked(cluster: Cluster, node: str = "win-1") -> AsyncIterator[tuple[aiohttp.ClientSession, str]]:
    """A client of one kubelet's face, and its URL."""
    runner = web.ServerRunner(web.Server(Face(cluster.world.kubelets[node]).handle, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession() as session:
        yield session, f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def execute(cluster: Cluster, pod: str, *command: str, protocol: str = "v5.channel.k8s.io") -> dict[int, bytes]:
    """What came back by channel."""
    seen: dict[int, bytes] = {}
    query = "&".join([*(f"command={word}" for word in command), "output=1", "error=1"])
    async with (
        asked(cluster) as (session, url),
        session.ws_connect(f"{url}/exec/t/{pod}/c?{query}", protocols=[protocol]) as socket,
    ):
        assert socket.protocol == protocol
        turning = asyncio.ensure_future(_turning(cluster))
        async for message in socket:
            seen[message.data[0]] = seen.get(message.data[0], b"") + message.data[1:]
        turning.cancel()
    return seen


async def _turning(cluster: Cluster) -> None:
    while True:
        await cluster.turn(1)


@pytest.mark.parametrize("protocol", ["v5.channel.k8s.io", "v4.channel.k8s.io"])
def test_exec_gives_output_and_status(protocol: str) -> None:
    """Output by channel, then the Status with the exit code."""

    async def story() -> None:
        async with Cluster() as cluster:
            cluster.pod("p")
            await cluster.turn(10)
            good = await execute(cluster, "p", "/agnhost", "connect", "127.0.0.1:8080", protocol=protocol)
            assert json.loads(good[3])["status"] == "Success"
            closed = ["/agnhost", "connect", "127.0.0.1:9999", "--timeout=3s"]
            bad = await execute(cluster, "p", *closed, protocol=protocol)
            assert bad[2].startswith(b"OTHER: dial tcp")
            assert json.loads(bad[3])["details"]["causes"] == [{"reason": "ExitCode", "message": "1"}]

    asyncio.run(story())


def test_the_first_protocol_tells_of_failures_alone() -> None:
    """No Status after a success, and words after a failure."""

    async def story() -> None:
        async with Cluster() as cluster:
            cluster.pod("p")
            await cluster.turn(10)
            good = await execute(cluster, "p", "cmd", "/c", "echo", "a", protocol="channel.k8s.io")
            assert good == {1: b"a\r\n"}
            bad = await execute(cluster, "p", "cmd", "/c", "exit", "3", protocol="channel.k8s.io")
            assert bad[3].startswith(b"command terminated with non-zero exit code")

    asyncio.run(story())


def test_exec_of_what_is_not_there_is_an_internal_error() -> None:
    """The runtime's words, not an exit code."""

    async def story() -> None:
        async with Cluster() as cluster:
            cluster.pod("p")
            await cluster.turn(10)
            status = json.loads((await execute(cluster, "p", "nosuch"))[3])
            assert status["reason"] == "InternalError"
            assert "The system cannot find the file specified." in status["message"]

    asyncio.run(story())


def test_a_broken_exec_channel_says_so() -> None:
    """A hook of the CHAN table."""

    async def story() -> None:
        async with Cluster() as cluster:
            cluster.pod("p")
            await cluster.turn(10)
            channels = cluster.world.nodes["win-1"].channels
            broken = Channel("error", message="rpc error: deadline")
            channels.on_lookup.append(lambda _, key, value: broken if key.channel == "exec" else value)
            status = json.loads((await execute(cluster, "p", "/agnhost", "--help"))[3])
            assert "rpc error: deadline" in status["message"]

    asyncio.run(story())


def test_logs_by_tail_and_follow() -> None:
    """tailLines counts from the end; follow ends with the container."""

    async def story() -> None:
        async with Cluster() as cluster:
            cluster.pod("p")
            await cluster.turn(10)
            log = cluster.worker("p").containers[0].log
            assert log is not None
            log.write("stdout", b"one\ntwo\nthr")
            async with asked(cluster) as (session, url):
                async with session.get(f"{url}/containerLogs/t/p/c?tailLines=2") as answer:
                    assert await answer.text() == "two\nthr"
                following = session.get(f"{url}/containerLogs/t/p/c?tailLines=1&follow=true")
                async with following as answer:
                    assert await answer.content.read(3) == b"thr"
                    log.write("stdout", b"four\n")
                    assert await answer.content.readline() == b"four\n"
                    log.close()
                    assert await answer.content.read() == b""

    asyncio.run(story())


def test_figures_name_every_running_container_once() -> None:
    """The Summary of a Windows Node: CPU and memory above zero, and the commit figures."""

    async def story() -> None:
        async with Cluster() as cluster:
            cluster.pod("p", container={"resources": {"limits": {"memory": "200Mi"}}})
            await cluster.turn(20)
            async with asked(cluster) as (session, url), session.get(f"{url}/stats/summary") as answer:
                summary = await answer.json()
            (pod,) = summary["pods"]
            (container,) = pod["containers"]
            assert container["cpu"]["usageCoreNanoSeconds"] > 0
            assert 0 < container["memory"]["workingSetBytes"] < 200 * 1024**2
            assert pod["memory"]["workingSetBytes"] == container["memory"]["workingSetBytes"]
            names = [one["name"] for one in summary["node"]["systemContainers"]]
            assert names == ["pods", "windows-global-commit-memory"]

    asyncio.run(story())


def test_what_is_not_simulated_is_refused_by_name() -> None:
    """attach answers 501, an unknown path 404."""

    async def story() -> None:
        async with Cluster() as cluster, asked(cluster) as (session, url):
            async with session.get(f"{url}/attach/t/p/c") as answer:
                assert (answer.status, await answer.text()) == (501, "/attach/t/p/c is not simulated\n")
            async with session.get(f"{url}/nosuch") as answer:
                assert answer.status == 404

    asyncio.run(story())
