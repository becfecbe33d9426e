"""SHA-256 whose state can be kept, so that a transfer goes on after a kill without hashing anew.

hashlib gives no way to its state. OpenSSL's own functions work on a context in plain memory (SHA256_CTX in
openssl/sha.h, 112 bytes); hashlib uses the same code, so it is just as fast.
"""

from __future__ import annotations

import ctypes
import hashlib
import sys
from functools import cache
from typing import Final

CONTEXT_BYTES: Final = 112
LIBRARIES: Final = ("libcrypto.so.3", "libcrypto.so.1.1")
_PROBE: Final = b"a state that is kept goes on"


class KeepableSha256:
    """SHA-256 by OpenSSL's functions.

    Args:
        library: from `openssl`.
        state: kept by `state` before, on this machine; None begins anew.
    """

    def __init__(self, library: ctypes.CDLL, state: bytes | None = None) -> None:
        self._library = library
        self._context = ctypes.create_string_buffer(state or b"", CONTEXT_BYTES)
        if state is None:
            library.SHA256_Init(self._context)

    def update(self, piece: memoryview) -> None:
        """Take the next bytes, out of a buffer that can be written to."""
        if piece:
            start = ctypes.byref(ctypes.c_char.from_buffer(piece))
            self._library.SHA256_Update(self._context, start, len(piece))

    def hexdigest(self) -> str:
        """Give the hash of all bytes so far."""
        finished = ctypes.create_string_buffer(self._context.raw, CONTEXT_BYTES)
        digest = ctypes.create_string_buffer(32)
        self._library.SHA256_Final(digest, finished)
        return digest.raw.hex()

    def state(self) -> bytes:
        """Give what another object needs to go on from here."""
        return self._context.raw


@cache
def openssl() -> ctypes.CDLL | None:
    """Find OpenSSL's functions, and see that they agree with hashlib; None where they cannot be used."""
    if sys.platform != "linux":
        return None
    for name in LIBRARIES:
        try:
            library = ctypes.CDLL(name)
            library.SHA256_Update.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
            library.SHA256_Init.argtypes = (ctypes.c_void_p,)
            library.SHA256_Final.argtypes = (ctypes.c_void_p, ctypes.c_void_p)
        except (OSError, AttributeError):
            continue
        if _agrees(library):
            return library
    return None


def _agrees(library: ctypes.CDLL) -> bool:
    probe = memoryview(bytearray(_PROBE))
    begun = KeepableSha256(library)
    begun.update(probe[:10])
    resumed = KeepableSha256(library, begun.state())
    resumed.update(probe[10:])
    return resumed.hexdigest() == hashlib.sha256(_PROBE).hexdigest()
