"""How a request wants to write, and what it hears back beside the object."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Write:
    """The options of one writing request.

    Args:
        manager: who owns the fields it sets (query parameter fieldManager).
        dry_run: carry out everything but keep nothing.
        validation: Strict, Warn or Ignore: what becomes of fields that the kind does not have.
        force: an apply takes over fields that others own.
        subresource: status or scale; empty for the object itself.
        warnings: filled while writing, for the Warning headers.
    """

    manager: str
    dry_run: bool = False
    validation: str = "Warn"
    force: bool = False
    subresource: str = ""
    warnings: list[str] = field(default_factory=list)
