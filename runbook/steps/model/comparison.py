"""The model on the hub beside the objects in the bucket: missing, other bytes, left over."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runbook.engine.change import Difference
from runbook.steps.model.manifest import FINGERPRINT, NAME, Entry, Manifest, checksums
from runbook.steps.model.sizes import bytes_text

if TYPE_CHECKING:
    from runbook.clients.hub import HubModel
    from runbook.clients.storage import StoredObject
    from runbook.transfer.files import HubFile

DIGEST = "hub-digest"
COMMIT = "hub-commit"
"""Metadata of each of the model's objects: the hub's hash of its bytes, and the commit that it came from."""


@dataclass(frozen=True)
class Comparison:
    """What stands between the bucket and the hub.

    Args:
        differences: one for each object that is missing or different, the manifest too.
        files: the files to move.
        kept: entries of the objects that are right.
        foreign: what others wrote where a file of the model belongs, as `path (size)`.
        leftover: paths of objects that were moved here once and are no file of the model any more.
    """

    differences: Sequence[Difference]
    files: Sequence[HubFile]
    kept: Mapping[str, Entry]
    foreign: Sequence[str]
    leftover: Sequence[str]


def compare(
    address: str,
    model: HubModel,
    wanted: Sequence[HubFile],
    held: Mapping[str, StoredObject],
    read_back: Mapping[str, str],
    read_manifest: Callable[[], bytes],
) -> Comparison:
    """Compare the hub's files with the objects of the folder.

    What is compared: size, the hub's hash as it was recorded with the object, the checksum that the manifest
    has, and the hash of the bytes where they were read back. Where the manifest's fingerprint fits the
    listing, the manifest itself needs not be read.

    Args:
        address: of the folder, such as `gs://models/gpt-oss-120b`.
        wanted: the files that should be there.
        held: objects by their path inside the folder.
        read_back: hashes of the objects' bytes by path, where they were read.
        read_manifest: reads the manifest object.
    """
    found = {file.path: held[file.path] for file in wanted if file.path in held}
    entries = {
        path: Entry(path, one.size, one.metadata.get(DIGEST, ""), one.crc32c) for path, one in found.items()
    }
    manifest = held.get(NAME)
    expected = Manifest(model.repository, model.commit, list(entries.values())).fingerprint
    fits = manifest is not None and manifest.metadata.get(FINGERPRINT) == expected
    recorded = {} if manifest is None or fits else checksums(read_manifest())
    differences, files = [], []
    for file in wanted:
        read = read_back.get(file.path, file.digest)
        before = _wrong(file, entries.get(file.path), recorded.get(file.path), read)
        if before is not None:
            files.append(file)
            after = _described(file.size, file.digest)
            differences.append(Difference(f"{address}/{file.path}", before or None, after))
    moving = {file.path for file in files}
    kept = {path: entry for path, entry in entries.items() if path not in moving}
    leftover = _leftover(wanted, held)
    differences += [Difference(f"{address}/{path}", _of(held[path]), None) for path in leftover]
    if not fits and (manifest is None or not differences):
        before = None if manifest is None else "another model, or another commit"
        after = f"{len(wanted)} files of {model.repository} at {model.commit[:12]}"
        differences.append(Difference(f"{address}/{NAME}", before, after))
    foreign = [
        f"{file.path} ({bytes_text(held[file.path].size)})"
        for file in files
        if file.path in held and not entries[file.path].digest and file.path not in recorded
    ]
    return Comparison(differences, files, kept, foreign, leftover)


def _leftover(wanted: Sequence[HubFile], held: Mapping[str, StoredObject]) -> list[str]:
    """Find what carries the hub's hash, so was moved here, and is wanted no more; a server would load it."""
    paths = {file.path for file in wanted}
    return [path for path, one in held.items() if path not in paths and DIGEST in one.metadata]


def _of(held: StoredObject) -> str:
    return _described(held.size, held.metadata[DIGEST])


def _wrong(file: HubFile, entry: Entry | None, recorded: Entry | None, read: str) -> str | None:
    """Say what is there instead of the file: nothing (empty), or something else; None where it is right."""
    if entry is None:
        return ""
    if entry.size != file.size or entry.digest != file.digest:
        return _described(entry.size, entry.digest or "unknown content")
    if recorded and recorded.digest == file.digest and recorded.crc32c != entry.crc32c:
        return _described(entry.size, f"crc32c {entry.crc32c}, not {recorded.crc32c}")
    if read != file.digest:
        return f"{_described(entry.size, read)}, read back"
    return None


def _described(size: int, digest: str) -> str:
    kind, colon, value = digest.partition(":")
    return f"{bytes_text(size)}, {kind}{colon}{value[:12]}"
