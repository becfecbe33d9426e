"""Container images: how long a pull takes, and which cannot be pulled. Nothing is downloaded."""

from __future__ import annotations

import hashlib
import re

from rehearsal.world import World

_REFERENCE = re.compile(
    r"(?P<name>[a-z0-9]+(?:[._:/-]+[a-z0-9]+)*?)(?::(?P<tag>\w[\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_LARGE = "vllm"
_LARGE_SECONDS = 60.0
_SMALL_SECONDS = 4.0
_LARGE_BYTES = 7_412_903_321
_SMALL_BYTES = 31_457_280


class InvalidImageName(Exception):  # noqa: N818 - the kubelet's own reason
    """The image is no reference at all."""


class ImageNotFound(Exception):  # noqa: N818 - the registry's own reason
    """The registry has no such image."""


class Images:
    """The images that each node has."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._present: set[tuple[str, str]] = set()

    def is_present(self, node: str, image: str) -> bool:
        """Tell whether a node has an image already."""
        return (node, image) in self._present

    def keep(self, node: str, image: str) -> None:
        """Note that a node has an image, from before a restart of the stand-in."""
        self._present.add((node, image))

    async def pull(self, node: str, image: str) -> int:
        """Pull an image, which takes scaled time when the node does not have it.

        An image whose name says `missing` is one that the registry does not have.

        Returns:
            its size in bytes.

        Raises:
            ImageNotFound: the registry does not have it.
        """
        full = qualified(image)
        if "missing" in image:
            raise ImageNotFound(
                f'failed to pull and unpack image "{full}":'
                f' failed to resolve reference "{full}": {full}: not found'
            )
        if not self.is_present(node, image):
            await self._world.pass_time(_LARGE_SECONDS if _LARGE in image else _SMALL_SECONDS)
            self.keep(node, image)
        return _LARGE_BYTES if _LARGE in image else _SMALL_BYTES


def qualified(image: str) -> str:
    """Write an image reference in full: registry, repository and tag.

    Raises:
        InvalidImageName: it is no reference.
    """
    match = _REFERENCE.fullmatch(image)
    if match is None:
        raise InvalidImageName(
            f'Failed to apply default image tag "{image}": couldn\'t parse image name "{image}":'
            " invalid reference format"
        )
    first, slash, _ = image.partition("/")
    named = "." in first or ":" in first or first == "localhost"
    prefix = "" if slash and named else "docker.io/" if slash else "docker.io/library/"
    suffix = "" if match["tag"] or match["digest"] else ":latest"
    return f"{prefix}{image}{suffix}"


def image_id(image: str) -> str:
    """Give an image's digest; it is made from its name, for nothing was downloaded."""
    full = qualified(image)
    if "@" in full:
        return full
    repository = full.rpartition(":")[0]
    return f"{repository}@sha256:{hashlib.sha256(full.encode()).hexdigest()}"
