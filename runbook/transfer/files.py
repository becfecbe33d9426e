"""What is to be moved: files of one commit on the hub, and the objects that they become."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class HubFile:
    """A file of a model.

    Args:
        path: inside the repository.
        size: in bytes.
        digest: `sha256:...` of the content for large files (LFS), else `git-sha1:...` of the git blob.
    """

    path: str
    size: int
    digest: str


@dataclass(frozen=True)
class Delivery:
    """One file on its way.

    Args:
        file: what the hub has.
        name: of the object.
        metadata: recorded with the object.
        generation: of the object that is there already and is replaced; 0: there must be none.
    """

    file: HubFile
    name: str
    metadata: Mapping[str, str]
    generation: int


@dataclass(frozen=True)
class Consignment:
    """All files that are moved together.

    Args:
        hub: base address, such as https://huggingface.co.
        token: of the hub; None for public models.
        repository: such as openai/gpt-oss-120b.
        commit: 40 hex digits; what it names never changes.
        bucket: the bucket's name.
        deliveries: the files.
        files_at_once: on their way at the same time.
        stall_s: seconds without a byte after which a connection is given up and made anew.
        together: no object is made before the bytes of all are there and right: for a folder that is in use.
    """

    hub: str
    token: str | None = field(repr=False)
    repository: str
    commit: str
    bucket: str
    deliveries: Sequence[Delivery]
    files_at_once: int
    stall_s: float
    together: bool
