"""Tables of facts: images, admission, quantities, Nodes."""

from __future__ import annotations

from typing import Any

import pytest

from op_readiness.simulator.nodes.admission import refusal
from op_readiness.simulator.nodes.images import PullFailed, full, resolve
from op_readiness.simulator.nodes.quantities import bytes_of, millicores_of
from op_readiness.simulator.nodes.specs import parse_nodes
from op_readiness.simulator.processes import StartFailed

E2E = "registry.k8s.io/e2e-test-images"
NODE = {
    "metadata": {"labels": {"kubernetes.io/os": "windows", "zone": "a"}},
    "status": {"allocatable": {"cpu": "4", "memory": "8Gi", "pods": "2"}},
}


@pytest.mark.parametrize(
    ("image", "os", "build", "fits"),
    [
        ("agnhost:2.63.0", "windows", "10.0.26100", True),
        ("agnhost:2.56", "windows", "10.0.26100", False),
        ("agnhost:2.56", "windows", "10.0.20348", True),
        ("agnhost:2.56", "linux", "", True),
        ("busybox:1.37.0-1", "windows", "10.0.26100", False),
        ("busybox:1.37.0-2", "windows", "10.0.26100", True),
    ],
)
def test_a_tag_has_entries_for_some_builds(image: str, os: str, build: str, fits: bool) -> None:
    """Server 2025 came late to the tags."""
    if fits:
        name = image.split(":", maxsplit=1)[0]
        assert resolve(f"{E2E}/{image}", os, build).image_id.startswith(f"{E2E}/{name}@sha256:")
        return
    with pytest.raises(PullFailed, match="no match for platform in manifest"):
        resolve(f"{E2E}/{image}", os, build)


def test_digests_are_stable_for_each_image_and_build() -> None:
    """Equal on Nodes of one build, different between builds."""
    ids = [resolve(f"{E2E}/agnhost:2.63.0", "windows", build).image_id for build in ("10.0.20348", "10.0.26100")]
    assert ids[0] == resolve(f"{E2E}/agnhost:2.63.0", "windows", "10.0.20348").image_id
    assert ids[0] != ids[1]


def test_a_linux_image_does_not_pull_on_windows() -> None:
    """CoreDNS has no Windows entry."""
    with pytest.raises(PullFailed, match="no match for platform"):
        resolve("registry.k8s.io/coredns/coredns:v1.12.0", "windows", "10.0.20348")


def test_an_unknown_image_is_not_found() -> None:
    """However plausible its name."""
    with pytest.raises(PullFailed, match="not found"):
        resolve("registry.k8s.io/e2e-test-images/nosuch:1", "linux", "")
    with pytest.raises(PullFailed) as refused:
        resolve("Not An Image", "linux", "")
    assert refused.value.reason == "InvalidImageName"


def test_short_references_are_completed() -> None:
    """As containerd does it."""
    assert full("busybox") == "docker.io/library/busybox:latest"
    assert full("me/app:1") == "docker.io/me/app:1"


def pod(labels: dict[str, str] | None = None, **spec: object) -> dict[str, object]:
    container = {"resources": {"requests": {"cpu": "3"}}}
    return {"metadata": {"labels": labels or {}}, "spec": {"containers": [container], **spec}}


@pytest.mark.parametrize(
    ("spec", "others", "reason"),
    [
        ({}, 0, None),
        ({"nodeSelector": {"kubernetes.io/os": "linux"}}, 0, "NodeAffinity"),
        ({"labels": {"kubernetes.io/os": "linux"}}, 0, "PodOSSelectorNodeLabelDoesNotMatch"),
        ({"os": {"name": "linux"}}, 0, "PodOSNotSupported"),
        ({"nodeSelector": {"zone": "b"}}, 0, "NodeAffinity"),
        ({}, 1, "OutOfcpu"),
        ({}, 2, "OutOfpods"),
    ],
)
def test_what_a_kubelet_rejects(spec: dict[str, Any], others: int, reason: str | None) -> None:
    """Reasons in a kubelet's order."""
    found = refusal(pod(**spec), NODE, [pod()] * others)
    assert (found.reason if found else None) == reason


def test_too_much_is_said_in_millicores() -> None:
    """Requested, used, capacity."""
    found = refusal(pod(), NODE, [pod()])
    assert found is not None
    assert found.message == "Node didn't have enough resource: cpu, requested: 3000, used: 3000, capacity: 4000"


def test_quantities() -> None:
    """Suffixes of both kinds."""
    assert (bytes_of("1Gi"), bytes_of("1k"), millicores_of("250m"), millicores_of("1.5")) == (1024**3, 1000, 250, 1500)
    with pytest.raises(ValueError, match="not a quantity"):
        bytes_of("lots")


def test_builds_alternate_and_addresses_differ() -> None:
    """Two Windows builds by turns."""
    nodes = parse_nodes({"windows": 3, "linux": 1})
    assert [node.build for node in nodes] == ["10.0.20348", "10.0.26100", "10.0.20348", ""]
    assert [node.ip for node in nodes] == ["10.240.0.11", "10.240.0.12", "10.240.0.13", "10.240.0.14"]
    assert len({node.pod_cidr for node in parse_nodes({"windows": 600})}) == 600


def test_a_control_plane_node_is_tainted() -> None:
    """As kubeadm leaves it."""
    (node,) = parse_nodes({"control-plane": 1})
    assert (node.name, node.os, node.taints[0]["effect"]) == ("control-plane-1", "linux", "NoSchedule")


@pytest.mark.parametrize("asked", [{"mac": 1}, "two", [{"name": "a", "os": "mac"}], [{"name": "a", "os": "linux"}] * 2])
def test_impossible_nodes_are_refused(asked: object) -> None:
    """One line says what is wrong."""
    with pytest.raises(StartFailed, match=r"^nodes: "):
        parse_nodes(asked)
