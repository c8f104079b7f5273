"""Who a Windows container really runs as, and what of folders' rights it meets, by its Node's table of identities."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from op_readiness.simulator.domain.identity import WELL, id_table
from op_readiness.simulator.nodes.containers import ConfigError
from op_readiness.simulator.nodes.mounted import volume_table
from op_readiness.simulator.nodes.mounts import mount_all
from op_readiness.simulator.nodes.users import level_of, refuse_root, user_of
from op_readiness.simulator.nodes.volumes import Volume
from op_readiness.simulator.programs.files import File, FileSystem, Folder

IMAGE = SimpleNamespace(variant=SimpleNamespace(user="ContainerUser"))
MAIN = {"name": "main"}


def pod(user="", **security):
    options = {"windowsOptions": {"runAsUserName": user}} if user else {}
    spec = {"securityContext": {**options, **security}, "containers": [MAIN]}
    return {"metadata": {"namespace": "default", "name": "p", "uid": "u"}, "spec": spec}


def met(**values):
    """A table where every use meets this; the keys that were asked for."""
    table, asked = id_table("win-1"), []

    def hook(_, key, value):
        asked.append(key)
        return replace(value or WELL, **values)

    table.on_lookup.append(hook)
    return table, asked


def test_the_table_says_who_a_container_runs_as():
    """Its own name for the user, or nobody who can be logged on; healthy, it is as asked."""
    assert user_of(pod("ContainerAdministrator"), MAIN, IMAGE, "windows", id_table("win-1")) == "ContainerAdministrator"
    table, asked = met(account="somebody")
    assert user_of(pod("ContainerAdministrator"), MAIN, IMAGE, "windows", table) == "somebody"
    assert (asked[0].use, asked[0].level, asked[0].account) == ("user", "pod", "ContainerAdministrator")
    assert "no token" in user_of(pod(), MAIN, IMAGE, "windows", met(state="refused")[0])


def test_the_level_is_who_named_the_user():
    """The container over the Pod over the image."""
    named = {**MAIN, "securityContext": {"windowsOptions": {"runAsUserName": "x"}}}
    assert [level_of(pod("y"), named), level_of(pod("y"), MAIN), level_of(pod(), MAIN)] == ["container", "pod", "image"]


def test_a_kubelet_that_does_not_look_lets_administrators_in():
    """CVE-2021-25749; a healthy one refuses."""
    administrator = pod("CONTAINERADMINISTRATOR", runAsNonRoot=True)
    with pytest.raises(ConfigError, match=r"runAsUserName \(CONTAINERADMINISTRATOR\)"):
        refuse_root(administrator, MAIN, IMAGE, "windows", id_table("win-1"))
    refuse_root(administrator, MAIN, IMAGE, "windows", met(state="none")[0])


@pytest.mark.parametrize(("user", "acl", "opens"), [
    ("ContainerUser", None, True), ("ContainerUser", ("S-1-5-18",), False),
    ("ContainerUser", ("S-1-5-18", "S-1-5-93-2-2"), True), ("ContainerAdministrator", ("S-1-5-93-2-2",), False),
])  # fmt: skip
def test_a_folders_rights_hold_for_a_containers_user(user, acl, opens):
    """By SID; a Node whose rights are wider than they were set lets everybody in."""
    spec = {**MAIN, "volumeMounts": [{"name": "v", "mountPath": "C:\\v"}]}

    def files(identities):
        made = FileSystem("windows")
        volume = Volume("v", {"name": "v", "hostPath": {"path": "C:\\x"}}, Folder({"a.txt": File(b"a")}, acl=acl))
        mount_all(made, volume_table("win-1"), pod(), spec, {"v": volume}, {"USERNAME": user}, identities=identities)
        return made

    if opens:
        assert files(id_table("win-1")).read("C:\\v\\a.txt") == b"a"
    else:
        with pytest.raises(PermissionError):
            files(id_table("win-1")).listdir("C:\\v")
    assert files(met(state="none")[0]).read("C:\\v\\a.txt") == b"a"
