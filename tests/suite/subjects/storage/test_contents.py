"""What volumes show: bytes of ConfigMaps and Secrets, files by subPath, and what the downward API tells."""

from __future__ import annotations

import hashlib
import subprocess

import pytest

from op_readiness.cluster.watching import WatchTimeout
from op_readiness.model.clock import TurnedClock
from op_readiness.observe.shell import Answer, Answers
from op_readiness.suite.subjects.storage import subpaths
from op_readiness.suite.subjects.storage.config_volumes import (
    _ROUND,
    BYTES,
    PATHS,
    TTL,
    UPDATED,
    VALUES,
    VOLUMES,
    ConfigVolumes,
    _look,
)
from op_readiness.suite.subjects.storage.downward import UNLIMITED, Downward, value_of
from op_readiness.suite.subjects.storage.host_folders import HostFolders
from op_readiness.suite.subjects.storage.subpaths import FILES, MOUNTS, SubPaths, _left

from .bench import NODES, bench, client_on, wrong

CLIENT = client_on(NODES[0], "subpath-0")


def config(mangled=lambda value: value):
    def tongue(client, command):
        if command.startswith("sha256sum"):
            path = command.rsplit("/etc/", 1)[1].partition("/")[2]
            key = next(key for key, where in PATHS.items() if where == path)
            return f"{hashlib.sha256(mangled(BYTES[key])).hexdigest()}  {path}"
        if command.startswith("/agnhost"):
            return f'content of file "{command.rsplit("=", 1)[1]}": {VALUES["data-1"]}'
        return VALUES["data-1"] if "type C:" in command else round_of(0)

    return tongue


def round_of(second, stale=()):
    """What a look at all volumes prints; `stale` show the old value."""
    shown = [f"{name}: {VALUES['data-1'] if name in stale else UPDATED}" for name in VOLUMES]
    return (int(bool(stale)), "\n".join([f"second: {1000 + second}", *shown]))


def test_volumes_are_compared_byte_by_byte():
    """Line ends that something has changed are seen in every volume, and so are bytes that were taken for text."""
    with bench(config()) as made:
        assert wrong(ConfigVolumes(made.mounting, NODES)._contents(CLIENT)) == []
    with bench(config(lambda value: value.replace(b"\n", b"\r\n") if value != BYTES["binary"] else value)) as made:
        broken = wrong(ConfigVolumes(made.mounting, NODES)._contents(CLIENT))
        assert broken == [f"{name} {key}" for name in VOLUMES for key in ("lf", "crlf")]
    with bench(config(lambda value: value.decode(errors="replace").encode())) as made:
        broken = wrong(ConfigVolumes(made.mounting, NODES)._contents(CLIENT))
        assert broken == [f"{name} binary" for name in VOLUMES]


def test_programs_of_windows_read_them_too():
    """cmd by a path with a drive, through the volume's links; an error that repeats the value is no value."""
    told = config()
    with bench(lambda client, command: "" if "type C:" in command else told(client, command)) as made:
        broken = wrong(ConfigVolumes(made.mounting, NODES)._contents(CLIENT))
        assert broken == [f"{name} by cmd data-1" for name in VOLUMES]
    with bench(lambda client, command: (1, "value-1") if "type C:" in command else told(client, command)) as made:
        assert len(wrong(ConfigVolumes(made.mounting, NODES)._contents(CLIENT))) == len(VOLUMES)


def test_what_was_not_changed_is_there_after_an_update():
    """Under the same names, byte for byte."""
    lost = config(lambda value: b"" if value == BYTES["mapped"] else value)
    with bench(lost) as made:
        made.cluster.objects["Node", "win-1"] = {"metadata": {}}
        broken = wrong(ConfigVolumes(made.mounting, NODES)._updates(CLIENT))
        assert broken == [f"{name} after the update {PATHS['mapped']}" for name in VOLUMES]


def test_an_update_must_come_in_every_volume():
    """One that stays as it was is named; a Node of a large cluster may take its TTL longer."""
    stale = next(iter(VOLUMES))
    well, rounds = config(), iter(range(0, 10**9, 5))

    def tongue(client, command):
        return well(client, command) if command.startswith("sha256sum") else round_of(next(rounds), [stale])

    with bench(tongue) as made:
        made.cluster.objects["Node", "win-1"] = {"metadata": {"annotations": {TTL: "60"}}}
        checks = ConfigVolumes(made.mounting, NODES)._updates(CLIENT)
        assert wrong(checks) == [f"{stale} updated data-1"]
        assert {one.expected for one in checks if "updated" in one.path} == {f"{UPDATED} within 300 s"}
        made.cluster.objects["Node", "win-1"] = {"metadata": {}}
        checks = ConfigVolumes(made.mounting, NODES)._updates(CLIENT)
        assert {one.expected for one in checks if "updated" in one.path} == {f"{UPDATED} within 240 s"}


@pytest.mark.parametrize(("last", "broken"), [(240, []), (245, ["projected-configmap updated data-1"])])
def test_all_volumes_have_one_clock(last, broken):
    """The one that comes last has no more time because others came before it, and the Pod says what time it is."""
    well, asked, now = config(), [], iter(range(0, 10**9, 5))
    comes = dict(zip(VOLUMES, (200, 210, 220, last), strict=True))

    def told(client, asks):
        asked.extend(asks)
        answers = Answers()
        for ask in asks:
            answers[ask.key] = []
            for _ in range(ask.times):
                if ask.command.startswith("sha256sum"):
                    said = (0, well(client, ask.command))
                else:
                    second = next(now)
                    said = round_of(second, [name for name in VOLUMES if second < comes[name]])
                answers[ask.key].append(Answer(*said))
                if said[0] == 0 and ask.until_good:
                    break
        return answers

    with bench() as made:
        made.told.ask = told
        made.cluster.objects["Node", "win-1"] = {"metadata": {}}
        assert wrong(ConfigVolumes(made.mounting, NODES)._updates(CLIENT)) == broken
    assert max(ask.worst for ask in asked) < 60  # no exec that is silent until the runner takes the worker for dead


@pytest.mark.parametrize(("fresh", "code"), [(True, 0), (False, 1)])
def test_a_look_at_all_volumes_is_good_when_all_are_new(tmp_path, fresh, code):
    """In a shell: each volume on a line of its own, also one whose file cannot be read."""
    for name in VOLUMES:
        (tmp_path / name).mkdir()
        (tmp_path / name / "data-1").write_text(UPDATED)
    if not fresh:
        (tmp_path / "projected-secret" / "data-1").unlink()
    script = _ROUND.replace("/etc/", f"{tmp_path}/")
    done = subprocess.run(["sh", "-c", script], check=False, capture_output=True, text=True)
    second, shown = _look(done.stdout)
    assert (done.returncode, second > 0, set(shown)) == (code, True, set(VOLUMES))
    assert {name for name in VOLUMES if shown[name] != UPDATED} == (set() if fresh else {"projected-secret"})


def sub_path_files(made, broken=""):
    """A Pod's files by subPath, as they should be but for one."""
    spoken = {}
    paths = SubPaths(HostFolders(made.mounting, NODES, "n", {"win-1": client_on(NODES[0], "host-0")}), TurnedClock())
    paths.pods = {"subpath-0": {"metadata": {"labels": {"b": "2", "a": "1"}}}}
    for name, files in FILES.items():
        for file in files:
            spoken[f"cat /etc/{name}/{file}"] = "" if file == broken else paths._expected(CLIENT, file)
    made.told.tongue = lambda _, command: spoken.get(command, "inner\nmiddle\nouter")
    return paths


def test_every_file_is_read_by_its_sub_path():
    """Labels as the downward API writes them: sorted, in quotes."""
    with bench() as made:
        paths = sub_path_files(made)
        assert paths._expected(CLIENT, "labels") == 'a="1"\nb="2"'
        assert wrong(paths._contents(CLIENT)) == []
        assert wrong(sub_path_files(made, "secret2")._contents(CLIENT)) == ["secret by subPath secret2"]
        assert MOUNTS == sum(len(files) for files in FILES.values()) == 9


@pytest.mark.parametrize(
    ("stays", "event", "folders", "broken"),
    [
        (False, {}, "inner\nmiddle\nouter", []),
        (True, {}, "inner\nmiddle\nouter", ["deleted"]),
        (False, {"reason": "FailedKillPod"}, "inner\nmiddle\nouter", ["events"]),
        (False, {"reason": "Other", "message": "orphaned pod found"}, "inner\nmiddle\nouter", ["events"]),
        (False, {"reason": "Killing"}, "inner\nmiddle\nouter", []),
        (False, {}, "inner\nmiddle", ["folders of the Node"]),
    ],
)
def test_a_deleted_pod_goes_without_a_word_and_the_node_keeps_its_folders(monkeypatch, stays, event, folders, broken):
    """Each of the three is a statement of its own; the Pod was asked to go with thirty seconds of grace."""

    def waited(*_, **__):
        if stays:
            status = {"containerStatuses": [{"name": "main", "state": {"terminated": {}}}]}
            raise WatchTimeout("Pod", 300, {"status": status}, None)

    monkeypatch.setattr(subpaths, "wait_for", waited)
    with bench() as made:
        paths = sub_path_files(made)
        made.told.tongue = lambda *_: folders
        made.cluster.events = [{"involvedObject": {"name": "subpath-0"}, **event}] if event else []
        checks = paths._gone(CLIENT)
        assert [check.path for check in checks if not check.good] == broken
        assert made.cluster.did == [("delete", "Pod", "subpath-0", "30")]
        if stays:
            assert checks[0].seen == "Terminating after 300 s; container main terminated"


def test_events_of_other_pods_are_theirs():
    """Only what is said of the Pod itself counts."""
    with bench() as made:
        made.cluster.events = [{"involvedObject": {"name": "other"}, "reason": "FailedKillPod"}]
        assert sub_path_files(made)._events(CLIENT) == []


def test_a_pod_of_which_nothing_is_told_is_left_all_the_same():
    """Without a status too."""
    assert _left(None, 300) == "Terminating after 300 s; no container is told"


POD = {
    "metadata": {"name": "downward-0", "namespace": "n", "uid": "u"}, "spec": {"nodeName": "win-1"},
    "status": {"podIP": "10.244.1.5", "hostIP": "10.240.0.11"},
}  # fmt: skip
TOLD = {
    "POD_NAME": "downward-0", "POD_NAMESPACE": "n", "POD_UID": "u", "POD_IP": "10.244.1.5", "HOST_IP": "10.240.0.11",
    "NODE_NAME": "win-1", "CPU_LIMIT": "250", "MEMORY_LIMIT": "268435456",
}  # fmt: skip
WHOLE = {"CPU_LIMIT": "4000", "MEMORY_LIMIT": str(14 * 1024**3)}


@pytest.mark.parametrize(
    ("container", "variable", "value"),
    [
        ("", "", ""), ("main", "POD_IP", "%POD_IP%"), ("main", "POD_IP", ""), ("main", "CPU_LIMIT", "1"),
        ("main", "HOST_IP", "10.240.0.12"), (UNLIMITED, "MEMORY_LIMIT", str(16 * 1024**3)),
    ],
)  # fmt: skip
def test_every_variable_is_what_the_api_says(container, variable, value):
    """One that is not set stays `%NAME%`; a container without limits is told all that its Node offers."""

    def tongue(client, command):
        if command.startswith("type"):
            return f"{POD['metadata']['name' if command.endswith('podname') else 'namespace']}\r\n"
        said = dict(WHOLE if client.container == UNLIMITED else TOLD)
        if client.container == container:
            said[variable] = value
        return "\r\n".join(f"{name}={text} " for name, text in said.items())

    with bench(tongue) as made:
        made.cluster.objects = {
            ("Pod", "downward-0"): POD,
            ("Node", "win-1"): {"status": {"allocatable": {"cpu": "4", "memory": "14Gi"}}},
        }
        broken = wrong(Downward(made.mounting, NODES)._told(client_on(NODES[0], "downward-0")))
        path = {"main": "environment", UNLIMITED: UNLIMITED}.get(container, "")
        assert broken == ([f"{path} {variable}"] if variable else [])


def test_the_value_of_a_path():
    """Empty where there is none."""
    assert [value_of(POD, path) for path in ("metadata.uid", "status.hostIP", "spec.x.y")] == ["u", "10.240.0.11", ""]
