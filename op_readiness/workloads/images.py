"""The images that readiness tests run, and where they are pulled from.

agnhost 2.62 is the first tag with a manifest for Windows Server 2025 (test/images/agnhost/VERSION, BASEIMAGE).
"""

from __future__ import annotations

from dataclasses import dataclass

from op_readiness.model.findings import Record

REGISTRY = "registry.k8s.io/e2e-test-images"
AGNHOST_TAG = "2.63.0"


@dataclass(frozen=True)
class Images(Record):
    """References of the images in use."""

    agnhost: str = f"{REGISTRY}/agnhost:{AGNHOST_TAG}"

    @classmethod
    def of(cls, registry: str | None) -> Images:
        """Images from `registry` (`--image-registry`), or from where Kubernetes publishes them."""
        return cls(agnhost=f"{(registry or REGISTRY).rstrip('/')}/agnhost:{AGNHOST_TAG}")
