"""A call of Cloud Storage's JSON API and its reply, whether it came by itself or inside a batch."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from multidict import MultiMapping

from rehearsal.documents import Document
from rehearsal.principals import Principal
from rehearsal.storage.errors import StorageError


@dataclass(frozen=True)
class Call:
    """What an operation may know of its request.

    Args:
        names: the resource names in the path, decoded: bucket, object, folder...
        query: the query parameters.
        body: the JSON body; empty where none came.
        origin: scheme://host:port under which the client reached the stand-in, for links.
        principal: who asks, where it is not the operator.
    """

    names: Mapping[str, str]
    query: MultiMapping[str]
    body: Document
    origin: str
    principal: Principal | None = None

    def flag(self, parameter: str) -> bool:
        """Read a boolean query parameter; it is false where it is missing."""
        return self.query.get(parameter, "false").lower() == "true"

    def number(self, parameter: str, default: int) -> int:
        """Read an integer query parameter.

        Raises:
            StorageError: 400 where it is no integer.
        """
        value = self.query.get(parameter, str(default))
        if not value.lstrip("-").isdigit():
            raise StorageError(400, "invalid", f"Invalid value for {parameter}: {value}")
        return int(value)


@dataclass(frozen=True)
class Reply:
    """What an operation answers; no document means an empty body.

    Args:
        document: the JSON body.
        status: the HTTP status.
    """

    document: Document | None = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Operation = Callable[[Call], Awaitable[Reply]]
