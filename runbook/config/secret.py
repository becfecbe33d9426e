"""A value that is used but never shown."""

from __future__ import annotations

from typing import Any, Final

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema

MASK: Final = "***"


class Secret:
    """A password, token or key. It prints as `***` everywhere; only `reveal` gives the value.

    Args:
        value: what is to be kept out of argv, logs, events and diffs.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value, for the one request or file that needs it."""
        return self._value

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> tuple[Any, ...]:
        msg = "a secret is not written anywhere"
        raise TypeError(msg)

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.is_instance_schema(cls)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {
            "type": "object",
            "description": "where the secret is kept: {env: NAME} or {file: PATH}",
            "properties": {
                "env": {"type": "string", "description": "environment variable that holds it"},
                "file": {"type": "string", "description": "file that holds it, mode 0600"},
                "optional": {"type": "boolean", "description": "no error when it is not there"},
            },
            "additionalProperties": False,
        }
