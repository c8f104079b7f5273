"""The webhook as a real API server calls it: HTTPS on loopback, AdmissionReview in and out."""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

from op_readiness.simulator.api import Api, ApiError
from op_readiness.simulator.controlplane.serving.certificates import write_certificates
from op_readiness.simulator.domain import webhook
from op_readiness.simulator.domain.manifests import GROUP, PLURAL, SPECS
from op_readiness.simulator.domain.webhook import Denied

Object = dict[str, Any]


class WebhookServer:
    """Serves one cluster; `start` gives its URL, `ca_bundle` is what its clients trust."""

    def __init__(self, folder: Path) -> None:
        ca, certificate, key = write_certificates(folder / "gmsa-webhook")
        self.ca_bundle = base64.b64encode(ca.read_bytes()).decode()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        self._runner: web.AppRunner | None = None
        self.api: Api

    async def start(self, api: Api) -> str:
        """Listen on a free port of 127.0.0.1; specs and rights are asked of `api`."""
        self.api = api
        app = web.Application(client_max_size=1 << 22)
        app.router.add_post("/mutate", self._mutate)
        app.router.add_post("/validate", self._validate)
        app.router.add_get("/health", _health)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._context).start()
        return f"https://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Close the port."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _mutate(self, http: web.Request) -> web.Response:
        asked = (await http.json())["request"]
        try:
            patch = webhook.additions(asked["object"], await self._specs(asked["object"]))
        except Denied as no:
            return _answer(asked, no)
        return _answer(asked, None, patch)

    async def _validate(self, http: web.Request) -> web.Response:
        asked = (await http.json())["request"]
        pod = asked["object"]
        try:
            if asked["operation"] == "UPDATE":
                webhook.check_update(pod, asked["oldObject"])
            else:
                specs = await self._specs(pod)
                rights = {name: await self._may_use(pod, asked["namespace"], name) for name in specs}
                webhook.check_create(pod, specs, rights)
        except Denied as no:
            return _answer(asked, no)
        return _answer(asked, None)

    async def _specs(self, pod: Object) -> Mapping[str, Object | None]:
        return {name: await self._spec(name) for name in webhook.named(pod)}

    async def _spec(self, name: str) -> Object | None:
        try:
            return await self.api.get(f"{SPECS}/{name}")
        except ApiError as error:
            if error.code == 404:
                return None
            raise

    async def _may_use(self, pod: Object, namespace: str, name: str) -> bool:
        account = pod["spec"].get("serviceAccountName") or "default"
        review = {
            "apiVersion": "authorization.k8s.io/v1", "kind": "LocalSubjectAccessReview",
            "metadata": {"namespace": namespace},
            "spec": {
                "user": f"system:serviceaccount:{namespace}:{account}",
                "groups": ["system:serviceaccounts", f"system:serviceaccounts:{namespace}"],
                "resourceAttributes": {
                    "namespace": namespace, "verb": "use", "group": GROUP, "resource": PLURAL, "name": name,
                },
            },
        }  # fmt: skip
        path = f"/apis/authorization.k8s.io/v1/namespaces/{namespace}/localsubjectaccessreviews"
        answer = await self.api.create(path, review)
        return bool((answer.get("status") or {}).get("allowed"))


async def _health(_: web.Request) -> web.Response:
    return web.Response(status=204)


def _answer(asked: Object, no: Denied | None, patch: list[Object] | None = None) -> web.Response:
    response: Object = {"uid": asked["uid"], "allowed": no is None}
    if no is not None:
        response["status"] = {"message": no.why, "code": no.code}
    if patch:
        text = json.dumps(patch).encode()
        response |= {"patchType": "JSONPatch", "patch": base64.b64encode(text).decode()}
    return web.json_response({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response})
