"""What would spoil a benchmark is found before its Job is made: an hour later it would be the same error.

Looked at: the model's folder (tokenizer, chat template), the name that the client asks for, the lengths that
the server takes, whether its vLLM has the dataset, and one real completion.
"""

from __future__ import annotations

import json
import re
from typing import Final

from runbook.clients.serving import ModelServer, ServedModel
from runbook.engine.errors import FailedError, PassingError, Place, UnknownUntil, UserError
from runbook.measurement.verdict import MARGIN
from runbook.steps.bench.asking import asked, place
from runbook.steps.context import Context
from runbook.steps.serving.completion import judge
from runbook.steps.storage.reads import objects

_WITHOUT_SONNET: Final = (0, 32)
_TOKENIZERS: Final = ("tokenizer.json", "tokenizer.model", "vocab.json")
_TEMPLATE: Final = "chat_template.jinja"
_TOKENIZER_CONFIG: Final = "tokenizer_config.json"
_TOKENS: Final = 4


def examine_folder(context: Context) -> None:
    """Make sure that the client will find a tokenizer, and sonnet its chat template, in the model's folder.

    Raises:
        UserError: it is not there.
    """
    variables = context.variables
    if variables.bench.tokenizer != "volume":
        return
    try:
        found = {item.name.rpartition("/")[2] for item in objects(context) if _is_at_top(context, item.name)}
    except UnknownUntil:
        return  # a line that only checks, and an earlier step of it moves the model
    if not found & set(_TOKENIZERS):
        raise _not_there(context, f"no tokenizer ({', '.join(_TOKENIZERS)})", "tokenizer*.json")
    if variables.bench.dataset == "sonnet" and not _has_template(context, found):
        raise _not_there(context, f"no chat template ({_TEMPLATE}), which sonnet's prompts need", _TEMPLATE)


def examine_server(context: Context) -> None:
    """Ask the server that is to be measured; it must answer as the client will ask.

    Raises:
        FailedError: it serves another model, refuses, or its answer is not sound.
        UserError: dataset or lengths do not suit it.
    """
    untold: list[str] = []
    try:
        with asked(context, context.variables.smoke.timeout_s, untold.append) as server:
            model = _asked_for(context, server.served_models())
            _examine_dataset(context, server.version())
            _examine_lengths(context, model)
            _examine_answer(context, server, model)
    except PassingError:
        if not untold:
            raise
        # this login may not forward a port, say; the client in the cluster needs none
        context.report.warning(f"the server was not asked before the benchmark: {untold[0]}")


def _requested_model(context: Context) -> str:
    """Name the model as the client's requests do: by its path."""
    variables = context.variables
    return f"{variables.volume.mount_path}/{variables.checkpoint.folder}"


def _is_at_top(context: Context, name: str) -> bool:
    return name.count("/") == f"{context.variables.checkpoint.folder}/".count("/")


def _has_template(context: Context, found: set[str]) -> bool:
    """Tell whether there is a chat template: a file of its own or, in older models, in the configuration."""
    if _TEMPLATE in found or "chat_template.json" in found:
        return True
    if _TOKENIZER_CONFIG not in found:
        return False
    variables = context.variables
    name = f"{variables.checkpoint.folder}/{_TOKENIZER_CONFIG}"
    try:
        read = json.loads(context.connections.storage.read(variables.bucket.name, name))
    except ValueError:
        return False
    return isinstance(read, dict) and bool(read.get("chat_template"))


def _not_there(context: Context, what: str, pattern: str) -> UserError:
    variables = context.variables
    where = f"gs://{variables.bucket.name}/{variables.checkpoint.folder}"
    return UserError(
        f"the client would find {what} in {where}",
        place=Place(where),
        remedy=f"let checkpoint.include name {pattern} and run `inv step 3.2.3`; for a public model "
        "bench.tokenizer=hub reads it from the hub",
    )


def _asked_for(context: Context, served: list[ServedModel]) -> ServedModel:
    wanted = _requested_model(context)
    for model in served:
        if model.name == wanted:
            return model
    names = ", ".join(model.name for model in served) or "nothing"
    raise FailedError(
        f"the client asks for {wanted}, and the server serves {names}: every request would fail",
        place=place(context, "GET /v1/models"),
        remedy="run `inv deploy`, which serves checkpoint.folder under its path too",
    )


def _examine_dataset(context: Context, version: str) -> None:
    """Compare with the server's version, as client and server are one image unless it is said otherwise."""
    variables = context.variables
    found = re.match(r"(\d+)\.(\d+)", version)
    same = variables.bench.image == variables.server.image
    if variables.bench.dataset != "sonnet" or not same or found is None:
        return
    if (int(found[1]), int(found[2])) >= _WITHOUT_SONNET:
        raise UserError(
            f"the dataset sonnet is gone from vLLM 0.32 on, and this is vLLM {version}",
            place=Place("bench.dataset"),
            remedy="`inv bench --workload guide-random` has the guide's lengths, as far as random prompts "
            "fit; or set bench.dataset=random",
        )


def _examine_lengths(context: Context, model: ServedModel) -> None:
    bench, longest = context.variables.bench, model.max_model_len
    if longest is None:
        return
    free = longest - bench.output_len - (MARGIN if bench.dataset == "random" else 0)
    if bench.input_len > free:
        more = f", as random prompts are up to {MARGIN} tokens longer" if bench.dataset == "random" else ""
        raise UserError(
            f"prompts of {bench.input_len} and answers of {bench.output_len} tokens do not fit "
            f"max-model-len {longest}{more}: answers would be cut or refused",
            place=Place("bench.input_len"),
            remedy=f"set bench.input_len to at most {free}, or a larger server.flags.max-model-len"
            if free > 0
            else f"set bench.output_len to less than {longest - MARGIN}",
        )


def _examine_answer(context: Context, server: ModelServer, model: ServedModel) -> None:
    body = {
        "model": model.name,
        "prompt": context.variables.smoke.prompt,
        "max_tokens": _TOKENS,
        "temperature": context.variables.bench.temperature,
    }
    wrong = judge(server.complete(body), _TOKENS)
    if wrong:
        raise FailedError(
            f"the server's answer is not sound: {wrong}",
            place=place(context, "POST /v1/completions"),
            remedy="inv doctor",
        )
