"""The curl lines that ask the server what the steps ask it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from runbook.engine.shell import SHELL, shell_text
from runbook.steps.context import Context
from runbook.steps.kube.cluster import kubectl
from runbook.steps.kube.workload import API_KEY_FIELD, api_key_name


def completion_curl(context: Context, base: str, body: dict[str, Any]) -> list[str]:
    """Write the curl that asks for a completion.

    Args:
        base: the server's base URL on this machine.
        body: of the request.
    """
    header = "Content-Type: application/json"
    return with_key(context, ["curl", f"{base}/v1/completions", "-H", header, "-d", json.dumps(body)])


def with_key(context: Context, curl: Sequence[str]) -> list[str]:
    """Have curl send the server's key, where it has one, without showing it."""
    variables = context.variables
    if variables.server.api_key is None:
        return list(curl)
    secret = ("get", "secret", api_key_name(variables), f"--namespace={variables.kube.namespace}")
    key = kubectl(
        context, *secret, f'--output=go-template={{{{index .data "{API_KEY_FIELD}" | base64decode}}}}'
    )
    header = f"printf 'Authorization: Bearer %s' \"$({shell_text(key)})\""
    return [*SHELL, f"{header} |\n{shell_text([*curl, '-H', '@-'])}"]
