"""Images for containers: what is there is used, what is not is pulled, what cannot be pulled is tried again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from op_readiness.simulator.nodes.containers import FIRST_BACK_OFF, LONGEST_BACK_OFF, Container
from op_readiness.simulator.nodes.images import Image, Pull, PullFailed, full, resolve

if TYPE_CHECKING:
    from op_readiness.simulator.nodes.pod import PodWorker


MANIFEST_SECONDS = 0.5
"""Cluster seconds until a registry has answered what there is; a refusal takes no longer."""


class Puller:
    """Gets the images of one Pod's containers."""

    def __init__(self, pod: PodWorker) -> None:
        self._pod, self._node = pod, pod.node

    async def image_of(self, container: Container) -> Image:
        """The image once it is on the Node; shows ErrImagePull and ImagePullBackOff in turn until then."""
        pause = FIRST_BACK_OFF
        while True:
            try:
                return await self._got(container)
            except PullFailed as error:
                await self._back_off(container, error, pause)
                pause = min(pause * 2, LONGEST_BACK_OFF)

    async def _got(self, container: Container) -> Image:
        reference = container.spec["image"]
        found = self._node.images.lookup(reference) or Pull()
        policy = container.spec.get("imagePullPolicy", "IfNotPresent")
        if found.present and policy != "Always":
            there = f'Container image "{reference}" already present on machine'
            self._say(container, f"{there} and can be accessed by the pod")
            return resolve(reference, self._node.os, self._node.build)
        if policy == "Never":
            raise PullFailed(
                f'Container image "{reference}" is not present with pull policy of Never', "ErrImageNeverPull"
            )
        return await self._pulled(container, reference, found)

    async def _pulled(self, container: Container, reference: str, found: Pull) -> Image:
        self._pod.event(container, "Normal", "Pulling", f'Pulling image "{reference}"')
        begun = self._pod.clock.now()
        try:
            image = self._resolved(reference, found)
        except PullFailed:
            await self._pod.clock.sleep(MANIFEST_SECONDS)
            raise
        seconds = found.seconds
        if seconds is None:
            seconds = MANIFEST_SECONDS if found.present else self._pod.pause_of("pull")
        await self._pod.clock.sleep(seconds)
        if not found.present:
            known = self._node.images.programmed.get(reference) or Pull()
            self._node.images.create(reference, replace(known, present=True))
        took = self._pod.clock.now() - begun
        self._say(container, f'Successfully pulled image "{reference}" in {took:.3g}s ({took:.3g}s including waiting). '
                             f"Image size: {image.variant.size} bytes.")  # fmt: skip
        return image

    def _resolved(self, reference: str, found: Pull) -> Image:
        if found.error:
            raise PullFailed(f'failed to pull and unpack image "{full(reference)}": {found.error}')
        return resolve(reference, self._node.os, self._node.build)

    async def _back_off(self, container: Container, error: PullFailed, pause: float) -> None:
        reference = container.spec["image"]
        text = f'Failed to pull image "{reference}": rpc error: code = NotFound desc = {error}'
        message = str(error) if error.reason != "ErrImagePull" else f"rpc error: code = NotFound desc = {error}"
        self._pod.event(container, "Warning", "Failed", text if error.reason == "ErrImagePull" else str(error))
        self._pod.event(container, "Warning", "Failed", f"Error: {error.reason}")
        container.waits(error.reason, message)
        if error.reason != "ErrImagePull":
            await self._pod.clock.sleep(pause)
            return
        await self._pod.clock.sleep(min(pause, FIRST_BACK_OFF) / 2)
        back_off = f'Back-off pulling image "{reference}"'
        self._pod.event(container, "Normal", "BackOff", back_off)
        self._pod.event(container, "Warning", "Failed", "Error: ImagePullBackOff")
        container.waits("ImagePullBackOff", f"{back_off}: ErrImagePull: {message}")
        await self._pod.clock.sleep(pause)

    def _say(self, container: Container, message: str) -> None:
        self._pod.event(container, "Normal", "Pulled", message)
