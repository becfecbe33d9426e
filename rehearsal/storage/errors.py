"""Errors in the shape that Cloud Storage's JSON API gives them."""

from __future__ import annotations

from rehearsal.documents import Document


class StorageError(Exception):
    """A refusal, as the client will read it.

    Args:
        status: the HTTP status.
        reason: the API's short word for it: notFound, conflict, invalid...
        message: the sentence that clients print.
        location: the header or parameter that was at fault, where there is one.
    """

    def __init__(self, status: int, reason: str, message: str, location: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message
        self.location = location

    def document(self) -> Document:
        """Build the JSON error body."""
        detail = {"message": self.message, "domain": "global", "reason": self.reason}
        if self.location:
            detail |= {"locationType": "header", "location": self.location}
        return {"error": {"code": self.status, "message": self.message, "errors": [detail]}}


def no_such_bucket() -> StorageError:
    """Say that the bucket is not there."""
    return StorageError(404, "notFound", "The specified bucket does not exist.")


def no_such_object(bucket: str, name: str) -> StorageError:
    """Say that the object, or the generation asked for, is not there."""
    return StorageError(404, "notFound", f"No such object: {bucket}/{name}")


def condition_not_met(location: str = "If-Match") -> StorageError:
    """Say that an ifGenerationMatch, ifMetagenerationMatch or etag did not hold."""
    message = "At least one of the pre-conditions you specified did not hold."
    return StorageError(412, "conditionNotMet", message, location)


def not_emulated(what: str) -> StorageError:
    """Say that the real service knows this and the rehearsal does not: never by 5xx, which clients retry."""
    return StorageError(400, "notEmulated", f"The rehearsal's Cloud Storage does not emulate {what}.")


class UploadError(StorageError):
    """A breach of the resumable protocol; the upload servers answer it in plain text."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, "invalid", message)
