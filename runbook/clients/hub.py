"""The Hugging Face hub: which files a model has, with their hashes, and their bytes as a stream."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import requests
from requests.auth import AuthBase

from runbook.clients.google_errors import passing_troubles
from runbook.clients.transport import TIMEOUT, decoded
from runbook.config.secret import Secret
from runbook.engine.errors import CredentialsError, PassingError, Place, RefusedError, RunbookError

PIECE = 1 << 20
STALLS = 5
"""Broken connections in a row, without a byte between them, after which a download is given up."""


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

    def hasher(self) -> hashlib._Hash:
        """Start the hash that `digest` is written with."""
        if self.digest.startswith("sha256:"):
            return hashlib.sha256()
        # a git blob's name, not a protection
        return hashlib.sha1(b"blob %d\0" % self.size, usedforsecurity=False)

    def matches(self, hasher: hashlib._Hash) -> bool:
        """Tell whether all that went into the hash is this file's content."""
        return self.digest.partition(":")[2] == hasher.hexdigest()


@dataclass(frozen=True)
class HubModel:
    """A model at one commit, which never changes.

    Args:
        repository: such as openai/gpt-oss-120b.
        commit: 40 hex digits.
        files: all files of the repository.
    """

    repository: str
    commit: str
    files: tuple[HubFile, ...]


class _Bearer(AuthBase):
    """Adds the token; requests takes it away again where a redirect leads to another host."""

    def __init__(self, token: Secret) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token.reveal()}"
        return request


class Hub:
    """The hub at one base address.

    Args:
        session: without credentials; retries reads and honours Retry-After.
        base: such as https://huggingface.co.
        token: access token, for gated models and higher rate limits.
    """

    def __init__(self, session: requests.Session, base: str, token: Secret | None) -> None:
        self._session = session
        self._base = base
        self._auth = _Bearer(token) if token else None

    def model(self, repository: str, revision: str) -> HubModel:
        """Resolve a revision to its commit and list its files, in one request.

        Raises:
            CredentialsError: the model is gated, or private.
            RefusedError: there is no such model or revision.
        """
        url = f"{self._base}/api/models/{repository}/revision/{quote(revision, safe='')}"
        response = self._get(url, params={"blobs": "true"})
        found = decoded(response)
        return HubModel(repository, found["sha"], tuple(_file(item) for item in found["siblings"]))

    def stream(self, model: HubModel, file: HubFile) -> Iterator[bytes]:
        """Stream a file; a broken connection is taken up again where it broke.

        Raises:
            PassingError: the connection broke several times in a row without a byte between.
        """
        url = f"{self._base}/{model.repository}/resolve/{model.commit}/{quote(file.path)}"
        received = stalls = 0
        while received < file.size:
            before = received
            try:
                for piece in self._pieces(url, received):
                    received += len(piece)
                    yield piece
            except PassingError:
                stalls = 0 if received > before else stalls + 1
                if stalls == STALLS:
                    raise
                time.sleep(stalls * stalls * 0.5)
            else:
                if received < file.size:
                    raise PassingError(
                        f"{file.path} ended after {received} of {file.size} bytes", place=Place(f"GET {url}")
                    )

    def _pieces(self, url: str, start: int) -> Iterator[bytes]:
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
        with (
            passing_troubles(Place(f"GET {url}")),
            self._get(url, headers=headers, stream=True) as response,
        ):
            skip = start if start and response.status_code != 206 else 0
            for piece in response.iter_content(PIECE):
                if skip < len(piece):
                    yield piece[skip:]
                skip = max(0, skip - len(piece))

    def _get(self, url: str, **options: Any) -> requests.Response:
        place = Place(f"GET {url}")
        with passing_troubles(place):
            response = self._session.get(url, auth=self._auth, timeout=TIMEOUT, **options)
        if not response.ok:
            with response:
                raise _refused(response, place)
        return response


def _file(item: dict[str, Any]) -> HubFile:
    lfs = item.get("lfs")
    if lfs:
        return HubFile(item["rfilename"], lfs["size"], f"sha256:{lfs['sha256']}")
    return HubFile(item["rfilename"], item["size"], f"git-sha1:{item['blobId']}")


def _refused(response: requests.Response, place: Place) -> RunbookError:
    code = response.headers.get("X-Error-Code", "")
    message = response.headers.get("X-Error-Message") or str(
        decoded(response).get("error") or response.reason
    )
    if code == "GatedRepo":
        return CredentialsError(
            message, place=place, remedy="accept the model's terms on its page, and set hub.token (HF_TOKEN)"
        )
    if code in {"RepoNotFound", "RevisionNotFound", "EntryNotFound"} or response.status_code == 404:
        return RefusedError(
            message, place=place, remedy="look at checkpoint.repository and checkpoint.revision"
        )
    if response.status_code in {401, 403}:
        return CredentialsError(message, place=place, remedy="set hub.token (HF_TOKEN)")
    if response.status_code == 429 or response.status_code >= 500:
        return PassingError(f"{message} ({response.status_code})", place=place)
    return RefusedError(message, place=place)
