"""The simulator as a process: with either control plane, from SPEC.json to nothing left."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from op_readiness.simulator.api import Api

ASSETS = os.environ.get("KUBEBUILDER_ASSETS", "")
PLANES = [
    pytest.param("embedded", marks=pytest.mark.cluster),
    pytest.param(
        "real",
        marks=[
            pytest.mark.cluster,
            pytest.mark.real_control_plane,
            pytest.mark.skipif(not ASSETS, reason="KUBEBUILDER_ASSETS names no control plane"),
        ],
    ),
]
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p", "labels": {"app": "p"}},
    "spec": {
        "os": {"name": "windows"},
        "nodeSelector": {"kubernetes.io/os": "windows"},
        "terminationGracePeriodSeconds": 5,
        "containers": [
            {
                "name": "c",
                "image": "registry.k8s.io/e2e-test-images/agnhost:2.63.0",
                "args": ["netexec"],
                "readinessProbe": {"httpGet": {"path": "/healthz", "port": 8080}},
            }
        ],
    },
}


def command(spec: Path) -> list[str]:
    return [sys.executable, "-m", "op_readiness.simulator", str(spec)]


@contextmanager
def running(tmp_path: Path, **spec: Any) -> Iterator[dict[str, str]]:
    """What the process printed when it was ready; afterwards it must have ended well."""
    file = tmp_path / "spec.json"
    file.write_text(json.dumps({"folder": str(tmp_path / "f"), "nodes": {"windows": 1, "linux": 1}, **spec}))
    process = subprocess.Popen(command(file), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if process.stdin is None or process.stdout is None or process.stderr is None:
        raise RuntimeError("no pipes")
    try:
        line = process.stdout.readline()
        yield json.loads(line) if line else pytest.fail(process.stderr.read().decode())
    finally:
        process.stdin.close()
        code, words = process.wait(20), process.stderr.read().decode()
        process.stdout.close()
        process.stderr.close()
    assert (code, words) == (0, "")


def client(ready: dict[str, str]) -> Api:
    document = yaml.safe_load(Path(ready["kubeconfig"]).read_text())
    cluster, user = document["clusters"][0]["cluster"], document["users"][0]["user"]
    return Api(cluster["server"], user["token"], cluster["certificate-authority"])


async def pod_until(api: Api, path: str, met: Any) -> dict[str, Any]:
    async for kind, seen in api.watch(path):
        for pod in seen.get("items") or [] if kind == "LISTED" else [seen]:
            if met(pod):
                return dict(pod)
    raise RuntimeError("the watch ended")


async def gone(api: Api, path: str) -> None:
    async for kind, seen in api.watch(path):
        if kind == "DELETED" or (kind == "LISTED" and not seen.get("items")):
            return


def is_ready(pod: dict[str, Any]) -> bool:
    return any(one["type"] == "Ready" and one["status"] == "True" for one in pod["status"].get("conditions", []))


@pytest.mark.parametrize("temporary", [True, False])
def test_a_temporary_folder_is_gone_with_the_standard_input(tmp_path, temporary):
    """Whoever made the folder may have been killed; a folder that a user named stays."""
    with running(tmp_path, temporary=temporary):
        assert (tmp_path / "f").is_dir()
    assert (tmp_path / "f").exists() is not temporary



@pytest.mark.parametrize("plane", PLANES)
def test_a_windows_pod_runs_answers_and_goes(plane: str, tmp_path: Path) -> None:
    """Scheduler, kubelet, network and proxy together."""

    async def story(ready: dict[str, str]) -> None:
        async with client(ready) as api:
            path = "/api/v1/namespaces/default/pods"
            await api.create(path, POD)
            pod = await asyncio.wait_for(pod_until(api, path, is_ready), 20)
            assert pod["spec"]["nodeName"] == "win-1"
            answer = await api.get(f"{path}/p:8080/proxy/hostname")
            assert answer == {"message": "p"}
            log = await api.get(f"{path}/p/log")
            assert "GET /hostname" in log["message"]
            await api.delete(f"{path}/p")
            await asyncio.wait_for(gone(api, path), 20)

    with running(tmp_path, control_plane=plane) as ready:
        asyncio.run(story(ready))


@pytest.mark.parametrize("plane", PLANES)
def test_a_dual_stack_cluster_has_both_families_everywhere(plane: str, tmp_path: Path) -> None:
    """Nodes, Pods, a Service and its slices; a Node that loses sight of its IPv6 address says so, and heals."""

    async def story(ready: dict[str, str]) -> None:
        async with client(ready) as api:
            assert await addresses(api) == ["10.240.0.11", "fd00:10:240::b"]
            path = "/api/v1/namespaces/default/pods"
            await api.create(path, POD)
            pod = await asyncio.wait_for(pod_until(api, path, is_ready), 20)
            first, second = (one["ip"] for one in pod["status"]["podIPs"])
            assert pod["status"]["podIP"] == first and second.startswith("fd00:10:244:1::")
            assert [one["ip"] for one in pod["status"]["hostIPs"]] == ["10.240.0.11", "fd00:10:240::b"]
            spec = {"ports": [{"port": 80}], "selector": {"app": "p"}, "ipFamilyPolicy": "RequireDualStack"}
            made = await api.create("/api/v1/namespaces/default/services", {"metadata": {"name": "s"}, "spec": spec})
            assert [ip.split(":")[0].split(".")[0] for ip in made["spec"]["clusterIPs"]] == ["10", "fd00"]
            slices = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
            for family, ip in (("IPv4", first), ("IPv6", second)):
                await asyncio.wait_for(pod_until(api, slices, partial(listed, family, ip)), 20)
            fault = {"name": "node-without-ipv6-address", "parameters": {"node": "win-1"}}
            assert (await asyncio.to_thread(asked, ready, "POST", "/faults", {"faults": [fault]}))[0] == 200
            assert await addresses(api) == ["10.240.0.11"]
            await asyncio.to_thread(asked, ready, "DELETE", "/faults")
            assert await addresses(api) == ["10.240.0.11", "fd00:10:240::b"]

    async def addresses(api: Api) -> list[str]:
        status = (await api.get("/api/v1/nodes/win-1"))["status"]
        return [one["address"] for one in status["addresses"] if one["type"] == "InternalIP"]

    def listed(family: str, ip: str, one: dict[str, Any]) -> bool:
        if one["addressType"] != family or one["metadata"]["labels"]["kubernetes.io/service-name"] != "s":
            return False
        return [address for endpoint in one.get("endpoints") or [] for address in endpoint["addresses"]] == [ip]

    with running(tmp_path, control_plane=plane, ip_families=["IPv4", "IPv6"]) as ready:
        asyncio.run(story(ready))


@pytest.mark.parametrize("plane", PLANES)
def test_nothing_of_a_fault_is_on_its_way_when_it_is_out(plane: str, tmp_path: Path) -> None:
    """Pods that it made unready are ready again, and stand so in their EndpointSlices: no change comes later."""

    async def story(ready: dict[str, str]) -> None:
        async with client(ready) as api:
            path = "/api/v1/namespaces/default/pods"
            slices = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
            await api.create(path, POD)
            await api.create(
                "/api/v1/namespaces/default/services",
                {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}], "selector": {"app": "p"}}},
            )
            await asyncio.wait_for(pod_until(api, slices, partial(has_endpoint, True)), 20)
            fault = {"name": "kubelet-probes-cut", "parameters": {"node": "win-1"}}
            assert (await asyncio.to_thread(asked, ready, "POST", "/faults", {"faults": [fault]}))[0] == 200
            await asyncio.wait_for(pod_until(api, slices, partial(has_endpoint, False)), 20)
            await asyncio.to_thread(asked, ready, "DELETE", "/faults")
            assert is_ready(await api.get(f"{path}/p"))
            found = (await api.get(slices))["items"]
            assert [piece for piece in found if has_endpoint(True, piece)]

    def has_endpoint(ready: bool, piece: dict[str, Any]) -> bool:
        named = (piece["metadata"].get("labels") or {}).get("kubernetes.io/service-name") == "s"
        return named and [one["conditions"]["ready"] for one in piece.get("endpoints") or []] == [ready]

    with running(tmp_path, control_plane=plane, rate=20) as ready:
        asyncio.run(story(ready))


@pytest.mark.parametrize("plane", PLANES)
def test_what_was_deleted_is_gone_when_faults_are_out(plane: str, tmp_path: Path) -> None:
    """Pods of a Namespace that goes would give back addresses under the next fault; one that is held is let be."""

    async def story(ready: dict[str, str]) -> None:
        async with client(ready) as api:
            await api.create("/api/v1/namespaces", {"metadata": {"name": "goes"}})
            path, held = "/api/v1/namespaces/goes/pods", "/api/v1/namespaces/default/pods"
            pod = {**POD, "spec": {**POD["spec"], "automountServiceAccountToken": False}}
            await api.create("/api/v1/namespaces/goes/serviceaccounts", {"metadata": {"name": "own"}})
            pod["spec"]["serviceAccountName"] = "own"
            await api.create(path, pod)
            await api.create(held, {**POD, "metadata": {**POD["metadata"], "finalizers": ["example.com/held"]}})
            await asyncio.wait_for(pod_until(api, path, is_ready), 20)
            await api.delete(f"{held}/p")
            await api.delete("/api/v1/namespaces/goes")
            await asyncio.wait_for(asyncio.to_thread(asked, ready, "DELETE", "/faults"), 20)
            assert (await api.get(path))["items"] == []
            assert [one["metadata"]["name"] for one in (await api.get(held))["items"]] == ["p"]

    with running(tmp_path, control_plane=plane, rate=20) as ready:
        asyncio.run(story(ready))


@pytest.mark.cluster
def test_the_control_api_puts_faults_in_and_takes_them_out(tmp_path: Path) -> None:
    """Unknown faults are a 422, and nobody gets in without the token."""
    with running(tmp_path) as ready:
        assert asked(ready, "POST", "/faults", {"faults": [{"name": "nosuch"}]})[0] == 422
        fault = {"name": "kube-proxy-stale", "parameters": {"node": "win-1"}}
        status, answer = asked(ready, "POST", "/faults", {"faults": [fault]})
        assert (status, [one["name"] for one in answer["active"]]) == (200, ["kube-proxy-stale"])
        assert asked(ready, "DELETE", "/faults") == (200, {"active": []})
        assert asked(ready, "POST", "/restart", {"component": "kube-proxy", "node": "win-1"})[0] == 200
        assert asked({**ready, "control_token": "x"}, "GET", "/healthz")[0] == 401
        tables = asked(ready, "GET", "/tables?node=win-1")[1]
        assert {"LB", "EP", "IMG", "CHAN", "VOL"} <= set(tables["win-1"])


def asked(ready: dict[str, str], method: str, path: str, body: Any = None) -> tuple[int, Any]:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {ready['control_token']}"}
    request = urllib.request.Request(ready["control"] + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"control_plane": "imaginary"}, "control_plane: 'imaginary' is none of embedded, real"),
        ({"node": {}}, "unknown field 'node' in the spec"),
        ({"control_plane": "real", "assets": "/nosuch"}, "no etcd in /nosuch (KUBEBUILDER_ASSETS)"),
        ({"ip_families": ["IPv6"]}, "ip_families: ['IPv6'] is neither of ['IPv4'] and ['IPv4', 'IPv6']"),
        ({"rate": 0}, "rate: cluster seconds per real second are needed, not 0"),
    ],
)
def test_what_cannot_start_is_one_line_and_exit_code_3(spec: dict[str, Any], words: str, tmp_path: Path) -> None:
    """No traceback, nothing on stdout."""
    file = tmp_path / "spec.json"
    file.write_text(json.dumps({"folder": str(tmp_path / "f"), **spec}))
    done = subprocess.run(command(file), capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith(words) and done.stderr.count("\n") == 1


def test_the_data_of_an_earlier_cluster_is_refused(tmp_path: Path) -> None:
    """Its Nodes and Pods would be taken for this cluster's."""
    assets, folder, file = tmp_path / "assets", tmp_path / "f", tmp_path / "spec.json"
    assets.mkdir()
    for name in ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"):
        (assets / name).touch()
    (folder / "etcd").mkdir(parents=True)
    file.write_text(json.dumps({"folder": str(folder), "control_plane": "real", "assets": str(assets)}))
    done = subprocess.run(command(file), capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    assert (done.returncode, done.stderr) == (
        3, f"folder: {folder} holds the data of an earlier cluster (etcd); empty it\n",
    )  # fmt: skip
