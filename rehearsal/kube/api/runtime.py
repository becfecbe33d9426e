"""What the API server asks of the nodes: where a container's log is, where a Pod's port listens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

Typed = AsyncIterator[bytes]
"""A command's standard input, as it comes."""


class ExecFailed(Exception):  # noqa: N818 - the container runtime's word
    """A command could not be started beside a container."""


class PodRuntime(Protocol):
    """The running Pods of one cluster, as the kubelets know them."""

    def running(self, namespace: str, pod: str) -> bool:
        """Tell whether the Pod's containers run now."""
        ...

    def log_path(self, namespace: str, pod: str, container: str, previous: bool) -> Path:
        """Say which file a container's output goes to; the file need not be there yet.

        Args:
            previous: the container instance before the last restart.
        """
        ...

    def address(self, namespace: str, pod: str, port: int) -> tuple[str, int] | None:
        """Say where on loopback a Pod's port really listens; None where no container declares it."""
        ...

    async def exec(
        self, namespace: str, pod: str, container: str, command: list[str], typed: Typed | None
    ) -> tuple[int, bytes, bytes]:
        """Run a command beside a container and give its exit code, stdout and stderr.

        Args:
            typed: its standard input; None: it has none.

        Raises:
            ExecFailed: there is no such command.
        """
        ...
