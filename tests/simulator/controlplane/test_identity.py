"""Tokens and rights: ServiceAccounts, bound tokens, roles, impersonation."""

from __future__ import annotations

import asyncio
from typing import Any

from op_readiness.simulator.api import Api, ApiError
from tests.simulator.controlplane.running import bound_pod, running

ACCOUNT = "/api/v1/namespaces/t/serviceaccounts/default/token"
RBAC = "/apis/rbac.authorization.k8s.io/v1/namespaces/t"


async def said(api: Api, path: str) -> Any:
    try:
        return sorted((await api.get(path)).keys())
    except ApiError as error:
        return error.code, error.message


def test_account_may_what_its_role_says(tmp_path):
    """A ServiceAccount token is refused until a binding names it."""

    async def scene() -> list[Any]:
        async with running(tmp_path) as (_, admin):
            token = (await admin.create(ACCOUNT, {}))["status"]["token"]
            async with Api(admin.server, token) as account:
                before = await said(account, "/api/v1/namespaces/t/pods")
                subject = {"kind": "ServiceAccount", "name": "default", "namespace": "t"}
                role = {"kind": "ClusterRole", "name": "view", "apiGroup": "rbac.authorization.k8s.io"}
                await admin.create(
                    f"{RBAC}/rolebindings", {"metadata": {"name": "v"}, "roleRef": role, "subjects": [subject]}
                )
                return [before, await said(account, "/api/v1/namespaces/t/pods")]

    before, after = asyncio.run(scene())
    who = "system:serviceaccount:t:default"
    resource = 'cannot list resource "pods" in API group "" in the namespace "t"'
    assert before == (403, f'pods is forbidden: User "{who}" {resource}')
    assert after == ["apiVersion", "items", "kind", "metadata"]


def test_bound_token_ends_with_its_pod(tmp_path):
    """A token bound to a Pod no longer counts when the Pod is gone."""

    async def scene() -> list[Any]:
        async with running(tmp_path) as (_, admin):
            await bound_pod(admin)
            reference = {"kind": "Pod", "apiVersion": "v1", "name": "p"}
            token = (await admin.create(ACCOUNT, {"spec": {"boundObjectRef": reference}}))["status"]["token"]
            async with Api(admin.server, token) as account:
                before = await said(account, "/version")
                await admin.delete("/api/v1/namespaces/t/pods/p", {"gracePeriodSeconds": 0})
                return [before, await said(account, "/version")]

    before, after = asyncio.run(scene())
    assert "gitVersion" in before
    assert after == (401, "Unauthorized")


def test_impersonation_asks_as_the_other(tmp_path):
    """The admin who acts as bob has bob's rights."""

    async def scene() -> tuple[int, str]:
        async with running(tmp_path) as (_, admin):
            headers = {"Impersonate-User": "bob"}
            async with admin._session.get(f"{admin.server}/api/v1/nodes", headers=headers) as response:
                return response.status, (await response.json())["message"]

    code, message = asyncio.run(scene())
    assert code == 403
    assert message.startswith('nodes is forbidden: User "bob" cannot list')
