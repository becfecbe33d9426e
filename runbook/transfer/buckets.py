"""Cloud Storage as another machine has it: by sessions that it was given, or by its own identity."""

from __future__ import annotations

import json
import os
import threading
import time
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from runbook.engine.errors import CredentialsError, PassingError, Place
from runbook.transfer import refusals
from runbook.transfer.connection import Connection, passing_troubles
from runbook.transfer.files import Delivery
from runbook.transfer.session import PreconditionFailed, StoredObject

METADATA_HOST = "GCE_METADATA_HOST"
"""The environment variable by which Google's libraries find another metadata server."""
TOKEN_PATH = "/computeMetadata/v1/instance/service-accounts/default/token"  # noqa: S105 - a path
RENEW_S = 300.0


class GivenSessions:
    """Sessions that were opened elsewhere: this machine needs no login, and can write these objects alone.

    Args:
        sessions: addresses by the objects' names.
    """

    def __init__(self, sessions: Mapping[str, str]) -> None:
        self._sessions = dict(sessions)

    def open(self, delivery: Delivery) -> str:
        """Give the session of an object; each is given once.

        Raises:
            PassingError: it was given and is gone.
        """
        try:
            return self._sessions.pop(delivery.name)
        except KeyError:
            message = f"{delivery.name}: its upload session is gone; the next run brings another"
            raise PassingError(message) from None

    def held(self, delivery: Delivery) -> StoredObject | None:  # noqa: ARG002 - a login would be needed to look
        """Know nothing of what is there."""
        return None


class WorkloadBucket:
    """A bucket by the identity of the Pod or the machine, whose token the metadata server gives.

    Args:
        storage: base address of Cloud Storage.
        bucket: the bucket's name.
        stall_s: seconds without a byte after which a connection is given up.
    """

    def __init__(self, storage: str, bucket: str, stall_s: float) -> None:
        self._storage = storage
        self._bucket = bucket
        self._stall_s = stall_s
        self._lock = threading.Lock()
        self._token = ("", 0.0)

    def open(self, delivery: Delivery) -> str:
        """Open an upload session, and give its address.

        Raises:
            PreconditionFailed: the object has another generation than the delivery says.
            CredentialsError: this identity may not write into the bucket.
        """
        query = {
            "uploadType": "resumable",
            "name": delivery.name,
            "ifGenerationMatch": str(delivery.generation),
        }
        body = json.dumps({"name": delivery.name, "metadata": dict(delivery.metadata)}).encode()
        headers = {"Content-Type": "application/json", "X-Upload-Content-Type": "application/octet-stream"}
        url = f"{self._storage}/upload/storage/v1/b/{self._bucket}/o?{urlencode(query)}"
        _, answered = self._asked(
            "POST", url, headers, body, Place(f"POST gs://{self._bucket}/{delivery.name}")
        )
        return answered["location"]

    def held(self, delivery: Delivery) -> StoredObject | None:
        """Look what is there under the object's name."""
        found = self._described(delivery)
        return _stored(found) if found else None

    def arrived(self, delivery: Delivery) -> StoredObject | None:
        """Look whether an earlier start has delivered this: the size, and what was recorded with it."""
        try:
            found = self._described(delivery)
        except CredentialsError:
            return None  # who may not look may be allowed to write; if not, opening a session says so
        if found is None or int(found["size"]) != delivery.file.size:
            return None
        return _stored(found) if found.get("metadata") == dict(delivery.metadata) else None

    def _described(self, delivery: Delivery) -> dict[str, Any] | None:
        url = f"{self._storage}/storage/v1/b/{self._bucket}/o/{quote(delivery.name, safe='')}"
        place = Place(f"GET gs://{self._bucket}/{delivery.name}")
        text, _ = self._asked("GET", url, {}, b"", place)
        found: dict[str, Any] | None = json.loads(text) if text else None
        return found

    def _asked(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, place: Place
    ) -> tuple[str, dict[str, str]]:
        """Send a request; give the body and the headers of the answer, and an empty body where nothing is."""
        connection = Connection(url, self._stall_s)
        try:
            with passing_troubles(place):
                length = {"Content-Length": str(len(body))} if body else {}
                connection.begin(
                    method, url, {**headers, **length, "Authorization": f"Bearer {self._bearer()}"}
                )
                if body:
                    connection.send(body)
                answer = connection.answer()
                text = answer.read().decode(errors="replace")
        finally:
            connection.close()
        answered = {name.lower(): value for name, value in answer.headers.items()}
        if answer.status == 412:
            raise PreconditionFailed
        if answer.status == 404 and method == "GET":
            return "", answered
        if answer.status not in {200, 201}:
            raise refusals.of_bucket(answer.status, answered, text, place)
        return text, answered

    def _bearer(self) -> str:
        with self._lock:
            token, until = self._token
            if time.monotonic() > until:
                token, seconds = _fetched()
                self._token = (token, time.monotonic() + max(0.0, seconds - RENEW_S))
            return token


def _stored(found: Mapping[str, Any]) -> StoredObject:
    return StoredObject(int(found["size"]), found["crc32c"], int(found["generation"]))


def _fetched() -> tuple[str, float]:
    """Ask the metadata server for a token; give it, and the seconds that it is good for."""
    url = f"http://{os.environ.get(METADATA_HOST, 'metadata.google.internal')}{TOKEN_PATH}"
    place = Place(f"GET {url}")
    request = urllib.request.Request(url, headers={"Metadata-Flavor": "Google"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with passing_troubles(place), opener.open(request, timeout=10) as answer:
            told = json.load(answer)
    except PassingError as error:
        raise CredentialsError(
            f"the metadata server gives no token: {error.message}",
            place=place,
            remedy="Workload Identity must be on, for the cluster and the node pool: inv step 2.3.1",
        ) from error
    return told["access_token"], float(told["expires_in"])
