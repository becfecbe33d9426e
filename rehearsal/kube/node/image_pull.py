"""Pulling a container's image: until it is there, with the kubelet's Events and waiting reasons."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from rehearsal.kube.api.store import Object
from rehearsal.kube.control.deadlines import back_off_seconds
from rehearsal.kube.node.container_state import ContainerState
from rehearsal.kube.node.images import ImageNotFound, InvalidImageName
from rehearsal.kube.node.pod import RunningPod

_FIRST_BACK_OFF = 10.0
_LONGEST_BACK_OFF = 300.0


async def pull(
    pod: RunningPod, container: Object, state: ContainerState, changed: Callable[[], None]
) -> None:
    """Return when the node has the image; an image that cannot be pulled is tried again for ever."""
    failures = 0
    while True:
        try:
            await _pull_once(pod, container)
        except (InvalidImageName, ImageNotFound) as error:
            failures += 1
            await _wait(pod, container, state, changed, error, failures)
        else:
            state.pulled = True
            return


async def _pull_once(pod: RunningPod, container: Object) -> None:
    image, name, images = container["image"], container["name"], pod.services.images
    if container.get("imagePullPolicy") != "Always" and images.is_present(pod.node, image):
        pod.say("Normal", name, "Pulled", f'Container image "{image}" already present on machine')
        return
    pod.say("Normal", name, "Pulling", f'Pulling image "{image}"')
    started = time.monotonic()
    size = await images.pull(pod.node, image)
    took = f"{max(time.monotonic() - started, 0.001):.3g}s"
    pod.say(
        "Normal",
        name,
        "Pulled",
        f'Successfully pulled image "{image}" in {took} ({took} including waiting).'
        f" Image size: {size} bytes.",
    )


async def _wait(
    pod: RunningPod,
    container: Object,
    state: ContainerState,
    changed: Callable[[], None],
    error: Exception,
    failures: int,
) -> None:
    name, image = container["name"], container["image"]
    if isinstance(error, InvalidImageName):
        state.wait("InvalidImageName", str(error))
        pod.say("Warning", name, "InspectFailed", str(error))
        pod.say("Warning", name, "Failed", "Error: InvalidImageName")
    else:
        cause = f'Failed to pull image "{image}": rpc error: code = NotFound desc = {error}'
        pod.say("Warning", name, "Failed", cause)
        pod.say("Warning", name, "Failed", "Error: ErrImagePull")
        pod.say("Normal", name, "BackOff", f'Back-off pulling image "{image}"')
        pod.say("Warning", name, "Failed", "Error: ImagePullBackOff")
        if failures == 1:
            state.wait("ErrImagePull", cause)
            changed()
            await asyncio.sleep(0)
        state.wait("ImagePullBackOff", f'Back-off pulling image "{image}": ErrImagePull: {cause}')
    changed()
    settings = pod.services.world.settings
    await asyncio.sleep(back_off_seconds(settings, failures, _FIRST_BACK_OFF, _LONGEST_BACK_OFF))
