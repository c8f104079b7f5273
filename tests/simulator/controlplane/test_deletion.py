"""Deletion: grace of Pods, finalizers, Namespaces."""

from __future__ import annotations

import asyncio
from typing import Any

from op_readiness.simulator.api import Api, ApiError
from tests.simulator.controlplane.running import bound_pod, running

POD = "/api/v1/namespaces/t/pods/p"
DEPLOYMENTS = "/apis/apps/v1/namespaces/t/deployments"


async def there(api: Api, path: str) -> bool:
    try:
        await api.get(path)
    except ApiError:
        return False
    return True


def test_pod_on_a_node_waits_for_its_kubelet(tmp_path):
    """The first DELETE sets the grace period, the kubelet's with 0 takes it out."""

    async def scene() -> list[Any]:
        async with running(tmp_path) as (_, api):
            await bound_pod(api)
            going = await api.delete(POD)
            waiting = await there(api, POD)
            await api.delete(POD, {"gracePeriodSeconds": 0})
            return [going["metadata"]["deletionGracePeriodSeconds"], waiting, await there(api, POD)]

    assert asyncio.run(scene()) == [30, True, False]


def test_last_finalizer_lets_the_object_go(tmp_path):
    """An object held by a finalizer is gone when the finalizer is."""

    async def scene() -> list[bool]:
        async with running(tmp_path) as (_, api):
            path = "/api/v1/namespaces/t/configmaps"
            await api.create(path, {"metadata": {"name": "a", "finalizers": ["x.y/z"]}})
            await api.delete(f"{path}/a")
            held = await there(api, f"{path}/a")
            await api.patch(f"{path}/a", {"metadata": {"finalizers": None}})
            return [held, await there(api, f"{path}/a")]

    assert asyncio.run(scene()) == [True, False]


def test_service_gives_its_address_back(tmp_path):
    """A ClusterIP and NodePort can be had again after the Service is gone."""

    async def scene() -> str:
        async with running(tmp_path) as (_, api):
            path = "/api/v1/namespaces/t/services"
            spec = {"type": "NodePort", "clusterIP": "10.96.0.77", "ports": [{"port": 80, "nodePort": 30077}]}
            await api.create(path, {"metadata": {"name": "a"}, "spec": spec})
            await api.delete(f"{path}/a")
            again = await api.create(path, {"metadata": {"name": "b"}, "spec": spec})
            return str(again["spec"]["clusterIP"])

    assert asyncio.run(scene()) == "10.96.0.77"
