"""What the embedded API server cannot do, it says."""

from __future__ import annotations

import asyncio

import pytest

from op_readiness.simulator.api import Api, ApiError
from tests.simulator.controlplane.running import running

QUOTAS = "/api/v1/namespaces/t/resourcequotas"
WEBHOOK = {"metadata": {"name": "w"}, "webhooks": []}


async def refusal(api: Api, method: str, path: str, body: dict, kind: str) -> tuple[int, str]:
    with pytest.raises(ApiError) as refused:
        await api.request(method, path, body, kind)
    return refused.value.code, refused.value.message


@pytest.mark.parametrize(
    ("method", "path", "body", "kind", "words"),
    [
        ("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", {"metadata": {"name": "a.b"}},
         "application/json", "CustomResourceDefinitions"),
        ("POST", "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations", WEBHOOK,
         "application/json", "webhooks"),
        ("POST", QUOTAS, {"metadata": {"name": "q"}, "spec": {"hard": {"pods": "1"}, "scopes": ["PriorityClass"]}},
         "application/json", "scopes"),
        ("POST", QUOTAS, {"metadata": {"name": "q"}, "spec": {"hard": {"count/leases.coordination.k8s.io": "1"}}},
         "application/json", "quotas count"),
    ],
)  # fmt: skip
def test_unsupported_requests_are_refused_by_name(tmp_path, method, path, body, kind, words):
    """501, and the text names what is not there."""

    async def scene() -> tuple[int, str]:
        async with running(tmp_path) as (_, api):
            return await refusal(api, method, path, body, kind)

    code, message = asyncio.run(scene())
    assert code == 501
    assert words in message
