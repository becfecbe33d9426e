"""`inv ask PROMPT`: the server's answer, word by word as it comes, and how fast it came.

It only reads, so it takes no lock.
"""

from __future__ import annotations

import json
import math
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from runbook.cli.reading import reading
from runbook.engine.errors import FailedError, RunbookError, VariableError
from runbook.engine.events import Event, WarningSeen

if TYPE_CHECKING:
    from runbook.cli.line import Line
    from runbook.clients.serving import Piece
    from runbook.steps.context import Context

REHEARSED: Final = "REHEARSAL: this machine answered; no figure here is a TPU's"


def ask(line: Line, prompt: str, max_tokens: str, temperature: str, model: str) -> int:
    """Stream one completion to stdout.

    Args:
        prompt: what is to be completed; `-` reads it from stdin.
        max_tokens: a whole number.
        temperature: a number.
        model: its name; empty: the first that /v1/models lists.

    Returns:
        0: the answer came to its end; 1: the operator ended it.

    Raises:
        RunbookError: there is no server, or it refused.
    """
    if prompt.startswith("--"):
        raise VariableError(
            f"ask has no option {prompt}",
            remedy="its options: inv ask --help; a prompt that begins like one comes from stdin: inv ask -",
        )
    wanted = {
        "max_tokens": _number(max_tokens, "--max-tokens=256", int),
        "temperature": _number(temperature, "--temperature=0.7", float),
    }
    with reading(line, "ask", [_Warnings()]) as context:
        answer = _Answer(as_json=line.options.json, rehearsed=context.variables.provider == "rehearsal")
        return _stream(context, {"prompt": _text(prompt), **wanted}, model, answer)


def _stream(context: Context, body: dict[str, Any], model: str, answer: _Answer) -> int:
    from runbook.clients.serving import ModelServer
    from runbook.steps.kube.server import address, require_answering

    require_answering(context)
    variables = context.variables
    with ModelServer(address(context), variables.smoke.timeout_s, variables.server.api_key) as server:
        answer.model = model or _first(server.models())
        answer.begin()
        try:
            for piece in server.stream({"model": answer.model, **body}):
                answer.add(piece)
        except KeyboardInterrupt:
            answer.finish_reason = "interrupted"
        except RunbookError:
            answer.break_off()
            raise
        answer.end()
    return 1 if answer.finish_reason == "interrupted" else 0


def _first(models: list[str]) -> str:
    if not models:
        raise FailedError("the server serves no model")
    return models[0]


def _text(prompt: str) -> str:
    try:
        text = sys.stdin.buffer.read().decode("utf-8") if prompt == "-" else prompt
        text.encode("utf-8")  # that a word of the command line was no text shows only here
    except UnicodeError as error:
        remedy = "write it as UTF-8, such as with iconv --to-code=UTF-8"
        raise VariableError("the prompt is not UTF-8 text", remedy=remedy) from error
    return text


def _number(text: str, example: str, kind: type[int] | type[float]) -> int | float:
    with suppress(ValueError):
        number = kind(text)
        if isinstance(number, int) or math.isfinite(number):
            return number
    option, _, _ = example.partition("=")
    raise VariableError(f"{option} wants a number, not {text!r}", remedy=f"such as {example}")


@dataclass
class _Answer:
    """An answer on its way to the screen, and its times.

    Args:
        as_json: one object a line on stdout, nothing else.
        rehearsed: its figures are a rehearsal's.
        model: who answers.
        finish_reason: why it ended; None: it broke off.
        tokens: those of the answer; where the server did not count, the pieces that came.
        prompt_tokens: those of the prompt; None where the server did not count.
    """

    as_json: bool
    rehearsed: bool
    model: str = ""
    finish_reason: str | None = None
    tokens: int = 0
    prompt_tokens: int | None = None
    _times: list[float] = field(default_factory=list)
    _counted: int | None = None

    def begin(self) -> None:
        """Start the clock: the question is sent now."""
        self._started = time.perf_counter()

    def add(self, piece: Piece) -> None:
        """Show a piece at once."""
        self.finish_reason = piece.finish_reason or self.finish_reason
        if piece.completion_tokens is not None:
            self._counted, self.prompt_tokens = piece.completion_tokens, piece.prompt_tokens
        if not piece.text:
            return
        self.tokens += 1
        self._times.append(time.perf_counter() - self._started)
        if self.as_json:
            print(json.dumps({"event": "text_seen", "text": piece.text}), flush=True)
        else:
            print(piece.text, end="", flush=True)

    def break_off(self) -> None:
        """Show the figures of what came; nothing where the server refused."""
        if self._times:
            self.end()

    def end(self) -> None:
        """Show the figures."""
        if self._counted is not None:
            self.tokens = self._counted
        if self.as_json:
            print(json.dumps({"event": "answer_ended", **self._record()}), flush=True)
            return
        print(flush=True)
        print(self._text(), file=sys.stderr, flush=True)

    def _record(self) -> dict[str, Any]:
        rate = self._tokens_per_second()
        return {
            "model": self.model,
            "finish_reason": self.finish_reason,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.tokens,
            "time_to_first_token_s": round(self._times[0], 4) if self._times else None,
            "tokens_per_s": None if rate is None else round(rate, 2),
            "seconds": round(self._times[-1], 4) if self._times else None,
            "rehearsal": self.rehearsed,
        }

    def _text(self) -> str:
        rate = self._tokens_per_second()
        first = f", time to first token {self._times[0] * 1000:.0f} ms" if self._times else ""
        speed = "" if rate is None else f", then {rate:.1f} tokens/s"
        figures = f"{self.tokens} tokens ({self.finish_reason or 'broken off'}){first}{speed}"
        return f"{figures}\n{REHEARSED}" if self.rehearsed else figures

    def _tokens_per_second(self) -> float | None:
        """Tell how fast tokens followed the first one; None where none did."""
        seconds = self._times[-1] - self._times[0] if self._times else 0
        return (self.tokens - 1) / seconds if seconds > 0 and self.tokens > 1 else None


class _Warnings:
    """Shows warnings on stderr: stdout is the answer's."""

    def notify(self, event: Event) -> None:
        """Show one."""
        if isinstance(event, WarningSeen):
            print(f"warning: {event.text}", file=sys.stderr, flush=True)
