"""Where a secret is kept, and how it is fetched from there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runbook.config.keys import PREFIX
from runbook.config.problems import Problem
from runbook.config.provenance import Origin
from runbook.config.secret import Secret

_REMEDY = "write { env: NAME } or { file: PATH }, which say where it is kept"


def fetch(
    key: str, origin: Origin, root: Path, environ: Mapping[str, str]
) -> tuple[Secret | None, list[Problem]]:
    """Fetch a secret from where its variable says.

    Args:
        key: the variable.
        origin: what the layer that holds says.
        root: the folder that a relative path begins at.
        environ: the process's environment.

    Returns:
        The secret, or None where there is none; and what is wrong.
    """
    said = origin.value
    if said is None:
        return None, []
    if isinstance(said, Secret) and origin.document.source.source.startswith(PREFIX):
        return said, []
    if not isinstance(said, dict):
        return None, [Problem(f"{key} is a secret, which does not belong here", origin.place, _REMEDY)]
    wrong = _wrong_source(said)
    if wrong:
        return None, [Problem(f"{key} {wrong}", origin.place, _REMEDY)]
    value, missing = _from_environment(said, environ) if "env" in said else _from_file(said, root)
    if value:
        return Secret(value), []
    optional = said.get("optional") is True
    return None, [] if optional else [
        Problem(f"{key}: {missing}", origin.place, "set it, or add optional: true")
    ]


def readable_by_others(key: str, origin: Origin, root: Path) -> list[Problem]:
    """Warn where a secret's file can be read by other users of this machine."""
    said = origin.value
    if not isinstance(said, dict) or not isinstance(said.get("file"), str):
        return []
    path = _path(said["file"], root)
    if os.name != "posix" or not path.is_file() or not path.stat().st_mode & 0o077:
        return []
    return [Problem(f"{key}: other users can read {path}", origin.place, f"chmod 600 {path}")]


def _wrong_source(said: dict[str, Any]) -> str | None:
    if set(said) - {"env", "file", "optional"} or ("env" in said) == ("file" in said):
        return "must say either env or file"
    if not all(isinstance(said.get(name, ""), str) for name in ("env", "file")):
        return "must name its env or file in text"
    return (
        None if isinstance(said.get("optional", False), bool) else "has an optional that is not true or false"
    )


def _from_environment(said: dict[str, Any], environ: Mapping[str, str]) -> tuple[str, str]:
    return environ.get(said["env"], "").strip(), f"the environment variable {said['env']} is not set"


def _from_file(said: dict[str, Any], root: Path) -> tuple[str, str]:
    path = _path(said["file"], root)
    try:
        return path.read_text(encoding="utf-8").strip(), f"{path} is empty"
    except (OSError, UnicodeDecodeError) as cause:
        return "", f"{path} cannot be read: {getattr(cause, 'strerror', None) or 'it is not text'}"


def _path(said: str, root: Path) -> Path:
    path = Path(said).expanduser()
    return path if path.is_absolute() else root / path
