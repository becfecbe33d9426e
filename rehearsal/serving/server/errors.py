"""vLLM's error bodies."""

from __future__ import annotations

import json
from http import HTTPStatus

from aiohttp import web


class RefusalError(Exception):
    """A request that vLLM refuses.

    Args:
        message: what the client reads.
        kind: `type` of the body, such as BadRequestError.
        parameter: the field at fault.
    """

    def __init__(
        self,
        message: str,
        *,
        status: HTTPStatus = HTTPStatus.BAD_REQUEST,
        kind: str = "BadRequestError",
        parameter: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = {
            "error": {"message": message, "type": kind, "param": parameter, "code": int(status)},
        }

    def response(self) -> web.Response:
        """The HTTP answer."""
        return web.json_response(self.body, status=self.status)


def bad_json(error: json.JSONDecodeError) -> RefusalError:
    """The body is not JSON; the guide's curl, with its comment inside, gets this."""
    place = f"body.{error.pos}"
    detail = {
        "type": "json_invalid",
        "loc": place,
        "msg": "JSON decode error",
        "input": "<dict of 0 items>",
        "ctx": {"error": error.msg},
    }
    return RefusalError(f"1 validation error:\n  {detail}", kind="Bad Request", parameter=place)


def wrong_type(field: str, value: object, wanted: str) -> RefusalError:
    """A field has a value of another type than the API says."""
    detail = {
        "type": f"{wanted}_type",
        "loc": f"body.{field}",
        "msg": f"Input should be a valid {_WORDS.get(wanted, wanted)}",
        "input": value,
    }
    return RefusalError(f"1 validation error:\n  {detail}", kind="Bad Request", parameter=f"body.{field}")


def missing(field: str) -> RefusalError:
    """A field that the API requires is not there."""
    detail = {"type": "missing", "loc": f"body.{field}", "msg": "Field required", "input": "<dict>"}
    return RefusalError(f"1 validation error:\n  {detail}", kind="Bad Request", parameter=f"body.{field}")


def bad_value(field: str, value: object, message: str) -> RefusalError:
    """A field's value is out of what can be served."""
    return RefusalError(f"{message} (parameter={field}, value={value})", parameter=field)


def unknown_model(model: str, names: list[str]) -> RefusalError:
    """The model is none of those served; names that are paths are not given away, as vLLM does not."""
    aliases = ", ".join("<path>" if name.startswith("/") else name for name in names)
    return RefusalError(
        f"The model `{model}` does not exist. Valid aliases: {aliases}",
        status=HTTPStatus.NOT_FOUND,
        kind="NotFoundError",
        parameter="model",
    )


_WORDS = {"int": "integer", "float": "number", "bool": "boolean", "dict": "dictionary"}
