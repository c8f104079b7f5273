"""Folders of Nodes: written down before they are made, struck out once they are gone; and Pods that have them."""

from __future__ import annotations

import json

import pytest

from op_readiness.model.errors import CouldNotTell
from op_readiness.model.findings import Finding
from op_readiness.suite.subjects.storage.host_folders import HostFolders
from op_readiness.suite.subjects.storage.host_paths import HostPaths
from op_readiness.suite.subjects.storage.mounting import DENIED, ENGLISH, Mounting

from .bench import NODES, RUN, bench, client_on, wrong


@pytest.fixture
def hosts(monkeypatch):
    """HostProcess Pods that are up at once."""
    made = [client_on(node, f"host-{n}") for n, node in enumerate(NODES)]
    monkeypatch.setattr(Mounting, "up", lambda self, manifests, nodes: made)
    return made


def written(cluster):
    return [patch["data"] for patch in cluster.patches]


def test_a_folder_is_in_the_journal_before_anybody_makes_it(hosts):
    """With Node, path and the run's name in it; gone from the Node it is struck out."""
    with bench() as made:
        folders = HostFolders(made.mounting, NODES, "abcd")
        folders.start()
        assert made.told.asked == []
        entries = [json.loads(text) for patch in written(made.cluster) for text in patch.values()]
        assert sorted((one["kind"], one["data"]["node"], one["data"]["path"]) for one in entries) == [
            ("host folder", node.name, rf"C:\opr-{RUN}-abcd") for node in NODES
        ]
        folders.everywhere(f"mkdir {folders.path}")
        cluster = made.cluster
    assert [text for patch in written(cluster)[2:] for text in patch.values()] == [None, None]


@pytest.mark.parametrize("answer", [(1, "in use"), CouldNotTell(Finding("exec did not return", "", "", ""))])
def test_a_folder_that_stays_is_left_to_the_clean_up(hosts, answer):
    """The entry stands, whether the Node said no or nothing."""

    def tongue(_, __):
        if isinstance(answer, Exception):
            raise answer
        return answer

    with bench(tongue) as made:
        HostFolders(made.mounting, NODES).start()
        cluster = made.cluster
    assert all(text is not None for patch in written(cluster) for text in patch.values())


def test_a_folder_that_cannot_be_made_ready_says_nothing_about_volumes(hosts):
    """CouldNotTell, naming the Node."""
    with bench(lambda client, _: (1, "full") if client.place.node == "win-2" else "") as made:
        folders = HostFolders(made.mounting, NODES)
        folders.start()
        with pytest.raises(CouldNotTell) as raised:
            folders.everywhere(f"mkdir {folders.path}")
        assert raised.value.findings[0].nodes == ("win-2",)


class Disk:
    """What cmd and agnhost say of one Node's folder. `faults` are words for what is broken."""

    def __init__(self, *faults):
        self.faults, self.host, self.own = faults, {}, {}

    def __call__(self, client, command):
        host = client.pod.startswith("host")
        files = self.own.setdefault(client.pod, {}) if "missing" in self.faults and not host else self.host
        name = command.rsplit("\\", 1)[-1].split("/")[-1].split(")")[0].strip()
        if command.startswith("/agnhost"):
            return f'content of file "/test-volume/{name}": {files.get(name, "")}'
        if command.startswith("if exist"):
            return "there" if command.split("\\")[-1].split(" ")[0] in self.host else "none"
        if "echo" in command:
            return self._write(client, command, files, name, host)
        return files.get(name, (1, ENGLISH))

    def _write(self, client, command, files, name, host):
        if client.pod.startswith("reader") and "writable" not in self.faults:
            return 1, ("There is not enough space on the disk." if "full" in self.faults else DENIED)
        if "read-only" in self.faults and not host:
            return 1, DENIED
        if not ("frozen" in self.faults and host and name in files):
            files[name] = command.split("echo ", 1)[1].split(">")[0].strip()
        return ""


SECOND = ["read by a second Pod test-file", "read by a path with slashes test-file"]
CHANGED = ["changed on the Node test-file", "changed, by a path with slashes test-file"]


@pytest.mark.parametrize(
    ("fault", "broken"),
    [
        ("", []),
        ("read-only", ["write test-file", *SECOND, "read on the Node test-file"]),
        ("missing", [*SECOND, "read on the Node test-file"]),
    ],
)
def test_what_is_written_is_seen_by_another_pod_and_by_the_node(fault, broken):
    """Each of the three is a statement of its own."""
    with bench(Disk(fault)) as made:
        folders = HostFolders(made.mounting, NODES, "n", {"win-1": client_on(NODES[0], "host-0")})
        pair = client_on(NODES[0], "writer-0"), client_on(NODES[0], "second-0")
        assert wrong(HostPaths(folders, "n1")._written(pair)) == broken


@pytest.mark.parametrize(
    ("fault", "broken"),
    [
        ("", []),
        ("missing", ["read test-file", *CHANGED]),
        ("writable", ["write to the read-only volume refused.txt"]),
        ("full", ["write to the read-only volume refused.txt"]),
        ("frozen", CHANGED),
    ],
)
def test_what_the_node_wrote_is_read_and_not_written(fault, broken):
    """Also after it has changed; a write must be refused as one to what is read-only, not fail in another way."""
    disk = Disk(fault)
    disk.host["test-file"] = "n1"
    with bench(disk) as made:
        folders = HostFolders(made.mounting, NODES, "n", {"win-1": client_on(NODES[0], "host-0")})
        assert wrong(HostPaths(folders, "n1")._read(client_on(NODES[0], "reader-0"))) == broken


def test_pods_that_read_have_the_folder_by_both_forms_of_its_path():
    """As e2e writes it, without a drive and with slashes, beside Windows' own."""
    with bench() as made:
        spec = HostPaths(HostFolders(made.mounting, NODES, "n"))._pod("reader-0", NODES[0], True, {})["spec"]
        paths = [volume["hostPath"]["path"] for volume in spec["volumes"]]
        assert paths == [rf"C:\opr-{RUN}-n", f"/opr-{RUN}-n"]
