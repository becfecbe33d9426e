"""The server completes a prompt, and the answer is sound.

Section 4.5 of the guide, without its traps: the body is JSON without a comment (D26), the model's name
comes from /v1/models (D27) and must be one that was deployed. The answer must hold text, a reason to end and
as many tokens as were asked for.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import Any

from runbook.clients.serving import Completion, ModelServer
from runbook.engine.change import Action, StepResult
from runbook.engine.errors import FailedError, Place
from runbook.engine.manual import Manual
from runbook.engine.shell import one_line
from runbook.steps.context import Context, StepArguments
from runbook.steps.kube.server import address, local_address, require_answering
from runbook.steps.serving.curl import completion_curl, with_key


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
        check=[with_key(context, ["curl", f"{local_address(context)}/v1/models"])],
        note="The port-forward of 4.4 must run. There is nothing to undo.",
    )


def _ask_by_hand(context: Context) -> list[str]:
    return completion_curl(context, local_address(context), _body(context, _names(context)[0]))


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
        body = _body(context, _model(context, server.models(), base))
        started = time.perf_counter()
        completion = server.complete(body)
        seconds = time.perf_counter() - started
    curl = one_line(completion_curl(context, base, body))
    answer = f"{variables.smoke.prompt}{completion.text}"
    context.report.output(f"$ {curl}\n{answer}\n{_figures(context, completion, seconds)}")
    wrong = judge(completion, variables.smoke.max_tokens)
    if wrong:
        place = Place(f"POST {base}/v1/completions")
        raise FailedError(f"the answer is not sound: {wrong}", place=place)


def _model(context: Context, served: Sequence[str], base: str) -> str:
    """Pick the model to ask, and make sure that it is the one that was deployed.

    Raises:
        FailedError: the server serves none, or another one.
    """
    place = Place(f"GET {base}/v1/models")
    if not served:
        raise FailedError("the server serves no model", place=place)
    expected = _names(context)
    if served[0] not in expected:
        raise FailedError(
            f"the server serves {', '.join(served)}, and not {expected[0]}",
            place=place,
            remedy="run `inv deploy`, or set server.served_model_names",
        )
    return served[0]


def _names(context: Context) -> list[str]:
    """List the names that the deployed model answers to: those that were given, and its path."""
    variables = context.variables
    path = f"{variables.volume.mount_path}/{variables.checkpoint.folder}"
    return [*variables.server.served_model_names, path]


def _figures(context: Context, completion: Completion, seconds: float) -> str:
    measured = " (REHEARSAL: not a TPU's)" if context.variables.provider == "rehearsal" else ""
    return (
        f"{completion.prompt_tokens} tokens in, {completion.completion_tokens} out, "
        f"ended by {completion.finish_reason}, in {seconds:.3f} s{measured}"
    )


def _body(context: Context, model: str) -> dict[str, Any]:
    smoke = context.variables.smoke
    return {
        "model": model,
        "prompt": smoke.prompt,
        "max_tokens": smoke.max_tokens,
        "temperature": smoke.temperature,
    }
