"""Files of containers: volumes shared, read-only mounts, Windows names."""

from __future__ import annotations

import errno

import pytest

from op_readiness.simulator.programs.files import File, FileSystem, Folder, PathMissing
from op_readiness.simulator.programs.images import image_tree


def test_two_containers_share_a_mounted_folder():
    """What one container writes into a volume, another reads at its own path."""
    volume = Folder()
    one, two = FileSystem("linux"), FileSystem("windows")
    one.mount("/data/deep", volume)
    two.mount("C:\\other", volume)

    one.write("/data/deep/f.txt", b"a")
    two.write("/OTHER/F.TXT", b"b", append=True)

    assert one.read("/data/deep/f.txt") == b"ab"


def test_mount_points_are_listed():
    """A mounted folder and a mounted file stand in the listing of their parent."""
    files = FileSystem("linux")
    files.mount("/etc/config", Folder())
    files.mount("/etc/hosts", File(b"x"))

    assert files.listdir("/etc") == ["config", "hosts"]
    assert files.read("/etc/hosts") == b"x"


@pytest.mark.parametrize(("os", "path", "number"), [("linux", "/v/f", errno.EROFS), ("windows",
 "C:\\v\\f", errno.EACCES)])
def test_read_only_mount_refuses_as_the_system_does(os, path, number):
    """A read-only volume is EROFS on Linux and access denied on Windows."""
    files = FileSystem(os)
    files.mount("/v", Folder({"f": File(b"old")}), read_only=True)

    with pytest.raises(OSError) as caught:
        files.write(path, b"new")

    assert caught.value.errno == number
    assert files.read(path) == b"old"


@pytest.mark.parametrize("path", ["C:\\A\\b.txt", "c:/a/B.TXT", "\\a\\b.txt", "/a/./x/../b.txt"])
def test_windows_paths_lead_to_one_file(path):
    """Drive, slashes and case do not matter on Windows."""
    files = FileSystem("windows", Folder({"A": Folder({"b.txt": File(b"1")})}))

    assert files.read(path) == b"1"


def test_missing_folder_and_missing_file_differ():
    """A missing folder on the way is told apart from a missing last name."""
    files = FileSystem("windows")

    with pytest.raises(PathMissing):
        files.read("C:\\no\\f")
    with pytest.raises(FileNotFoundError) as caught:
        files.read("C:\\f")
    assert not isinstance(caught.value, PathMissing)


def test_links_are_followed_and_loops_end():
    """The `..data` link of a projected volume leads on; a link to itself is ELOOP."""
    volume = Folder({"..1": Folder({"k": File(b"v")})})
    files = FileSystem("linux")
    files.mount("/c", volume)
    files.link("/c/..data", "..1")
    files.link("/c/k", "..data/k")
    files.link("/c/loop", "loop")

    assert files.read("/c/k") == b"v"
    with pytest.raises(OSError) as caught:
        files.read("/c/loop")
    assert caught.value.errno == errno.ELOOP


def test_a_container_does_not_change_its_image():
    """Two containers of one image start with the same files, whatever the first one wrote."""
    first = FileSystem("linux", image_tree("example.org/x/agnhost:1", "linux"))
    first.write("/etc/hosts", b"mine")
    first.remove("/agnhost")
    second = FileSystem("linux", image_tree("agnhost", "linux"))

    assert b"localhost" in second.read("/etc/hosts")
    assert second.exists("/agnhost")


def test_guard_closes_a_volume():
    """A volume's guard can make every access fail."""

    def guard(act: str, path: str) -> None:
        raise OSError(errno.EIO, "Input/output error", path)

    files = FileSystem("linux")
    files.mount("/v", Folder({"f": File(b"")}), guard=guard)

    with pytest.raises(OSError, match="Input/output"):
        files.read("/v/f")


def test_shares_are_mounted_by_their_unc_path():
    """A share of a server is reachable under its own name on Windows."""
    files = FileSystem("windows")
    files.mount("\\\\srv\\share", Folder({"a": File(b"x")}))

    assert files.read("\\\\SRV\\share\\a") == b"x"
