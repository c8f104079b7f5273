"""Files that containers share, and what a mount lets each of them do."""

from __future__ import annotations

import re

import pytest

from op_readiness.model.errors import AbilityNotMet, NotTested, SkipReason
from op_readiness.model.findings import Outcome
from op_readiness.suite.subjects.storage.host_folders import HostFolders
from op_readiness.suite.subjects.storage.mount_modes import EMPTY, HOST, MountModes
from op_readiness.suite.subjects.storage.mounting import DENIED, ENGLISH, Mounting
from op_readiness.suite.subjects.storage.shared_files import CONTAINERS, LINES, NAMES, PODS, SharedFiles

from .bench import NODES, bench, client_on, wrong


def containers(pod="p"):
    return [client_on(NODES[0], pod, name) for name in NAMES]


class Shared:
    """Three containers with one folder. `lost` lines of the file that all append to; `alone`: sees its own files."""

    def __init__(self, lost=0, alone="", short=""):
        self.lost, self.alone, self.short, self.files = lost, alone, short, {}

    def __call__(self, client, command):
        if found := re.fullmatch(r"echo (\S+) > C:\\shared\\(\w+)\.txt", command):
            self.files[found[2]] = (found[1], client.container)
            return ""
        if found := re.fullmatch(r"type C:\\shared\\(\w+)\.txt", command):
            word, owner = self.files[found[1]]
            return (1, ENGLISH) if client.container == self.alone != owner else f"{word} \n"
        if command.startswith("wc"):
            name = command.rsplit("/", 1)[1].removesuffix(".log")
            return str(3 * LINES - self.lost if name == "all" else LINES - (name == self.short))
        if command.startswith("rm"):
            return "rm: sharing violation\nrefused"
        return "all.log held.txt" if command == "ls /shared" else ""


@pytest.mark.parametrize(
    ("tongue", "broken"),
    [
        (Shared(), []),
        (Shared(lost=7), []),
        (Shared(alone="two"), [f"{CONTAINERS}: two reads one.txt", f"{CONTAINERS}: two reads three.txt"]),
        (Shared(short="three"), [f"{CONTAINERS}: one counts lines of three"]),
    ],
)
def test_nine_reads_and_no_line_of_a_file_of_ones_own_is_lost(tongue, broken):
    """What three lose that append to one file is a figure, and an open file that is removed a note; no failures."""
    with bench(tongue) as made:
        shared = SharedFiles(HostFolders(made.mounting, NODES))
        checks = shared._shared((CONTAINERS, containers()))
        assert wrong(checks) == broken
        assert sum("reads" in check.path for check in checks) == 9
        [note] = made.workshop.recorder.notes.texts
        said = "a file that another container has open: rm: sharing violation refused, still listed"
        assert note == f"win-1 {CONTAINERS}: {said}"
        [figure] = made.workshop.recorder.notes.figures.values()
        assert figure == tongue.lost


def test_lines_that_could_not_be_counted_are_no_figure():
    """Not one line more than were written."""

    def tongue(client, command):
        return (1, "No such file") if command.endswith("all.log") else Shared()(client, command)

    with bench(tongue) as made:
        shared = SharedFiles(HostFolders(made.mounting, NODES))
        assert wrong(shared._at_once(CONTAINERS, list(zip(NAMES, containers(), strict=True)))) == []
        assert made.workshop.recorder.notes.figures == {}


@pytest.mark.parametrize(("subject", "path"), [(SharedFiles, PODS), (MountModes, HOST)])
def test_without_privileged_pods_the_folder_of_the_node_is_not_tested(monkeypatch, subject, path):
    """The emptyDir is, and the result says what was left out."""

    def forbidden(self):
        raise NotTested("requires privileged Pods", reason=SkipReason.MISSING_RIGHT)

    monkeypatch.setattr(HostFolders, "start", forbidden)
    monkeypatch.setattr(Mounting, "up", lambda self, manifests, nodes: [client_on(node) for node in nodes])
    with bench() as made:
        one = subject(HostFolders(made.mounting, NODES))
        one.start()
        assert [part.startswith(path) for part in made.parts(Outcome.SKIPPED)] == [True, True]
        if isinstance(one, MountModes):
            assert (one.kinds, len(one.alone), len(one.pairs)) == ([EMPTY], 2, 2)
        else:
            assert [name for name, _ in one.groups] == [CONTAINERS] * 2


class Modes:
    """One volume as reader and writer meet it. `faults`: open (the reader writes), shut (nobody does), apart, full."""

    def __init__(self, *faults):
        self.faults, self.files = faults, {}

    def __call__(self, client, command):
        if found := re.fullmatch(r"echo (\S+) > (\S+)", command):
            return self._write(client, found[1], found[2])
        path = command.removeprefix("type ")
        if client.container == "reader" and "apart" in self.faults:
            return 1, ENGLISH
        return f"{self.files[path]} " if path in self.files else (1, ENGLISH)

    def _write(self, client, word, path):
        if client.container == "reader" and "full" in self.faults:
            return 1, "There is not enough space on the disk."
        if "shut" in self.faults or (client.container == "reader" and "open" not in self.faults):
            return 1, DENIED
        self.files[path] = word
        return ""


@pytest.mark.parametrize(
    ("fault", "alone", "pair"),
    [
        ("", [], []),
        ("open", ["reader alone write"], ["reader beside a writer write", "reader reads", "writer reads"]),
        ("shut", [], ["writer write", "reader reads", "writer reads"]),
        ("apart", [], ["reader reads"]),
        ("full", ["reader alone write"], ["reader beside a writer write"]),
    ],
)
def test_each_container_does_what_its_own_mount_says(fault, alone, pair):
    """Refused to the reader in Windows' words, given to the writer, and read by both; for both kinds of volumes."""
    with bench(Modes(fault)) as made:
        modes = MountModes(HostFolders(made.mounting, NODES))
        client = client_on(NODES[0])
        for kind in (EMPTY, HOST):
            modes.kinds = [kind]
            assert wrong(modes._alone(client)) == [f"{kind}: {words}" for words in alone]
            ended = [f"{kind}: {words}" + (" test-file.txt" if words.endswith("reads") else "") for words in pair]
            assert sorted(wrong(modes._pair(client))) == sorted(ended)


def test_the_finding_of_a_mode_names_node_expected_and_seen():
    """It is the first of the two that speaks: a container that is alone."""
    with bench(Modes("open")) as made:
        modes = MountModes(HostFolders(made.mounting, NODES), alone=[client_on(NODES[1])])
        with pytest.raises(AbilityNotMet) as raised:
            modes.must_be_kept()
        [finding] = raised.value.findings
        assert finding.nodes == ("win-2",)
        assert DENIED in finding.expected and "win-2: emptyDir: reader alone write: 0" in finding.seen


def test_the_pods_have_a_reader_and_where_it_is_not_alone_a_writer():
    """Both volumes, read-only in the reader alone."""
    with bench() as made:
        folders = HostFolders(made.mounting, NODES, "n")
        spec = MountModes(folders)._pod("p", NODES[0], ("reader", "writer"))["spec"]
        read_only = {c["name"]: [m.get("readOnly", False) for m in c["volumeMounts"]] for c in spec["containers"]}
        assert read_only == {"reader": [True, True], "writer": [False, False]}
        assert spec["volumes"][0] == {"name": "emptydir", "emptyDir": {}}
        assert spec["volumes"][1]["hostPath"] == {"path": folders.path, "type": "DirectoryOrCreate"}
