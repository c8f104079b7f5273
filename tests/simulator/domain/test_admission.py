"""The GMSA kind and webhook of a whole cluster: the same answers under the embedded and the real control plane."""

from __future__ import annotations

import asyncio
import copy
from pathlib import Path
from typing import Any

import pytest

from op_readiness.simulator.api import Api, ApiError
from tests.simulator.test_cluster import PLANES, POD, client, running

PODS, ROLES = "/api/v1/namespaces/default/pods", "/apis/rbac.authorization.k8s.io/v1/namespaces/default"
DENIED = 'admission webhook "admission-webhook.windows-gmsa.sigs.k8s.io" denied the request: '
RULE = {"apiGroups": ["windows.k8s.io"], "resources": ["gmsacredentialspecs"], "verbs": ["use"]}
ROLE = {"metadata": {"name": "gmsa"}, "rules": [RULE | {"resourceNames": ["webapp01"]}]}
BINDING = {
    "metadata": {"name": "gmsa"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "gmsa"},
    "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": "default"}],
}


def pod(**options: str) -> dict[str, Any]:
    made = copy.deepcopy(POD)
    made["spec"]["securityContext"] = {"windowsOptions": options}
    return made


async def refusal(api: Api, made: dict[str, Any], path: str = PODS) -> tuple[int, str, str]:
    with pytest.raises(ApiError) as caught:
        await api.create(path, made)
    return caught.value.code, caught.value.reason, caught.value.message.removeprefix(DENIED)


async def admitted(api: Api, made: dict[str, Any]) -> dict[str, Any]:
    """The Pod, once the API server has seen the new Role."""
    for _ in range(100):
        try:
            return await api.create(PODS, made)
        except ApiError as error:
            if error.code != 403:
                raise
            await asyncio.sleep(0.1)
    raise AssertionError("the Role is not seen")


@pytest.mark.parametrize("plane", PLANES)
def test_the_kind_is_served_and_the_webhook_refuses_and_fills_in(plane: str, tmp_path: Path) -> None:
    """No right, no such spec, no name, other contents; then a Pod whose contents are those of the spec."""

    async def story(ready: dict[str, Any]) -> None:
        async with client(ready) as api:
            crd = await api.get(
                "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gmsacredentialspecs.windows.k8s.io"
            )
            true = {one["type"] for one in crd["status"]["conditions"] if one["status"] == "True"}
            assert "Established" in true  # a real server may put another condition behind it, at any time
            specs = await api.get("/apis/windows.k8s.io/v1/gmsacredentialspecs")
            assert [one["metadata"]["name"] for one in specs["items"]] == ["webapp01"]
            assert ready["inputs"]["gmsa"]["credSpecName"] == "webapp01"
            named = {"gmsaCredentialSpecName": "webapp01"}
            no_right = 'service account "default" is not authorized to `use` GMSA cred spec "webapp01"'
            assert await refusal(api, pod(**named)) == (403, "", no_right)
            missing = pod(gmsaCredentialSpecName="stranger")
            assert await refusal(api, missing) == (404, "", "cred spec stranger does not exist")
            nameless = 'pod "p" has a GMSA cred spec set, but does not define the name of the corresponding resource'
            assert await refusal(api, pod(gmsaCredentialSpec="{}")) == (422, "", nameless)
            await api.create(f"{ROLES}/roles", ROLE)
            await api.create(f"{ROLES}/rolebindings", BINDING)
            made = await admitted(api, pod(**named))
            assert '"DnsName":"corp.example"' in made["spec"]["securityContext"]["windowsOptions"]["gmsaCredentialSpec"]
            other = 'the GMSA cred spec contents for pod "p" does not match the contents of GMSA resource "webapp01"'
            assert await refusal(api, pod(**named, gmsaCredentialSpec="{}")) == (422, "", other)

    with running(tmp_path, control_plane=plane, nodes={"windows": 1, "linux": 0}) as ready:
        asyncio.run(story(ready))


@pytest.mark.parametrize("plane", PLANES)
def test_a_namespace_may_leave_the_webhook_out(plane: str, tmp_path: Path) -> None:
    """The label of the Helm chart, and a cluster without any domain."""

    async def labelled(ready: dict[str, Any]) -> None:
        async with client(ready) as api:
            await api.create("/api/v1/namespaces", {"metadata": {"name": "free", "labels": {
                "windows.k8s.io/disabled": "true"
            }}})  # fmt: skip
            made = pod(gmsaCredentialSpec="{}")
            for _ in range(100):
                try:
                    await api.create("/api/v1/namespaces/free/pods", made)
                    return
                except ApiError as error:
                    assert "serviceaccount" in error.message or "service account" in error.message, error
                    await asyncio.sleep(0.1)

    with running(tmp_path, control_plane=plane, nodes={"windows": 1, "linux": 0}) as ready:
        asyncio.run(labelled(ready))


@pytest.mark.cluster
def test_a_cluster_without_a_domain_has_neither_kind_nor_webhook(tmp_path: Path) -> None:
    """What `domain: false` leaves out."""

    async def story(ready: dict[str, Any]) -> None:
        async with client(ready) as api:
            with pytest.raises(ApiError) as caught:
                await api.get("/apis/windows.k8s.io/v1")
            assert caught.value.code == 404
            await api.create(PODS, pod(gmsaCredentialSpec="{}"))
            assert ready["inputs"] == {}

    with running(tmp_path, domain=False, nodes={"windows": 1, "linux": 0}) as ready:
        asyncio.run(story(ready))
