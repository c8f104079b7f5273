"""The images that readiness tests run, and where they are pulled from.

agnhost 2.62 is the first tag with a manifest for Windows Server 2025 (test/images/agnhost/VERSION, BASEIMAGE).
"""

from __future__ import annotations

from dataclasses import dataclass

from op_readiness.model.findings import Record

REGISTRY = "registry.k8s.io/e2e-test-images"
AGNHOST_TAG = "2.63.0"
NONROOT_TAG = "1.6.0"
"""The image whose user on Windows is ContainerUser; the first tag with a manifest for Server 2025."""


@dataclass(frozen=True)
class Images(Record):
    """References of the images in use."""

    agnhost: str = f"{REGISTRY}/agnhost:{AGNHOST_TAG}"
    nonroot: str = f"{REGISTRY}/nonroot:{NONROOT_TAG}"

    @classmethod
    def of(cls, registry: str | None) -> Images:
        """Images from `registry` (`--image-registry`), or from where Kubernetes publishes them."""
        place = (registry or REGISTRY).rstrip("/")
        return cls(agnhost=f"{place}/agnhost:{AGNHOST_TAG}", nonroot=f"{place}/nonroot:{NONROOT_TAG}")
