"""Faults: what the operator asked to go wrong, and for which requests."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.documents import Collection

KINDS = ("status", "reset", "stall", "truncate", "flip", "operation_error")
APIS = (
    "container",
    "serviceusage",
    "cloudresourcemanager",
    "compute",
    "cloudquotas",
    "storage",
    "hub",
    "cdn",
    "metadata",
    "kubernetes",
)
"""The names of the APIs in the request log."""
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


@dataclass
class Fault:
    """One thing that goes wrong, for the requests that match.

    Args:
        kind: `status` answers with an error; `reset` drops the TCP connection; `stall` hangs before it
            answers; `truncate` drops the connection in the middle of the answer's body; `flip` turns over one
            bit of it; `operation_error` lets the request succeed and the GKE operation that it starts fail.
        api: the API's name in the request log; empty = any.
        method: the HTTP method; empty = any.
        path: a regular expression, searched in path and query; empty = any.
        after: how many requests that match pass before the first one fails.
        times: how many requests fail then.
        status: the HTTP status of kind `status`.
        message: the error's sentence, for the kinds `status` and `operation_error`.
        reason: google.rpc.ErrorInfo's `reason` of kind `status`, or the older APIs' `errors[].reason`.
        retry_after: seconds for the Retry-After header of kind `status`; 0 = no such header.
        seconds: how long kind `stall` hangs.
        bytes: how much of the body the kinds `truncate` and `flip` let through as it is.
        seen: how many requests have matched so far.
    """

    kind: str = "status"
    api: str = ""
    method: str = ""
    path: str = ""
    after: int = 0
    times: int = 1
    status: int = 503
    message: str = "The service is currently unavailable."
    reason: str = ""
    retry_after: int = 0
    seconds: float = 60.0
    bytes: int = 0
    seen: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind is {self.kind!r}: it must be one of {', '.join(KINDS)}")
        if self.api and self.api not in APIS:
            raise ValueError(f"api is {self.api!r}: it must be one of {', '.join(APIS)}")
        if self.method and self.method.upper() not in METHODS:
            raise ValueError(f"method is {self.method!r}: it must be one of {', '.join(METHODS)}")
        if not 400 <= self.status <= 599:
            raise ValueError(f"status is {self.status}: it must be an error, 400 to 599")
        try:
            re.compile(self.path)
        except re.error as error:
            raise ValueError(f"path is no regular expression: {error}") from error

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Fault:
        """Read a fault from JSON.

        Raises:
            ValueError: a field is unknown, or has a wrong type or value.
        """
        known = {field.name: field for field in dataclasses.fields(cls)}
        for name, value in document.items():
            if name not in known:
                raise ValueError(f"a fault has no field {name!r}: it has {', '.join(known)}")
            default = known[name].default
            wanted = (int, float) if isinstance(default, float) else (type(default),)
            if not isinstance(value, wanted) or isinstance(value, bool):
                raise ValueError(f"{name} is {value!r}: it must be like {default!r}")
        return cls(**document)

    def matches(self, api: str, method: str, path: str) -> bool:
        """Tell whether a request is one that this fault is about."""
        return (
            self.api in ("", api)
            and self.method.upper() in ("", method)
            and re.search(self.path, path) is not None
        )

    @property
    def active(self) -> bool:
        """Tell whether the fault strikes the request that was seen last."""
        return self.after < self.seen <= self.after + self.times


class Faults:
    """All faults of a stand-in; they outlive the process.

    Args:
        documents: where they are kept.
    """

    def __init__(self, documents: Collection) -> None:
        self._documents = documents
        self._faults = {key: Fault.from_document(document) for key, document in documents.items()}

    def add(self, fault: Fault) -> str:
        """Let something go wrong from now on, and return the fault's id."""
        number = 1 + max((int(key) for key in self._faults), default=0)
        key = f"{number:06d}"
        self._faults[key] = fault
        self._documents[key] = dataclasses.asdict(fault)
        return key

    def list(self) -> list[dict[str, Any]]:
        """Return every fault with its id, the spent ones too."""
        return [{"id": key} | dataclasses.asdict(fault) for key, fault in self._faults.items()]

    def clear(self) -> None:
        """Let nothing go wrong any more."""
        self._faults.clear()
        self._documents.clear()

    def take(self, api: str, method: str, path: str) -> Fault | None:
        """Count a request, and return the fault that strikes it before or while it is answered."""
        return self._take(api, method, path, operation=False)

    def take_operation_error(self, api: str, method: str, path: str) -> str | None:
        """Count a request that starts an operation, and return the message with which that operation ends."""
        fault = self._take(api, method, path, operation=True)
        return fault.message if fault else None

    def _take(self, api: str, method: str, path: str, *, operation: bool) -> Fault | None:
        """Count the request for every fault that matches; the oldest active one strikes."""
        struck = None
        for key, fault in self._faults.items():
            if (fault.kind == "operation_error") is not operation or not fault.matches(api, method, path):
                continue
            fault.seen += 1
            self._documents[key] = dataclasses.asdict(fault)
            if struck is None and fault.active:
                struck = fault
        return struck
