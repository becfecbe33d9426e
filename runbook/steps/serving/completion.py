"""The server completes a prompt, and the answer is sound.

Section 4.5 of the guide, without its traps: the body is JSON without a comment (D26), the model's name
comes from /v1/models (D27). The answer must hold text, a reason to end and as many tokens as were asked
for.
"""

from __future__ import annotations

import json
import shlex
from functools import partial
from typing import Any

from runbook.clients.serving import Completion, ModelServer
from runbook.engine.change import Action, StepResult
from runbook.engine.errors import FailedError, Place
from runbook.engine.manual import Manual
from runbook.engine.shell import SHELL, shell_text
from runbook.steps.context import Context, StepArguments
from runbook.steps.kube.cluster import kubectl
from runbook.steps.kube.server import address, local_address, require_answering
from runbook.steps.kube.workload import API_KEY_FIELD, api_key_name


class Arguments(StepArguments):
    """What `with:` may say: nothing."""


def run(arguments: Arguments, context: Context) -> StepResult:  # noqa: ARG001 - every step takes its arguments
    """Ask, through the port-forward of 4.4 or one of its own.

    Raises:
        MissingError: no Pod of the server is ready.
        FailedError: the server refused, or the answer is not sound.
    """
    require_answering(context)
    variables = context.variables
    yield Action(
        "one completion",
        partial(_ask, context),
        command=_ask_by_hand(context),
    )
    return f"asked for {variables.smoke.max_tokens} tokens after {variables.smoke.prompt!r}"


def manual(arguments: Arguments, context: Context) -> Manual:  # noqa: ARG001 - every step takes its arguments
    """Tell how to ask by hand."""
    return Manual(
        commands=[_ask_by_hand(context)],
        check=[_with_key(context, ["curl", f"{local_address(context)}/v1/models"])],
        note="The port-forward of 4.4 must run. There is nothing to undo.",
    )


def _ask_by_hand(context: Context) -> list[str]:
    variables = context.variables
    names = [*variables.server.served_model_names, _path(context)]
    return _with_key(context, _curl(local_address(context), _body(context, names[0])))


def _with_key(context: Context, curl: list[str]) -> list[str]:
    """Have curl send the server's key, where it has one, without showing it."""
    variables = context.variables
    if variables.server.api_key is None:
        return curl
    secret = ("get", "secret", api_key_name(variables), f"--namespace={variables.kube.namespace}")
    key = kubectl(
        context, *secret, f'--output=go-template={{{{index .data "{API_KEY_FIELD}" | base64decode}}}}'
    )
    header = f"printf 'Authorization: Bearer %s' \"$({shell_text(key)})\""
    return [*SHELL, f"{header} |\n{shell_text([*curl, '-H', '@-'])}"]


def judge(completion: Completion, max_tokens: int) -> str | None:
    """Say what is wrong with an answer; None where it is sound."""
    if completion.finish_reason not in {"length", "stop"}:
        return f"it ended by {completion.finish_reason!r}"
    if not 0 < completion.completion_tokens <= max_tokens:
        return f"it has {completion.completion_tokens} tokens, and 1 to {max_tokens} were asked for"
    if completion.finish_reason == "length" and completion.completion_tokens != max_tokens:
        return f"it ended by length after {completion.completion_tokens} of {max_tokens} tokens"
    if completion.prompt_tokens < 1:
        return "the prompt counts as no tokens"
    return None if completion.text.strip() else "it holds no text"


def _ask(context: Context) -> None:
    variables = context.variables
    base = address(context)
    with ModelServer(base, variables.smoke.timeout_s, variables.server.api_key) as server:
        if not server.healthy():
            raise FailedError("the server's engine is not healthy", place=Place(f"GET {base}/health"))
        names = server.models()
        if not names:
            raise FailedError("the server serves no model", place=Place(f"GET {base}/v1/models"))
        body = _body(context, names[0])
        completion = server.complete(body)
    context.report.output(f"$ {shlex.join(_curl(base, body))}\n{variables.smoke.prompt}{completion.text}")
    wrong = judge(completion, variables.smoke.max_tokens)
    if wrong:
        place = Place(f"POST {base}/v1/completions")
        raise FailedError(f"the answer is not sound: {wrong}", place=place)


def _body(context: Context, model: str) -> dict[str, Any]:
    smoke = context.variables.smoke
    return {
        "model": model,
        "prompt": smoke.prompt,
        "max_tokens": smoke.max_tokens,
        "temperature": smoke.temperature,
    }


def _curl(base: str, body: dict[str, Any]) -> list[str]:
    header = "Content-Type: application/json"
    return ["curl", f"{base}/v1/completions", "-H", header, "-d", json.dumps(body)]


def _path(context: Context) -> str:
    variables = context.variables
    return f"{variables.volume.mount_path}/{variables.checkpoint.folder}"
