"""Shapes and logins that cannot be are found before anything is sent."""

from __future__ import annotations

import pytest

from runbook.config.load import load
from runbook.engine.errors import VariableError
from tests.steps_gke.workplace import ROOT

WRONG = [
    (
        ("cluster.mode=autopilot", "cluster.location=us-central1-c"),
        "cluster.location is us-central1-c, and Autopilot clusters are regional",
    ),
    (
        ("cluster.network=projects/host-project/global/networks/shared",),
        "cluster.subnetwork is no full path, and cluster.network is shared by another project",
    ),
    (("cluster.network=host-project/shared",), "cluster.network must be a network's name"),
    (
        ("cluster.subnetwork=projects/host-project/subnetworks/tpus",),
        "cluster.subnetwork must be a subnetwork's name",
    ),
    (
        ("credentials.source=token-file",),
        "credentials.token_file is not set, and credentials.source is token-file",
    ),
    (("credentials.impersonate=somebody",), "credentials.impersonate must be a service account's address"),
]
DOUBTFUL = [
    (("cluster.private_nodes=true",), "private nodes reach no other registry without Cloud NAT"),
    (("cluster.endpoint=private",), "private nodes reach no other registry without Cloud NAT"),
    (("credentials.token_file=/tmp/token",), "is not used: credentials.source is gcloud"),
]


@pytest.mark.parametrize(("settings", "message"), WRONG)
def test_what_cannot_be_is_an_error(settings: tuple[str, ...], message: str) -> None:
    with pytest.raises(VariableError) as caught:
        load(ROOT, "rehearsal", settings, {})
    assert message in str(caught.value)


@pytest.mark.parametrize(("settings", "message"), DOUBTFUL)
def test_what_is_probably_not_meant_is_a_warning(settings: tuple[str, ...], message: str) -> None:
    warnings = [str(warning) for warning in load(ROOT, "rehearsal", settings, {}).warnings]
    assert any(message in warning for warning in warnings), warnings


def test_private_nodes_with_images_from_artifact_registry_are_no_matter() -> None:
    image = "us-docker.pkg.dev/my-project/images/vllm-tpu:v0.29.0"
    loaded = load(ROOT, "rehearsal", ("cluster.private_nodes=true", f"server.image={image}"), {})
    assert not any("Artifact Registry" in str(warning) for warning in loaded.warnings)
