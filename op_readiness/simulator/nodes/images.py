"""Images: which exist, for which OS and Windows builds, and whether a Node has them (state IMG).

A tag is one manifest list; a Node takes the entry of its own OS and build, or the runtime says
`no match for platform in manifest`. Facts come from Kubernetes' own test images; an image that is not listed here
does not exist, however plausible its name.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache

from op_readiness.simulator.network.table import Table

ALL_BUILDS = ("10.0.17763", "10.0.20348", "10.0.26100")
BEFORE_2025 = ALL_BUILDS[:2]
E2E = "registry.k8s.io/e2e-test-images"
BASE_PATH = r"C:\dig\;C:\bin\;C:\curl\;C:\Windows\system32;C:\Windows;C:\Program Files\PowerShell;"
LINUX_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Variant:
    """What one entry of a manifest list runs by default."""

    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    user: str = ""
    cwd: str = ""
    path: str = ""
    size: int = 50_000_000


@dataclass(frozen=True)
class Family:
    """A repository. `windows_2025_from` is the first tag with an entry for Server 2025, None: no Windows at all."""

    linux: Variant | None
    windows: Variant | None = None
    windows_2025_from: tuple[int, ...] | None = None
    windows_any: bool = False

    def builds(self, tag: str) -> tuple[str, ...]:
        """The Windows builds that the manifest list of a tag has."""
        if self.windows is None:
            return ()
        if self.windows_2025_from is None or version_of(tag) < self.windows_2025_from:
            return BEFORE_2025
        return ALL_BUILDS


def _windows(*entrypoint: str, command: tuple[str, ...] = (), user: str = "ContainerAdministrator") -> Variant:
    return Variant(entrypoint, command, user, "C:\\", BASE_PATH, 320_000_000)


def _linux(*entrypoint: str, command: tuple[str, ...] = (), user: str = "0") -> Variant:
    return Variant(entrypoint, command, user, "/", LINUX_PATH)


FAMILIES: dict[str, Family] = {
    f"{E2E}/agnhost": Family(_linux("/agnhost", command=("pause",)), _windows("/agnhost", command=("pause",)), (2, 62)),
    f"{E2E}/busybox": Family(_linux(command=("sh",)), _windows("cmd.exe", "/s", "/c"), (1, 37, 0, 2)),
    f"{E2E}/glibc-dns-testing": Family(_linux(command=("bash",)), _windows("cmd.exe", "/s", "/c"), (2, 1, 1)),
    f"{E2E}/nonroot": Family(
        _linux(command=("bash",), user="1234"),
        _windows(command=("c:\\windows\\system32\\cmd.exe",), user="ContainerUser"), (1, 6),
    ),
    f"{E2E}/resource-consumer": Family(_linux("/consumer"), _windows("/consumer.exe"), (1, 15)),
    f"{E2E}/nginx": Family(_linux("nginx", "-g", "daemon off;"), _windows("nginx"), (1, 27, 0, 2)),
    "registry.k8s.io/pause": Family(
        _linux("/pause", user="65535"), _windows("/pause.exe", user="ContainerUser"), (3, 10, 2)
    ),
    "registry.k8s.io/coredns/coredns": Family(_linux("/coredns", user="65532")),
    "mcr.microsoft.com/windows/nanoserver": Family(
        None, _windows(command=("c:\\windows\\system32\\cmd.exe",), user="ContainerUser")
    ),
    "mcr.microsoft.com/windows/servercore": Family(None, _windows(command=("c:\\windows\\system32\\cmd.exe",))),
    "mcr.microsoft.com/oss/kubernetes/windows-host-process-containers-base-image": Family(
        None, _windows(command=("cmd.exe",)), (0,), windows_any=True
    ),
}
TAG_OF_BUILD = {"1809": "10.0.17763", "ltsc2019": "10.0.17763", "ltsc2022": "10.0.20348", "ltsc2025": "10.0.26100"}


@dataclass(frozen=True)
class Pull:
    """What a Node meets when it wants an image: how long a pull takes (None: as the latency says), and its error."""

    present: bool = False
    seconds: float | None = None
    error: str = ""


ImageTable = Table[str, Pull]


def image_table(node: str) -> ImageTable:
    """The IMG table of a Node: key is the reference as the Pod names it; nothing is there yet."""
    return Table("IMG", node)


class PullFailed(Exception):
    """The runtime's words; `reason` is the waiting reason, ErrImagePull unless the reference itself is bad."""

    def __init__(self, message: str, reason: str = "ErrImagePull") -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class Image:
    """An image as one Node has it. `image_id` is repository@sha256:digest of the entry that fits the Node."""

    reference: str
    image_id: str
    variant: Variant
    repository: str


@lru_cache(maxsize=1024)
def resolve(reference: str, os: str, build: str) -> Image:
    """The entry of an image for a Node; raises PullFailed with containerd's text when there is none."""
    repository, tag = split(reference)
    family = FAMILIES.get(repository)
    if family is None:
        raise PullFailed(
            f'failed to pull and unpack image "{full(reference)}": failed to resolve reference "{full(reference)}": '
            f"{full(reference)}: not found"
        )
    variant = family.linux if os == "linux" else _windows_variant(family, tag, build)
    if variant is None:
        raise PullFailed(
            f'failed to pull and unpack image "{full(reference)}": no match for platform in manifest: not found'
        )
    digest = hashlib.sha256(f"{repository}:{tag}/{os}/{build}".encode()).hexdigest()
    return Image(reference, f"{repository}@sha256:{digest}", variant, repository)


def _windows_variant(family: Family, tag: str, build: str) -> Variant | None:
    builds = (TAG_OF_BUILD[tag],) if tag in TAG_OF_BUILD else family.builds(tag)
    return family.windows if family.windows_any or build in builds else None


def split(reference: str) -> tuple[str, str]:
    """(repository, tag) of a reference; `latest` without one. Raises PullFailed for what no runtime can parse."""
    if not re.fullmatch(r"[a-z0-9]+([._:/@-]+[A-Za-z0-9_]+)*", reference):
        raise PullFailed(
            f'Failed to apply default image tag "{reference}": couldn\'t parse image name "{reference}": '
            "invalid reference format",
            "InvalidImageName",
        )
    name = full(reference)
    repository, _, tag = name.rpartition(":")
    return repository, tag


def full(reference: str) -> str:
    """A reference with registry and tag, as containerd normalises it."""
    first, slash, _ = reference.partition("/")
    if not slash:
        reference = f"docker.io/library/{reference}"
    elif not re.search(r"[.:]", first) and first != "localhost":
        reference = f"docker.io/{reference}"
    return reference if ":" in reference.rpartition("/")[2] else f"{reference}:latest"


def version_of(tag: str) -> tuple[int, ...]:
    """The numbers of a tag, for comparison: 1.37.0-2 gives (1, 37, 0, 2)."""
    return tuple(int(number) for number in re.findall(r"\d+", tag))
