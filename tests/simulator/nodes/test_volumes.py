"""Volumes, environment and managed files of containers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from op_readiness.simulator.nodes.mounted import Mounted
from op_readiness.simulator.programs.files import FileSystem

from .standin import Cluster

CONFIG = {"metadata": {"name": "cm"}, "data": {"data-1": "value-1"}, "binaryData": {"crlf": "YQ0KYg=="}}


def files(cluster: Cluster, pod: str) -> FileSystem:
    process = cluster.worker(pod).containers[0].process
    assert process is not None
    return process.files


def mounted(path: str, **source: Any) -> dict[str, Any]:
    return {"container": {"volumeMounts": [{"name": "v", "mountPath": path}]}, "volumes": [{"name": "v", **source}]}


def test_a_config_map_keeps_its_bytes_and_changes_live() -> None:
    """Bytes arrive as they are; a change is seen after the kubelet's next look."""

    async def story() -> None:
        async with Cluster() as cluster:
            cluster.put("/api/v1/configmaps", "t", dict(CONFIG))
            cluster.pod("p", **mounted("/etc/cm", configMap={"name": "cm"}))
            await cluster.turn(10)
            seen = files(cluster, "p")
            assert seen.read("C:\\etc\\cm\\data-1") == b"value-1"
            assert seen.read("/etc/cm/crlf") == b"a\r\nb"
            cluster.put("/api/v1/configmaps", "t", {"metadata": {"name": "cm"}, "data": {"data-1": "value-2"}})
            await cluster.turn(5)
            assert seen.read("/etc/cm/data-1") == b"value-1"
            await cluster.turn(30)
            assert seen.read("/etc/cm/data-1") == b"value-2"
            assert not seen.exists("/etc/cm/crlf")

    asyncio.run(story())


def test_a_missing_config_map_holds_up_the_pod() -> None:
    """FailedMount until it is there."""

    async def story() -> None:
        async with Cluster() as cluster:
            cluster.pod("p", **mounted("/etc/cm", configMap={"name": "cm"}))
            await cluster.turn(5)
            assert cluster.status("p")["phase"] == "Pending"
            failed = [event["message"] for event in cluster.api.events if event["reason"] == "FailedMount"]
            assert failed[0] == 'MountVolume.SetUp failed for volume "v" : configmap "cm" not found'
            cluster.put("/api/v1/configmaps", "t", dict(CONFIG))
            await cluster.turn(60)
            assert cluster.ready("p")

    asyncio.run(story())


def test_a_token_is_renewed_at_four_fifths_of_its_life() -> None:
    """600 s: another token after 480 s."""

    async def story() -> None:
        async with Cluster() as cluster:
            source = {"sources": [{"serviceAccountToken": {"path": "token", "expirationSeconds": 600}}]}
            cluster.pod("p", **mounted("/var/run/secrets", projected=source))
            await cluster.turn(470)
            assert files(cluster, "p").read("/var/run/secrets/token") == b"token-1"
            await cluster.turn(20)
            assert files(cluster, "p").read("/var/run/secrets/token") == b"token-2"

    asyncio.run(story())


def test_pods_share_a_host_path_and_keep_their_own_empty_dir() -> None:
    """One Node, one folder; what another Node has is another folder."""

    async def story() -> None:
        async with Cluster() as cluster:
            for name, node in (("a", "win-1"), ("b", "win-1"), ("c", "win-2")):
                cluster.pod(name, node, **mounted("C:\\d", hostPath={"path": "C:\\data", "type": "DirectoryOrCreate"}))
            await cluster.turn(10)
            files(cluster, "a").write("C:\\d\\f", b"x")
            assert files(cluster, "b").read("/d/f") == b"x"
            assert not files(cluster, "c").exists("/d/f")
            assert cluster.world.nodes["win-1"].host_files.read("C:\\data\\f") == b"x"

    asyncio.run(story())


def test_a_read_only_fault_of_one_volume_is_met_by_writes() -> None:
    """A hook of the VOL table by kind; reading goes on."""

    async def story() -> None:
        async with Cluster() as cluster:
            cluster.pod("p", **mounted("C:\\d", emptyDir={}))
            await cluster.turn(10)
            seen = files(cluster, "p")
            seen.write("C:\\d\\f", b"x")
            table = cluster.world.nodes["win-1"].volumes
            read_only = Mounted("read-only")
            table.on_lookup.append(lambda _, key, value: read_only if key.kind == "emptyDir" else value)
            with pytest.raises(PermissionError):
                seen.write("C:\\d\\f", b"y")
            assert seen.read("C:\\d\\f") == b"x"

    asyncio.run(story())


def test_the_environment_knows_fields_services_and_references() -> None:
    """fieldRef, configMapKeyRef, service links and $(NAME)."""

    async def story() -> None:
        async with Cluster() as cluster:
            cluster.put("/api/v1/configmaps", "t", dict(CONFIG))
            service = {"metadata": {"name": "web"}, "spec": {"clusterIP": "10.96.0.99", "ports": [{"port": 80}]}}
            cluster.put("/api/v1/services", "t", service)
            env = [
                {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
                {"name": "KEY", "valueFrom": {"configMapKeyRef": {"name": "cm", "key": "data-1"}}},
                {"name": "BOTH", "value": "$(IP)/$(KEY) $$(KEY) $(NONE)"},
            ]
            cluster.pod("p", container={"env": env})
            await cluster.turn(10)
            process = cluster.worker("p").containers[0].process
            assert process is not None
            assert process.env["BOTH"] == f"{cluster.status('p')['podIP']}/value-1 $(KEY) $(NONE)"
            assert process.env["WEB_SERVICE_HOST"] == "10.96.0.99"

    asyncio.run(story())


def test_the_hosts_file_has_the_aliases() -> None:
    """hostAliases stand in the file that the kubelet manages."""

    async def story() -> None:
        async with Cluster() as cluster:
            cluster.pod("p", hostAliases=[{"ip": "10.0.0.9", "hostnames": ["one.test"]}])
            await cluster.turn(10)
            hosts = files(cluster, "p").read("C:\\Windows\\System32\\drivers\\etc\\hosts").decode()
            assert "10.0.0.9\tone.test\n" in hosts

    asyncio.run(story())


def test_resolv_conf_of_a_linux_pod() -> None:
    """Servers, search list and options by dnsPolicy and dnsConfig."""

    async def story() -> None:
        async with Cluster() as cluster:
            cluster.pod("p", "linux-1", dnsConfig={"options": [{"name": "timeout", "value": "2"}]})
            await cluster.turn(10)
            assert files(cluster, "p").read("/etc/resolv.conf").decode().splitlines() == [
                "search t.svc.cluster.local svc.cluster.local cluster.local",
                "nameserver 10.96.0.10",
                "options ndots:5 timeout:2",
            ]

    asyncio.run(story())
