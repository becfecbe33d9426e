"""What the stand-in is told of its projects, and what its APIs then answer."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.rehearsal.stand_in import CLUSTER, LOCATION, StandIn

RESERVATIONS = "/compute/v1/projects/demo-project/zones/us-central1-c/reservations"


def tell(stand_in: StandIn, **facts: Any) -> None:
    stand_in.control("PUT", "project", facts)


def test_what_is_told_outlives_the_process_and_ends_with_a_reset(stand_in: StandIn) -> None:
    tell(stand_in, disabled_services=["iam.googleapis.com"])
    tell(stand_in, regions_without_nat=["us-central1"])
    stand_in.down()
    stand_in.up()
    known = stand_in.control("GET", "project")
    assert known["disabled_services"] == ["iam.googleapis.com"]
    assert known["regions_without_nat"] == ["us-central1"]
    stand_in.control("POST", "reset")
    assert stand_in.control("GET", "project")["disabled_services"] == []


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"quota": {}}, "there is no field 'quota'"),
        ({"denied_permissions": "all"}, "it must be a list of names"),
        ({"quotas": {"X": "1"}}, "it must be a whole number"),
        ({"reservations": {"r": {"count": "2"}}}, "a reservation's count is '2': it must be of type int"),
        ({"reservations": {"r": {"size": 2}}}, "there is no field 'size'"),
        ({"reservations": {"r": 2}}, "it must be an object"),
    ],
)
def test_a_fact_that_makes_no_sense_is_refused(stand_in: StandIn, facts: Any, said: str) -> None:
    answer = stand_in.ask("PUT", "/_rehearsal/project", facts)
    assert answer.status_code == 400
    assert said in answer.json()["error"]["message"]


def test_an_api_that_is_off_refuses_every_request(stand_in: StandIn) -> None:
    tell(stand_in, disabled_services=["container.googleapis.com"])
    answer = stand_in.ask("GET", LOCATION + "/clusters")
    assert answer.status_code == 403
    error = answer.json()["error"]
    assert "has not been used in project demo-project before or it is disabled" in error["message"]
    assert error["details"][0]["reason"] == "SERVICE_DISABLED"
    services = stand_in.get("/v1/projects/demo-project/services?filter=state:ENABLED")["services"]
    assert "container.googleapis.com" not in {service["config"]["name"] for service in services}


def test_a_login_without_a_permission_is_refused_in_the_words_of_gke(stand_in: StandIn) -> None:
    stand_in.create_cluster()
    tell(stand_in, denied_permissions=["container.clusters.update"])
    answer = stand_in.ask(
        "PUT", CLUSTER, {"update": {"desiredGatewayApiConfig": {"channel": "CHANNEL_STANDARD"}}}
    )
    assert answer.status_code == 403
    assert answer.json()["error"]["message"] == (
        'Required "container.clusters.update" permission(s) for'
        ' "projects/demo-project/locations/us-central1/clusters/demo".'
    )
    assert stand_in.ask("GET", CLUSTER).ok


def test_cloud_storage_says_it_in_its_own_words(stand_in: StandIn) -> None:
    assert stand_in.ask("POST", "/storage/v1/b?project=demo-project", {"name": "demo-models"}).ok
    tell(stand_in, denied_permissions=["storage.buckets.getIamPolicy"])
    answer = stand_in.ask("GET", "/storage/v1/b/demo-models/iam")
    assert answer.status_code == 403
    assert "does not have storage.buckets.getIamPolicy access" in answer.json()["error"]["message"]
    asked = "permissions=storage.buckets.getIamPolicy&permissions=storage.objects.create"
    tested = stand_in.get(f"/storage/v1/b/demo-models/iam/testPermissions?{asked}")
    assert tested["permissions"] == ["storage.objects.create"]


def test_only_what_is_granted_comes_back_from_a_test_of_permissions(stand_in: StandIn) -> None:
    tell(stand_in, denied_permissions=["container.clusters.create"])
    path = "/v1/projects/demo-project:testIamPermissions"
    asked = {"permissions": ["container.clusters.create", "container.clusters.get"]}
    assert stand_in.ask("POST", path, asked).json() == {"permissions": ["container.clusters.get"]}
    assert stand_in.ask("POST", path, {"permissions": asked["permissions"][:1]}).json() == {}
    assert stand_in.ask("POST", path, {"permissions": ["container.*"]}).status_code == 400
    assert stand_in.ask("POST", path, {"permissions": ["a.b"] * 101}).status_code == 400


def test_a_reservation_counts_in_text_and_is_only_in_its_zone(stand_in: StandIn) -> None:
    tell(stand_in, reservations={"mine": {"zone": "us-central1-c", "count": 3, "in_use": 1}})
    held = stand_in.get(f"{RESERVATIONS}/mine")["specificReservation"]
    assert (held["count"], held["inUseCount"]) == ("3", "1")
    elsewhere = RESERVATIONS.replace("us-central1-c", "us-central1-ai1a")
    assert stand_in.ask("GET", f"{elsewhere}/mine").status_code == 404
    found = stand_in.get("/compute/v1/projects/demo-project/aggregated/reservations?filter=name=mine")
    assert list(found["items"]) == ["zones/us-central1-c"]
    other = stand_in.get("/compute/v1/projects/demo-project/aggregated/reservations?filter=name=other")
    assert other["items"] == {}


@pytest.fixture
def gcloud(stand_in: StandIn, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The real gcloud, pointed at the stand-in."""
    program = shutil.which("gcloud")
    if program is None:
        pytest.skip("gcloud is not on this machine")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "CLOUDSDK_CONFIG": str(tmp_path / "gcloud"),
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE": stand_in.endpoints["google"] + "/compute/v1/",
        "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE": stand_in.endpoints["token_file"],
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
        "CLOUDSDK_CORE_PROJECT": "demo-project",
    }

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [program, "compute", *words], env=environment, capture_output=True, text=True, check=False
        )

    return run


@pytest.mark.slow
@pytest.mark.clients
def test_the_real_gcloud_reads_reservations_and_machine_types(
    stand_in: StandIn, gcloud: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    tell(stand_in, reservations={"mine": {"zone": "us-central1-c", "count": 3}})
    shown = gcloud("reservations", "describe", "mine", "--zone=us-central1-c", "--format=value(status)")
    assert (shown.returncode, shown.stdout.strip()) == (0, "READY"), shown.stderr
    listed = gcloud("reservations", "list", "--format=value(name,specificReservation.count)")
    assert listed.stdout.split() == ["mine", "3"], listed.stderr
    tell(stand_in, reservations={"mine": {"missing": True}})
    gone = gcloud("reservations", "describe", "mine", "--zone=us-central1-c")
    assert (
        "The resource 'projects/demo-project/zones/us-central1-c/reservations/mine' was not found"
        in gone.stderr
    )
