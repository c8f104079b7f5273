"""How a container meets a volume (VOL): each state by itself, on one Node and for the volumes that it names."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from op_readiness.simulator.nodes.mounted import STATES, Mounted, VolumeKey
from op_readiness.simulator.programs.files import FileSystem

from .standin import Cluster

CONFIG = {"metadata": {"name": "cm"}, "data": {"a": "one", "b": "two"}}
EMPTY = {"emptyDir": {}}
FOLDER = {"hostPath": {"path": "C:\\data", "type": "DirectoryOrCreate"}}
KEYS = {"configMap": {"name": "cm"}}
Fits = Callable[[VolumeKey], bool]


def meets(cluster: Cluster, state: str, fits: Fits, message: str = "", node: str = "win-1") -> None:
    """From now on what fits is met in that state."""
    assert state in STATES
    table = cluster.world.nodes[node].volumes
    table.on_lookup.append(lambda _, key, value: Mounted(state, message) if fits(key) else value)


def is_mounted(key: VolumeKey) -> bool:
    return key.path != ""


def mounted(path: str = "C:\\d", *, volume: dict[str, Any] | None = None, **how: Any) -> dict[str, Any]:
    """The fields of a Pod with one volume, mounted at `path`."""
    mounts = [{"name": "v", "mountPath": path, **how}]
    return {"container": {"volumeMounts": mounts}, "volumes": [{"name": "v", **(volume or EMPTY)}]}


def by_sub_paths(*names: str) -> dict[str, Any]:
    mounts = [{"name": "v", "mountPath": f"C:\\etc\\{name}", "subPath": name} for name in names]
    return {"container": {"volumeMounts": mounts}, "volumes": [{"name": "v", **KEYS}]}


def files(cluster: Cluster, pod: str, container: int = 0) -> FileSystem:
    process = cluster.worker(pod).containers[container].process
    assert process is not None
    return process.files


def waiting(cluster: Cluster, pod: str) -> tuple[str, str]:
    """Reason and message of its first container's waiting state."""
    state = cluster.state(pod).get("waiting", {})
    return state.get("reason", ""), state.get("message", "")


def test_missing_is_an_empty_folder_of_the_containers_own() -> None:
    """What is written lands there and not on the Node; another Node's Pods meet the folder itself."""

    async def story() -> None:
        async with Cluster() as cluster:
            meets(cluster, "missing", is_mounted)
            for name, node in (("a", "win-1"), ("b", "win-2")):
                cluster.world.nodes[node].host_files.makedirs("C:\\data")
                cluster.world.nodes[node].host_files.write("C:\\data\\f", b"host")
                cluster.pod(name, node, **mounted(volume=FOLDER))
            await cluster.turn(10)
            assert not files(cluster, "a").exists("C:\\d\\f")
            files(cluster, "a").write("C:\\d\\g", b"x")
            assert not cluster.world.nodes["win-1"].host_files.exists("C:\\data\\g")
            assert files(cluster, "b").read("C:\\d\\f") == b"host"

    asyncio.run(story())


def test_writable_forgets_read_only_of_a_mount_and_changes_nothing_else() -> None:
    """Without the fault a mount that is read-only takes no write; with it, it does."""

    async def story() -> None:
        async with Cluster() as cluster:
            cluster.pod("held", **mounted(readOnly=True))
            await cluster.turn(10)
            with pytest.raises(PermissionError):
                files(cluster, "held").write("C:\\d\\f", b"x")
            meets(cluster, "writable", lambda key: key.kind == "emptyDir")
            cluster.pod("open", **mounted(readOnly=True))
            cluster.pod("folder", **mounted(volume=FOLDER, readOnly=True))
            await cluster.turn(10)
            files(cluster, "open").write("C:\\d\\f", b"x")
            assert files(cluster, "open").read("C:\\d\\f") == b"x"
            with pytest.raises(PermissionError):
                files(cluster, "folder").write("C:\\d\\f", b"x")

    asyncio.run(story())


def test_two_containers_of_a_pod_have_one_volume_each_as_its_own_mount_says() -> None:
    """The reader sees what the writer wrote, and cannot change it."""

    async def story() -> None:
        async with Cluster() as cluster:
            fields = mounted(readOnly=True)
            body = cluster.pod("p", **fields)
            await cluster.turn(1)
            [reader] = body["spec"]["containers"]
            mounts, ports = [{"name": "v", "mountPath": "C:\\d"}], ["--http-port=8090", "--udp-port=8091"]
            writer = {**reader, "name": "w", "args": ["netexec", *ports], "volumeMounts": mounts}
            cluster.pod("q", **fields | {"containers": [reader, writer]})
            await cluster.turn(10)
            files(cluster, "q", 1).write("C:\\d\\f", b"w")
            assert files(cluster, "q").read("C:\\d\\f") == b"w"
            with pytest.raises(PermissionError):
                files(cluster, "q").write("C:\\d\\f", b"r")

    asyncio.run(story())


def test_denied_is_neither_read_nor_written() -> None:
    """Access is denied, to files that are there too."""

    async def story() -> None:
        async with Cluster() as cluster:
            cluster.pod("p", **mounted())
            await cluster.turn(10)
            seen = files(cluster, "p")
            seen.write("C:\\d\\f", b"x")
            meets(cluster, "denied", is_mounted)
            for act in (seen.read, seen.listdir, lambda path: seen.write(path, b"")):
                with pytest.raises(PermissionError):
                    act("C:\\d\\f")

    asyncio.run(story())


def test_no_update_keeps_the_first_contents() -> None:
    """The change does not reach the Pod that has the volume, and does after the fault."""

    async def story() -> None:
        async with Cluster() as cluster:
            cluster.put("/api/v1/configmaps", "t", dict(CONFIG))
            meets(cluster, "no-update", lambda key: key.kind == "configMap")
            cluster.pod("p", **mounted("/etc/cm", volume=KEYS))
            await cluster.turn(10)
            cluster.put("/api/v1/configmaps", "t", {"metadata": {"name": "cm"}, "data": {"a": "new"}})
            await cluster.turn(200)
            assert files(cluster, "p").read("/etc/cm/a") == b"one"
            cluster.world.nodes["win-1"].volumes.on_lookup.clear()
            await cluster.turn(100)
            assert files(cluster, "p").read("/etc/cm/a") == b"new"

    asyncio.run(story())


def test_a_config_map_that_was_gone_and_came_back_is_seen() -> None:
    """Meanwhile the Pod keeps what it had."""

    async def story() -> None:
        async with Cluster() as cluster:
            cluster.put("/api/v1/configmaps", "t", dict(CONFIG))
            cluster.pod("p", **mounted("/etc/cm", volume=KEYS))
            await cluster.turn(10)
            cluster.world.informer("/api/v1/configmaps")._apply(None, ("t", "cm"))
            await cluster.turn(200)
            assert files(cluster, "p").read("/etc/cm/a") == b"one"
            cluster.put("/api/v1/configmaps", "t", {"metadata": {"name": "cm"}, "data": {"a": "new"}})
            await cluster.turn(100)
            assert files(cluster, "p").read("/etc/cm/a") == b"new"

    asyncio.run(story())


def test_unmountable_holds_up_the_pod_with_the_kubelets_words() -> None:
    """FailedMount, Pending; and up once it can be set up."""

    async def story() -> None:
        async with Cluster() as cluster:
            meets(cluster, "unmountable", lambda key: not key.path, "no space")
            cluster.pod("p", **mounted())
            await cluster.turn(5)
            assert cluster.status("p")["phase"] == "Pending"
            [first, *_] = [event["message"] for event in cluster.api.events if event["reason"] == "FailedMount"]
            assert first == 'MountVolume.SetUp failed for volume "v" : no space'
            cluster.world.nodes["win-1"].volumes.on_lookup.clear()
            await cluster.turn(60)
            assert cluster.ready("p")

    asyncio.run(story())


def test_refused_is_a_container_that_cannot_be_created() -> None:
    """The runtime's words stand in the status, and it is tried again."""

    async def story() -> None:
        async with Cluster() as cluster:
            meets(cluster, "refused", is_mounted, "MappedDirectories")
            cluster.pod("p", **mounted())
            await cluster.turn(5)
            assert waiting(cluster, "p") == ("CreateContainerError", "MappedDirectories")
            cluster.world.nodes["win-1"].volumes.on_lookup.clear()
            await cluster.turn(60)
            assert cluster.ready("p")

    asyncio.run(story())


def test_sub_paths_are_single_files_that_do_not_follow_changes() -> None:
    """Each is read where it is mounted; an update of the volume passes them by (kubernetes.io: Volumes, subPath)."""

    async def story() -> None:
        async with Cluster() as cluster:
            cluster.put("/api/v1/configmaps", "t", dict(CONFIG))
            cluster.pod("p", **by_sub_paths("a", "b"))
            await cluster.turn(10)
            seen = files(cluster, "p")
            assert (seen.read("C:\\etc\\a"), seen.read("C:\\etc\\b")) == (b"one", b"two")
            cluster.put("/api/v1/configmaps", "t", {"metadata": {"name": "cm"}, "data": {"a": "new", "b": "new"}})
            await cluster.turn(200)
            assert seen.read("C:\\etc\\a") == b"one"

    asyncio.run(story())


def test_held_keeps_a_pod_that_was_asked_to_go_and_no_other() -> None:
    """Its second subPath cannot be taken down: containers gone, Pod there; one with a single subPath goes."""

    async def story() -> None:
        async with Cluster() as cluster:
            cluster.put("/api/v1/configmaps", "t", dict(CONFIG))
            meets(cluster, "held", lambda key: key.sub_path_order > 1)
            cluster.pod("one", **by_sub_paths("a"))
            cluster.pod("two", **by_sub_paths("a", "b"))
            await cluster.turn(10)
            for name in ("one", "two"):
                cluster.ask_to_go(name, grace=2)
            await cluster.turn(120)
            assert [path.rsplit("/", 1)[1] for path in cluster.api.objects] == ["two"]
            assert "terminated" in cluster.state("two")
            assert "FailedKillPod" not in cluster.reasons("two")
            cluster.world.nodes["win-1"].volumes.on_lookup.clear()
            await cluster.turn(120)
            assert not cluster.api.objects

    asyncio.run(story())


def test_modes_mean_nothing_on_windows() -> None:
    """defaultMode is not kept: files look as inherited rights do; a Linux Node keeps it."""

    async def story() -> None:
        async with Cluster() as cluster:
            cluster.put("/api/v1/configmaps", "t", dict(CONFIG))
            volume = {"configMap": {"name": "cm", "defaultMode": 0o400}}
            for name, node in (("w", "win-1"), ("l", "linux-1")):
                cluster.pod(name, node, **mounted("/etc/cm", volume=volume))
            await cluster.turn(10)
            assert [files(cluster, name).stat("/etc/cm/a").mode for name in ("w", "l")] == [0o775, 0o400]

    asyncio.run(story())


def test_memory_is_a_medium_on_linux_only() -> None:
    """The API takes it; on Windows the volume lies on the disk."""

    async def story() -> None:
        async with Cluster() as cluster:
            for name, node in (("w", "win-1"), ("l", "linux-1")):
                cluster.pod(name, node, **mounted("/mem", volume={"emptyDir": {"medium": "Memory"}}))
            await cluster.turn(10)
            assert [files(cluster, name).stat("/mem").kind for name in ("w", "l")] == ["", "tmpfs"]  # type: ignore[union-attr]

    asyncio.run(story())


def test_the_path_of_a_host_folder_is_met_as_its_pod_writes_it() -> None:
    """Both forms lead to one folder; a runtime that does not take slashes names the path."""

    async def story() -> None:
        async with Cluster() as cluster:
            slashes = {"hostPath": {"path": "/data", "type": "DirectoryOrCreate"}}
            cluster.pod("a", **mounted(volume=FOLDER))
            cluster.pod("b", **mounted(volume=slashes))
            await cluster.turn(10)
            files(cluster, "a").write("C:\\d\\f", b"x")
            assert files(cluster, "b").read("C:\\d\\f") == b"x"
            meets(cluster, "refused", lambda key: "/" in key.host_path and is_mounted(key))
            cluster.pod("c", **mounted(volume=slashes))
            cluster.pod("d", **mounted(volume=FOLDER))
            await cluster.turn(10)
            assert '"HostPath":"/data"' in waiting(cluster, "c")[1]
            assert cluster.ready("d")

    asyncio.run(story())
