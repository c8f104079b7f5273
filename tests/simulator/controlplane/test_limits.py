"""What the embedded API server cannot do, it says."""

from __future__ import annotations

import asyncio

import pytest

from op_readiness.simulator.api import Api, ApiError
from tests.simulator.controlplane.running import running

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


def test_quota_is_kept_with_a_warning(tmp_path):
    """A ResourceQuota that is not enforced says so when it is made."""

    async def scene() -> list[str]:
        async with running(tmp_path) as (_, api):
            body = {"metadata": {"name": "q"}, "spec": {"hard": {"pods": "1"}}}
            url = f"{api.server}/api/v1/namespaces/t/resourcequotas"
            async with api._session.post(url, json=body) as response:
                return response.headers.getall("Warning")

    assert asyncio.run(scene()) == ['299 - "this API server keeps ResourceQuotas and does not enforce them"']
