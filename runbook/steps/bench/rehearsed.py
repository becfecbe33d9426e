"""Which programs measured which in a rehearsal, so that no figure is taken for another's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from runbook.config.schema import Variables

_REAL: Final = "vllm"
_WHO: Final[Mapping[tuple[bool, bool], str]] = {
    (False, False): "stand-ins measured each other on this machine",
    (False, True): "vLLM's client measured a stand-in on this machine",
    (True, False): "a stand-in measured vLLM on this machine's CPU",
    (True, True): "vLLM's client measured vLLM on this machine's CPU",
}
"""By whether the server is the real one, and whether the client is."""


def sentence(variables: Variables) -> str:
    """Say what a rehearsal's figures are, to be shown with them."""
    return f"REHEARSAL: {_WHO[_serves(variables), _measures(variables)]}; no figure here is a TPU's."


def accelerator(variables: Variables) -> str:
    """Name what the server computes on: the real one of a rehearsal has this machine's CPU alone."""
    return "cpu" if _serves(variables) else variables.tpu.accelerator


def client_version(variables: Variables, told: str) -> str | None:
    """Name the client's version, apart from the stand-in's where a rehearsal's client is the real one.

    Args:
        told: by the client's Job; empty where it did not.

    Returns:
        None where nobody knows.
    """
    if _measures(variables):
        return f"{told or 'vLLM'} of {variables.rehearsal.vllm_environment}"
    return told or None


def _serves(variables: Variables) -> bool:
    return variables.provider == "rehearsal" and variables.rehearsal.engine == _REAL


def _measures(variables: Variables) -> bool:
    return variables.provider == "rehearsal" and variables.rehearsal.bench_client == _REAL
