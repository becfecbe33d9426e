"""The Hugging Face hub: which files a model has, with their hashes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import requests
from requests.auth import AuthBase

from runbook.clients.google_errors import passing_troubles
from runbook.clients.transport import TIMEOUT, decoded
from runbook.config.secret import Secret
from runbook.engine.errors import Place
from runbook.transfer import refusals
from runbook.transfer.files import HubFile


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

    def _get(self, url: str, **options: Any) -> requests.Response:
        place = Place(f"GET {url}")
        with passing_troubles(place):
            response = self._session.get(url, auth=self._auth, timeout=TIMEOUT, **options)
        if not response.ok:
            with response:
                raise refusals.of_hub(response.status_code, dict(response.headers), response.text, place)
        return response


def _file(item: dict[str, Any]) -> HubFile:
    lfs = item.get("lfs")
    if lfs:
        return HubFile(item["rfilename"], lfs["size"], f"sha256:{lfs['sha256']}")
    return HubFile(item["rfilename"], item["size"], f"git-sha1:{item['blobId']}")
