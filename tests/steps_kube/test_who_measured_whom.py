"""A rehearsal's figures say which programs made them, so that they are compared with their like only."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook.config.load import load
from runbook.steps.bench import rehearsed

ROOT = Path(__file__).parents[2]
SERVER, CLIENT = "rehearsal.engine=vllm", "rehearsal.bench_client=vllm"
FOLDER = "rehearsal.vllm_environment=/opt/vllm"


@pytest.mark.parametrize(
    ("settings", "who", "accelerator", "client"),
    [
        ([], "stand-ins measured each other on this machine", "tpu7x", "0.13.0"),
        ([CLIENT], "vLLM's client measured a stand-in on this machine", "tpu7x", "0.13.0 of /opt/vllm"),
        ([SERVER], "a stand-in measured vLLM on this machine's CPU", "cpu", "0.13.0"),
        ([SERVER, CLIENT], "vLLM's client measured vLLM on this machine's CPU", "cpu", "0.13.0 of /opt/vllm"),
    ],
)
def test_the_figures_of_a_rehearsal_say_who_measured_whom(settings, who, accelerator, client):
    variables = load(ROOT, "rehearsal", [*settings, FOLDER], {}).variables
    assert rehearsed.sentence(variables) == f"REHEARSAL: {who}; no figure here is a TPU's."
    assert rehearsed.accelerator(variables) == accelerator
    assert rehearsed.client_version(variables, "0.13.0") == client
