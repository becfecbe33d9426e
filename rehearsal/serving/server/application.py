"""The HTTP application: routes, API key, access log, vLLM's answers to what it does not know."""

from __future__ import annotations

import hmac
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from rehearsal.serving.server.completions import Completions, compact, decoded, json_object
from rehearsal.serving.server.errors import RefusalError, missing, wrong_type
from rehearsal.serving.server.log import Log
from rehearsal.serving.server.metrics import page
from rehearsal.serving.server.serving import Serving

MAX_BODY_BYTES = 64 * 2**20
ROUTES = (
    ("GET", "/health"),
    ("GET", "/ping"),
    ("POST", "/ping"),
    ("GET", "/version"),
    ("GET", "/metrics"),
    ("POST", "/tokenize"),
    ("POST", "/detokenize"),
    ("GET", "/v1/models"),
    ("POST", "/v1/completions"),
    ("POST", "/v1/chat/completions"),
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def application(
    serving: Serving, log: Log, api_keys: list[str], *, access_log: bool = True
) -> web.Application:
    """Build the server's HTTP side.

    Args:
        api_keys: any of them opens /v1; none = open to all.
        access_log: write a line for each request.
    """
    app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[_refusals(api_keys)])
    completions, plain = Completions(serving), PlainAnswers(serving)
    handlers: dict[str, Handler] = {
        "/health": plain.health,
        "/ping": plain.health,
        "/version": plain.version,
        "/metrics": plain.metrics,
        "/tokenize": plain.tokenize,
        "/detokenize": plain.detokenize,
        "/v1/models": plain.models,
        "/v1/completions": completions.complete,
        "/v1/chat/completions": completions.chat,
    }
    for method, path in ROUTES:
        app.router.add_route(method, path, handlers[path])
    app.on_response_prepare.append(_signer(log, access_log=access_log))
    return app


class PlainAnswers:
    """The handlers that generate nothing."""

    def __init__(self, serving: Serving) -> None:
        self._serving = serving
        self._started = int(time.time())

    async def health(self, request: web.Request) -> web.Response:
        """Answer that the engine lives."""
        del request
        return web.Response(headers={"Content-Type": "application/json"})

    async def version(self, request: web.Request) -> web.Response:
        """Name the release that is played."""
        del request
        return web.json_response({"version": self._serving.release.version}, dumps=compact)

    async def metrics(self, request: web.Request) -> web.Response:
        """Write the Prometheus page."""
        del request
        for engine in self._serving.engines:
            engine.metrics.set("kv_cache_usage_perc", engine.cache_usage)
        text = page([engine.metrics for engine in self._serving.engines], self._serving.names[0])
        return web.Response(
            body=text.encode(), headers={"Content-Type": "text/plain; version=1.0.0; charset=utf-8"}
        )

    async def models(self, request: web.Request) -> web.Response:
        """List the names of the model."""
        del request
        cards = [self._card(name) for name in self._serving.names]
        return web.json_response({"object": "list", "data": cards}, dumps=compact)

    async def tokenize(self, request: web.Request) -> web.Response:
        """Turn text, or messages, into token ids."""
        body = await json_object(request)
        self._serving.check_model(body.get("model"))
        tokens = self._serving.tokenizer.encode(self._text(body))
        answer = {
            "count": len(tokens),
            "max_model_len": self._serving.max_model_len,
            "tokens": tokens,
            "token_strs": [self._serving.tokenizer.decode([id_]) for id_ in tokens]
            if body.get("return_token_strs")
            else None,
        }
        return web.json_response(answer, dumps=compact)

    async def detokenize(self, request: web.Request) -> web.Response:
        """Turn token ids into text."""
        body = await json_object(request)
        self._serving.check_model(body.get("model"))
        tokens = body.get("tokens")
        if not isinstance(tokens, list) or not all(isinstance(id_, int) for id_ in tokens):
            raise wrong_type("tokens", tokens, "list")
        return web.json_response({"prompt": decoded(self._serving, tokens)}, dumps=compact)

    def _text(self, body: dict[str, Any]) -> str:
        if "messages" in body and self._serving.template is not None:
            return self._serving.template.render(body["messages"])
        prompt = body.get("prompt")
        if prompt is None:
            raise missing("prompt")
        if not isinstance(prompt, str):
            raise wrong_type("prompt", prompt, "string")
        return prompt

    def _card(self, name: str) -> dict[str, Any]:
        permission = {
            "id": f"modelperm-{uuid.uuid4().hex[:16]}",
            "object": "model_permission",
            "created": self._started,
            "allow_create_engine": False,
            "allow_sampling": True,
            "allow_logprobs": True,
            "allow_search_indices": False,
            "allow_view": True,
            "allow_fine_tuning": False,
            "organization": "*",
            "group": None,
            "is_blocking": False,
        }
        return {
            "id": name,
            "object": "model",
            "created": self._started,
            "owned_by": "vllm",
            "root": self._serving.root,
            "parent": None,
            "max_model_len": self._serving.max_model_len,
            "permission": [permission],
        }


def _refusals(api_keys: list[str]) -> Any:
    @web.middleware
    async def refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
        if api_keys and request.path.startswith("/v1") and not _allowed(request, api_keys):
            return web.json_response({"error": "Unauthorized"}, status=401, dumps=compact)
        try:
            return await handler(request)
        except RefusalError as refused:
            return refused.response()
        except web.HTTPNotFound:
            return web.json_response({"detail": "Not Found"}, status=404, dumps=compact)
        except web.HTTPMethodNotAllowed:
            return web.json_response({"detail": "Method Not Allowed"}, status=405, dumps=compact)

    return refusals


def _allowed(request: web.Request, api_keys: list[str]) -> bool:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and any(
        hmac.compare_digest(given.encode(), key.encode()) for key in api_keys
    )


def _signer(log: Log, *, access_log: bool) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    async def sign(request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Server"] = "uvicorn"
        if access_log:
            host, port = (request.transport.get_extra_info("peername") if request.transport else None) or (
                "-",
                0,
            )
            version = f"HTTP/{request.version.major}.{request.version.minor}"
            status = f"{response.status} {response.reason or ''}".rstrip()
            log.uvicorn(f'{host}:{port} - "{request.method} {request.path_qs} {version}" {status}')

    return sign
