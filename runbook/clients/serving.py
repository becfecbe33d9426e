"""A vLLM server's HTTP API, as far as the smoke test, `inv ask` and the benchmark need it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import requests

from runbook.clients.transport import CONNECT_SECONDS, decoded, plain_session
from runbook.config.secret import Secret
from runbook.engine.errors import CredentialsError, FailedError, PassingError, Place

_DATA: Final = b"data:"
_DONE: Final = "[DONE]"


@dataclass(frozen=True)
class Completion:
    """An answer of /v1/completions.

    Args:
        text: what the model wrote.
        finish_reason: `length` or `stop`.
        prompt_tokens: tokens of the question.
        completion_tokens: tokens of the answer.
    """

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True)
class ServedModel:
    """One entry of /v1/models.

    Args:
        name: that requests say.
        max_model_len: tokens of prompt and answer together that it takes; None where it does not tell.
    """

    name: str
    max_model_len: int | None


@dataclass(frozen=True)
class Piece:
    """What one event of a streamed answer brings.

    Args:
        text: the next words; may be empty.
        finish_reason: `length` or `stop` in the last event with text, else None.
        prompt_tokens: tokens of the question, where the event counts them.
        completion_tokens: tokens of the answer, where the event counts them.
    """

    text: str
    finish_reason: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class ModelServer:
    """One server; a context manager that closes its connection.

    Args:
        address: base URL, such as `http://127.0.0.1:8000`.
        timeout_seconds: how long an answer may take.
        api_key: what the server wants to see; None where it wants nothing.
        once: try nothing again.
    """

    def __init__(
        self, address: str, timeout_seconds: float, api_key: Secret | None = None, *, once: bool = False
    ) -> None:
        self._address = address
        self._timeout = (CONNECT_SECONDS, timeout_seconds)
        self._session = plain_session(once=once)
        if api_key is not None:
            self._session.headers["Authorization"] = f"Bearer {api_key.reveal()}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def healthy(self) -> bool:
        """Tell whether /health says that the engine is alive."""
        return self._request("GET", "/health").ok

    def models(self) -> list[str]:
        """List the names that the server answers to (/v1/models)."""
        return [model.name for model in self.served_models()]

    def served_models(self) -> list[ServedModel]:
        """List what the server serves (/v1/models)."""
        answer = decoded(self._expect_ok(self._request("GET", "/v1/models")))
        return [ServedModel(model["id"], model.get("max_model_len")) for model in answer.get("data", ())]

    def version(self) -> str:
        """Read the vLLM version that runs (/version); empty where the server does not tell."""
        return str(decoded(self._expect_ok(self._request("GET", "/version"))).get("version") or "")

    def metrics(self) -> str:
        """Read its counters as a Prometheus page (/metrics).

        Raises:
            FailedError: the server refused.
            PassingError: the server was not reached.
        """
        return self._expect_ok(self._request("GET", "/metrics")).text

    def complete(self, body: Mapping[str, Any]) -> Completion:
        """Ask for a completion (/v1/completions).

        Args:
            body: model, prompt, max_tokens, temperature.

        Raises:
            FailedError: the server refused, or its answer is not a completion.
            PassingError: the server was not reached.
        """
        answer = decoded(self._expect_ok(self._request("POST", "/v1/completions", body)))
        try:
            choice, usage = answer["choices"][0], answer["usage"]
            return Completion(
                choice["text"], choice["finish_reason"], usage["prompt_tokens"], usage["completion_tokens"]
            )
        except (KeyError, IndexError, TypeError) as error:
            raise FailedError(
                f"the answer is not a completion: {str(answer)[:300]}",
                place=Place(f"POST {self._address}/v1/completions"),
            ) from error

    def stream(self, body: Mapping[str, Any]) -> Iterator[Piece]:
        """Ask for a completion, and give its pieces as they come (server-sent events).

        Who stops to read ends the answer: the server sees that the connection was closed.

        Args:
            body: model, prompt, max_tokens, temperature.

        Raises:
            FailedError: the server refused, said that it failed, or the answer broke off.
            PassingError: the server was not reached.
        """
        asked = {**body, "stream": True, "stream_options": {"include_usage": True}}
        place = Place(f"POST {self._address}/v1/completions")
        answer = self._request("POST", "/v1/completions", asked, stream=True)
        with answer:
            self._expect_ok(answer)
            try:
                for event in _events(answer.iter_lines(chunk_size=None)):
                    if event == _DONE:
                        return
                    yield _piece(event, place)
            except requests.exceptions.RequestException as error:
                raise FailedError(f"the answer broke off: {error}", place=place) from error
        raise FailedError("the answer broke off: the server ended it in its middle", place=place)

    def _request(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, stream: bool = False
    ) -> requests.Response:
        url = self._address + path
        try:
            return self._session.request(method, url, json=body, timeout=self._timeout, stream=stream)
        except requests.exceptions.RequestException as error:
            raise PassingError(
                f"the server did not answer: {error}", place=Place(f"{method} {self._address}{path}")
            ) from error

    def _expect_ok(self, response: requests.Response) -> requests.Response:
        if response.ok:
            return response
        place = Place(f"{response.request.method} {response.url}")
        if response.status_code == 401:
            raise CredentialsError("the server wants another key", place=place, remedy="set server.api_key")
        error = decoded(response).get("error")
        message = error.get("message") if isinstance(error, dict) else response.text[:300]
        raise FailedError(f"the server refused: {message} ({response.status_code})", place=place)


def _events(lines: Iterable[bytes]) -> Iterator[str]:
    """Give the data of each server-sent event; vLLM writes it on one line."""
    for line in lines:
        if line.startswith(_DATA):
            yield line.removeprefix(_DATA).strip().decode("utf-8")


def _piece(event: str, place: Place) -> Piece:
    try:
        found = json.loads(event)
        if "error" in found:
            raise FailedError(f"the server failed: {found['error']['message']}", place=place)
        usage = found.get("usage") or {}
        choice = next(iter(found["choices"]), {"text": ""})
        return Piece(
            choice["text"],
            choice.get("finish_reason"),
            usage.get("prompt_tokens"),
            usage.get("completion_tokens"),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FailedError(f"this is no part of a completion: {event[:300]}", place=place) from error
