"""The model server, asked through a port-forward of the benchmark's own: on a free port, soon closed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from runbook.clients.serving import ModelServer
from runbook.engine.errors import Place
from runbook.steps.context import Context
from runbook.steps.kube.cluster import client


@contextmanager
def asked(
    context: Context, seconds: float, tell: Callable[[str], None], *, once: bool = False
) -> Iterator[ModelServer]:
    """Lead to the server for as long as the block lasts.

    Args:
        seconds: how long an answer may take.
        tell: told, in another thread, why a connection failed.
        once: try nothing again.
    """
    from runbook.clients.kube.forward import forward  # aiohttp takes long to import

    variables = context.variables
    where = (variables.kube.namespace, variables.server.service, variables.server.port)
    with (
        forward(client(context), *where, 0, tell) as opened,
        ModelServer(opened.address, seconds, variables.server.api_key, once=once) as server,
    ):
        yield server


def place(context: Context, request: str) -> Place:
    """Name a request to the server, such as `GET /v1/models`."""
    return Place(f"{request} of service/{context.variables.server.service}")
