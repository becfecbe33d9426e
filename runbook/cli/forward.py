"""`inv forward`: a port of this machine leads to the server until Ctrl-C, whatever becomes of its Pods.

It only reads, so it takes no lock: a deploy goes on beside it.
"""

from __future__ import annotations

import json
import signal
import sys
from typing import TYPE_CHECKING, Any, Final, NoReturn

from runbook.cli.reading import reading
from runbook.engine.errors import RunbookError
from runbook.engine.events import Event, WarningSeen
from runbook.engine.records import event_record
from runbook.engine.shell import one_line

if TYPE_CHECKING:
    from runbook.cli.line import Line
    from runbook.steps.context import Context

_LOOK_SECONDS: Final = 2.0


def keep_open(line: Line) -> int:
    """Forward until the operator ends it.

    Returns:
        0: it was ended by Ctrl-C, SIGTERM or a terminal that closed.

    Raises:
        RunbookError: there is no server to lead to, or no port to listen on.
        KeyboardInterrupt: it was ended before it was open.
    """
    teller = _Teller(as_json=line.options.json)
    opened = False
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, _interrupt)
    try:
        with reading(line, "forward", [teller]) as context:
            _open(context, teller)
            opened = True
            _follow(context, teller)
    except KeyboardInterrupt:
        if not opened:
            raise
        teller.tell({"event": "forward_closed"}, "\nclosed")
    return 0


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _open(context: Context, teller: _Teller) -> None:
    from runbook.steps.kube.forward import forward_command
    from runbook.steps.kube.server import address, require_deployment
    from runbook.steps.serving.curl import with_key

    require_deployment(context)
    base = address(context)
    port = int(base.rpartition(":")[2])
    variables = context.variables
    command = forward_command(context, port)
    curl = with_key(context, ["curl", f"{base}/v1/models"])
    shown = "".join(f"\n  $ {one_line(argv)}" for argv in (command, curl))
    teller.tell(
        {
            "event": "forward_opened",
            "address": base,
            "port": port,
            "namespace": variables.kube.namespace,
            "service": variables.server.service,
            "command": command,
        },
        f"{base} leads to service/{variables.server.service} port {variables.server.port}, "
        f"until Ctrl-C{shown}",
    )


def _follow(context: Context, teller: _Teller) -> NoReturn:
    """Tell, whenever it changes, which Pods take connections."""
    told: dict[str, Any] = {}
    while True:
        seen, text = _look(context)
        if seen != told:
            told = seen
            teller.tell(seen, text)
        context.pause(_LOOK_SECONDS)


def _look(context: Context) -> tuple[dict[str, Any], str]:
    from runbook.clients.kube.service import find_targets
    from runbook.steps.kube.cluster import client

    variables = context.variables
    service, port = variables.server.service, variables.server.port
    try:
        targets = find_targets(client(context), variables.kube.namespace, service, port)
    except RunbookError as error:
        fix = f"\n  fix: {error.remedy}" if error.remedy else ""
        record = {"event": "pods_awaited", "reason": error.message, "remedy": error.remedy}
        return record, f"{error.message}; waiting{fix}"
    pods = sorted(target.pod for target in targets)
    return {"event": "pods_ready", "pods": pods}, f"ready: {', '.join(pods)}"


class _Teller:
    """Tells the operator what happens, as lines or as JSON.

    Args:
        as_json: one object a line on stdout, nothing else.
    """

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json

    def tell(self, record: dict[str, Any], text: str) -> None:
        """Say something on stdout."""
        print(json.dumps(record) if self._as_json else text, flush=True)

    def notify(self, event: Event) -> None:
        """Say what was lost, on stderr."""
        if self._as_json:
            print(json.dumps(event_record(event)), flush=True)
        elif isinstance(event, WarningSeen):
            print(f"warning: {event.text}", file=sys.stderr, flush=True)
