"""The kubelet's figures over HTTP: /metrics/resource, stale and spoilt statistics, a port that is closed."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from op_readiness.simulator.nodes.channels import Channel, ChannelKey
from op_readiness.simulator.nodes.stats import summary

from .standin import Cluster
from .test_face import asked


def spoil(cluster: Cluster, channel: str, **changes: object) -> None:
    def met(_: object, key: ChannelKey, value: Channel | None) -> Channel | None:
        return replace(value or Channel(), **changes) if key.channel == channel else value  # type: ignore[arg-type]

    cluster.world.nodes["win-1"].channels.on_lookup[:] = [met]


def test_resource_metrics_say_what_the_summary_says_and_0_for_what_is_missing() -> None:
    """Of each Pod and container, with no error."""

    async def story() -> None:
        async with Cluster() as cluster:
            cluster.pod("p")
            await cluster.turn(10)
            async with asked(cluster) as (session, url):
                async with session.get(f"{url}/metrics/resource") as answer:
                    text = await answer.text()
                assert 'pod_memory_working_set_bytes{namespace="t",pod="p"} 0' not in text
                assert "resource_scrape_error 0" in text
                spoil(cluster, "stats", lacks=("workingSetBytes",))
                async with session.get(f"{url}/metrics/resource") as answer:
                    assert 'pod_memory_working_set_bytes{namespace="t",pod="p"} 0 ' in await answer.text()

    asyncio.run(story())


def test_stale_statistics_are_the_last_ones_again() -> None:
    """Counters that do not move."""

    async def story() -> None:
        async with Cluster() as cluster:
            cluster.pod("p")
            await cluster.turn(10)
            spoil(cluster, "stats", state="stale")
            async with asked(cluster) as (session, url):
                seen = []
                for _ in range(2):
                    async with session.get(f"{url}/stats/summary") as answer:
                        seen.append((await answer.json())["pods"][0]["cpu"])
                    await cluster.turn(60)
                assert seen[0] == seen[1]

    asyncio.run(story())


def test_usage_of_cpu_can_be_told_wrongly_while_counters_are_right() -> None:
    """Of Pods and of the Node."""

    async def story() -> None:
        async with Cluster() as cluster:
            cluster.pod("p")
            await cluster.turn(10)
            wrong = summary(cluster.world.kubelets["win-1"], False, Channel(pod_factor=0.0, node_factor=0.1))
            right = summary(cluster.world.kubelets["win-1"], False)
            assert wrong["pods"][0]["cpu"]["usageNanoCores"] == 0 < right["pods"][0]["cpu"]["usageNanoCores"]
            assert wrong["pods"][0]["cpu"]["usageCoreNanoSeconds"] == right["pods"][0]["cpu"]["usageCoreNanoSeconds"]
            assert wrong["node"]["cpu"]["usageNanoCores"] < right["node"]["cpu"]["usageNanoCores"]

    asyncio.run(story())


def test_what_closes_the_port_closes_every_path() -> None:
    """Configuration and health too."""

    async def story() -> None:
        async with Cluster() as cluster:
            spoil(cluster, "http", state="error", message="dial tcp 10.240.0.11:10250: i/o timeout")
            async with asked(cluster) as (session, url):
                for path in ("configz", "healthz", "stats/summary", "logs/?query=containerd"):
                    async with session.get(f"{url}/{path}") as answer:
                        assert (answer.status, "i/o timeout" in await answer.text()) == (500, True)

    asyncio.run(story())
