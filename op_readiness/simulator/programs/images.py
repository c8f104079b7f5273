"""What the file systems of images hold: programs where the real images have them, and the files that tests read.

An executable is a small file that names its program, so that a copied or mounted one still runs (HostProcess Pods
copy agnhost to agnhost.exe) and a removed one does not. Contents follow the images' own build files.
"""

from __future__ import annotations

from functools import lru_cache

from op_readiness.simulator.programs.files import File, Folder, Link

WELCOME = b"""<!DOCTYPE html>
<html>
<head>
<title>Welcome to nginx!</title>
</head>
<body>
<h1>Welcome to nginx!</h1>
</body>
</html>
"""
"""nginx's default page."""

_HEADS = {"linux": b"\x7fELF", "windows": b"MZ"}
_MARK = b" op-readiness program: "
HOSTS_PATH = {"linux": "/etc/hosts", "windows": "C:\\Windows\\System32\\drivers\\etc\\hosts"}
_HOSTS = b"127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
_CERTIFICATE = b"-----BEGIN CERTIFICATE-----\nlocalhost\n-----END CERTIFICATE-----\n"
_KEY = b"-----BEGIN PRIVATE KEY-----\nlocalhost\n-----END PRIVATE KEY-----\n"

_APPLETS = """[ ash base64 basename cat chmod cp cut date dirname echo egrep env expr false fgrep find grep head
hostname id kill ln ls md5sum mkdir mv nc nslookup printenv printf ps pwd rev rm rmdir sed seq sh sha1sum sha256sum
sha512sum sleep sort stat sync tac tail tee test timeout touch tr true truncate uname uniq unlink usleep wc wget which
whoami xargs yes"""
SHELL_APPLETS = _APPLETS.split()
_LINUX_ONLY = ("nslookup", "nc", "hostname", "id")
_CONSOLE = """cmd curl findstr find hostname ipconfig nslookup ping whoami timeout where more sort xcopy net tasklist
taskkill chcp"""
_SYSTEM32 = _CONSOLE.split()
_HOST_ONLY = ("nltest", "klist", "icacls", "shutdown", "sc", "reg", "route", "netsh", "arp")


def executable(program: str, os: str) -> File:
    """A file that runs a program."""
    return File(_HEADS[os] + _MARK + program.encode() + b"\n", mode=0o755, frozen=True)


def program_of(data: bytes, os: str) -> str | None:
    """The program that a file runs on this system; None if it is no executable of it."""
    head, mark, name = data.partition(_MARK)
    return name.strip().decode() if mark and head == _HEADS[os] else None


def put(root: Folder, path: str, entry: File | Folder | Link) -> None:
    """Place an entry of an image; `path` with forward slashes, folders on the way appear."""
    *folders, name = path.strip("/").split("/")
    for folder in folders:
        following = root.entries.setdefault(folder, Folder())
        if not isinstance(following, Folder):
            raise NotADirectoryError(path)
        root = following
    root.entries[name] = entry


def family(image: str) -> str:
    """The last part of a repository name: `agnhost` of any registry, tag or digest."""
    name = image.split("@", 1)[0].rsplit("/", 1)[-1]
    return name.split(":", 1)[0]


def image_tree(image: str, os: str) -> Folder:
    """The root of a new container of this image (its folders are its own, files are shared until written)."""
    return _image(family(image), os).copy()


def host_tree(os: str) -> Folder:
    """The root of a Node's own file system, as a HostProcess container sees it (mount the image at `C:\\hpc`)."""
    return _host(os).copy()


@lru_cache
def _image(name: str, os: str) -> Folder:
    root = Folder()
    builders = _WINDOWS if os == "windows" else _LINUX
    for build in builders.get(name, ()):
        build(root)
    return root


@lru_cache
def _host(os: str) -> Folder:
    root = Folder()
    if os == "linux":
        _linux_base(root)
        return root
    _windows_base(root)
    for name in _HOST_ONLY:
        put(root, f"Windows/System32/{name}.exe", executable(name, "windows"))
    put(root, "Windows/System32/WindowsPowerShell/v1.0/powershell.exe", executable("powershell", "windows"))
    put(root, "k", Folder())
    put(root, "var/log", Folder())
    _text(root, "var/log/kubelet/kubelet.log", b"I0101 00:00:00.000000 server.go: kubelet has started\r\n")
    put(root, "Program Files/containerd", Folder())
    return root


def _text(root: Folder, path: str, data: bytes) -> None:
    put(root, path, File(data, frozen=True))


def _linux_skeleton(root: Folder) -> None:
    for folder in ("dev", "etc", "proc", "sys", "tmp", "var/run"):
        put(root, folder, Folder(mode=0o1777 if folder == "tmp" else 0o755))
    _text(root, "etc/hosts", _HOSTS)
    _text(root, "etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n")


def _linux_base(root: Folder) -> None:
    _linux_skeleton(root)
    _text(root, "etc/os-release", b'NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.21.3\n')
    for folder in ("home", "root", "usr/local/bin", "usr/bin", "sbin"):
        put(root, folder, Folder())
    for name in SHELL_APPLETS:
        put(root, f"bin/{name}", executable(name, "linux"))
    put(root, "bin/nslookup", executable("busybox-nslookup", "linux"))
    put(root, "bin/busybox", executable("busybox", "linux"))


def _linux_agnhost(root: Folder) -> None:
    for name in ("curl", "nc", "dig", "nslookup"):
        put(root, f"usr/bin/{name}", executable(name, "linux"))
    put(root, "sbin/ip", executable("ip", "linux"))
    put(root, "bin/bash", executable("sh", "linux"))
    put(root, "agnhost", executable("agnhost", "linux"))
    put(root, "agnhost-2", Link("agnhost"))
    put(root, "coredns", executable("coredns", "linux"))
    _agnhost_files(root)


def _agnhost_files(root: Folder) -> None:
    put(root, "uploads", Folder())
    _text(root, "localhost.crt", _CERTIFICATE)
    _text(root, "localhost.key", _KEY)


def _linux_pause(root: Folder) -> None:
    _linux_skeleton(root)
    put(root, "pause", executable("pause", "linux"))


def _linux_coredns(root: Folder) -> None:
    _linux_skeleton(root)
    put(root, "coredns", executable("coredns", "linux"))


def _linux_debian(root: Folder) -> None:
    put(root, "bin/bash", executable("sh", "linux"))


def _linux_dns_testing(root: Folder) -> None:
    """Debian with dnsutils: its own resolver (glibc) beside agnhost's."""
    put(root, "bin/bash", executable("sh", "linux"))
    for name in ("dig", "nslookup"):
        put(root, f"usr/bin/{name}", executable(name, "linux"))
    put(root, "coredns", executable("coredns", "linux"))


def _linux_nginx(root: Folder) -> None:
    put(root, "usr/sbin/nginx", executable("nginx", "linux"))
    _text(root, "usr/share/nginx/html/index.html", WELCOME)


def _windows_base(root: Folder) -> None:
    for name in _SYSTEM32:
        put(root, f"Windows/System32/{name}.exe", executable(f"windows-{name}", "windows"))
    _text(root, "Windows/System32/drivers/etc/hosts", _HOSTS)
    _text(root, "License.txt", b"License\r\n")
    for folder in ("Program Files", "Users/Public", "Users/ContainerAdministrator/AppData/Local/Temp", "Windows/Temp"):
        put(root, folder, Folder())


def _windows_tools(root: Folder) -> None:
    """The e2e BusyBox image, on which agnhost's is built."""
    for name in SHELL_APPLETS:
        if name not in _LINUX_ONLY:
            put(root, f"bin/{name}.exe", executable(name, "windows"))
    put(root, "bin/busybox.exe", executable("busybox", "windows"))
    put(root, "bin/nc.exe", executable("nc", "windows"))
    put(root, "bin/hostname.exe", executable("image-hostname", "windows"))
    put(root, "curl/curl.exe", executable("curl", "windows"))
    put(root, "dig/dig.exe", executable("dig", "windows"))
    put(root, "dig/nslookup.exe", executable("windows-nslookup", "windows"))
    for name in ("pwsh", "powershell"):
        put(root, f"Program Files/PowerShell/{name}.exe", executable("powershell", "windows"))
    for name in ("nltest", "klist"):
        put(root, f"Windows/System32/{name}.exe", executable(name, "windows"))
    put(root, "tmp", Folder())


def _windows_agnhost(root: Folder) -> None:
    put(root, "agnhost", executable("agnhost", "windows"))
    put(root, "agnhost-2", executable("agnhost", "windows"))
    put(root, "coredns.exe", executable("coredns", "windows"))
    _text(root, "filePermissions.ps1", b"# file permissions\r\n")
    _agnhost_files(root)


def _windows_dns_testing(root: Folder) -> None:
    put(root, "coredns.exe", executable("coredns", "windows"))


def _windows_pause(root: Folder) -> None:
    put(root, "pause.exe", executable("pause", "windows"))


def _windows_powershell(root: Folder) -> None:
    for name in ("nltest", "klist"):
        put(root, f"Windows/System32/{name}.exe", executable(name, "windows"))
    put(root, "Windows/System32/WindowsPowerShell/v1.0/powershell.exe", executable("powershell", "windows"))


def _windows_consumer(root: Folder) -> None:
    put(root, "bin/testlimit.exe", executable("testlimit", "windows"))


_LINUX = {
    "agnhost": (_linux_base, _linux_agnhost),
    "busybox": (_linux_base,),
    "alpine": (_linux_base,),
    "glibc-dns-testing": (_linux_base, _linux_dns_testing),
    "nginx": (_linux_base, _linux_nginx),
    "nonroot": (_linux_base, _linux_debian),
    "pause": (_linux_pause,),
    "coredns": (_linux_coredns,),
}
_WINDOWS = {
    "agnhost": (_windows_base, _windows_tools, _windows_agnhost),
    "busybox": (_windows_base, _windows_tools),
    "glibc-dns-testing": (_windows_base, _windows_tools, _windows_dns_testing),
    "nonroot": (_windows_base,),
    "resource-consumer": (_windows_base, _windows_consumer),
    "pause": (_windows_base, _windows_pause),
    "nanoserver": (_windows_base,),
    "servercore": (_windows_base, _windows_powershell),
    "windows-host-process-containers-base-image": (),
}
