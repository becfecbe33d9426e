"""All layers laid over one another, from the defaults to the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from runbook.config.layers import (
    Settings,
    command_line,
    environment_file,
    load_layer,
    process_environment,
    selected_file,
    unknown_settings,
)
from runbook.config.problems import raise_all
from runbook.config.provenance import Origins
from runbook.config.schema import SELECTORS
from runbook.engine.document import Document
from runbook.engine.errors import Place, VariableError


def merge(root: Path, environment: str, settings: Sequence[str], environ: Mapping[str, str]) -> Origins:
    """Lay all layers over one another, in their order.

    Args:
        root: the repository.
        environment: a file of vars/envs/, without .yml.
        settings: what `--set` was given, each KEY=VALUE.
        environ: the process's environment.

    Raises:
        VariableError: a layer is not there, is no YAML, or a setting names no variable.
    """
    said = command_line(settings)
    defaults, own = load_layer(root / "vars" / "defaults.yml"), environment_file(root, environment)
    origins = Origins()
    origins.add(defaults)
    for selector in SELECTORS:
        origins.add(_selected(root, selector, [defaults, own], said, environ))
    origins.add(own)
    named, unknown_names = process_environment(environ, list(origins))
    raise_all([*unknown_settings(said, list(origins)), *unknown_names])
    for key, document in [*named, *said]:
        origins.add(document, key)
    return origins


def _selected(
    root: Path, selector: str, files: Sequence[Document], said: Settings, environ: Mapping[str, str]
) -> Document:
    """Read the file that a selector names in the topmost layer that sets it."""
    chosen = [
        (document.value[selector], document.place(selector))
        for document in files
        if selector in document.value
    ]
    name = f"RUNBOOK_{selector.upper()}"
    if name in environ:
        chosen.append((environ[name], Place(name)))
    chosen += [(document.value, document.source) for key, document in said if key == (selector,)]
    if not chosen:
        raise VariableError(f"{selector} is not set", place=files[-1].place())
    document = selected_file(root, selector, *chosen[-1])
    for other in SELECTORS:
        if other in document.value:
            raise VariableError(
                f"{other} cannot be set here: this file is itself chosen by {selector}",
                place=document.place(other),
                remedy="set it in the environment",
            )
    return document
