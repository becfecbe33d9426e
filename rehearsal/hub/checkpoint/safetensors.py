"""The safetensors format: 8 bytes of header length, a JSON header, the data of all tensors end to end."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence

from rehearsal.documents import Document
from rehearsal.hub.checkpoint.tensors import Tensor


def serialize(tensors: Sequence[Tensor]) -> bytes:
    """Write some tensors as one file."""
    header: Document = {"__metadata__": {"format": "pt"}}
    offset = 0
    for tensor in tensors:
        end = offset + len(tensor.data)
        header[tensor.name] = {"dtype": "BF16", "shape": tensor.shape, "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(tensor.data for tensor in tensors)


def shards(tensors: Sequence[Tensor], count: int) -> list[list[Tensor]]:
    """Divide tensors, in their order, into files of about the same size."""
    total = sum(len(tensor.data) for tensor in tensors)
    parts: list[list[Tensor]] = [[] for _ in range(count)]
    passed = 0
    for tensor in tensors:
        middle = passed + len(tensor.data) // 2
        parts[min(count - 1, middle * count // total)].append(tensor)
        passed += len(tensor.data)
    return parts


def index(parts: dict[str, list[Tensor]]) -> Document:
    """Write model.safetensors.index.json for some files.

    Args:
        parts: the tensors of each file name.
    """
    total = sum(len(tensor.data) for part in parts.values() for tensor in part)
    weight_map = {tensor.name: file for file, part in parts.items() for tensor in part}
    return {"metadata": {"total_size": total}, "weight_map": dict(sorted(weight_map.items()))}
