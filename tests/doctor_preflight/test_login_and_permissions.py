"""P1 to P3."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.doctor_preflight.patient import Patient


@contextmanager
def wrong_token(patient: Patient) -> Iterator[None]:
    file = Path(patient.cloud.endpoints["token_file"])
    token = file.read_text()
    file.write_text("nobody's")
    try:
        yield
    finally:
        file.write_text(token)


def test_a_login_that_works_tells_the_projects_number(patient):
    found = patient.finding("P1")
    assert found.verdict == "ok"
    assert found.fact.startswith("rehearsal-project has the number 1")


def test_without_a_login_only_this_machine_is_looked_at(patient):
    with wrong_token(patient):
        found = {finding.topic.split()[0]: finding for finding in patient.all()}
    assert found["P1"].verdict == "failed"
    assert found["P1"].remedy == "run `inv rehearsal.down rehearsal.up`"
    rest = {number: finding for number, finding in found.items() if number not in {"P1", "P15"}}
    assert {finding.fact for finding in rest.values()} == {"not looked at, as P1 failed"}
    assert {finding.verdict for finding in rest.values()} == {"warning"}
    assert len(rest) == 15
    assert found["P15"].verdict != "failed"


def test_all_apis_are_on(patient):
    assert patient.finding("P2").fact == "6 APIs are enabled"


def test_an_api_that_is_off_is_named_with_the_command(patient):
    patient.tell(disabled_services=["compute.googleapis.com", "storage.googleapis.com"])
    found = patient.finding("P2")
    assert (found.verdict, found.fact) == (
        "failed",
        "not enabled: compute.googleapis.com, storage.googleapis.com",
    )
    assert found.remedy == (
        "gcloud services enable compute.googleapis.com storage.googleapis.com --project=rehearsal-project"
    )


def test_images_of_artifact_registry_ask_for_its_api(patient):
    image = "us-docker.pkg.dev/mine/vllm/vllm-tpu:v0.29.0"
    mirrored = patient.with_settings(f"server.image={image}")
    assert mirrored.finding("P2").fact == "7 APIs are enabled"
    patient.tell(disabled_services=["artifactregistry.googleapis.com"])
    assert mirrored.finding("P2").fact == "not enabled: artifactregistry.googleapis.com"
    assert patient.finding("P2").verdict == "ok"


def test_all_permissions_are_there(patient):
    found = patient.finding("P3")
    assert (found.verdict, found.fact) == ("ok", "15 permissions are granted")


def test_a_permission_that_lacks_is_named_with_the_role_that_has_it(patient):
    patient.tell(denied_permissions=["container.clusters.update", "compute.reservations.get"])
    found = patient.finding("P3")
    assert (found.verdict, found.fact) == (
        "failed",
        "this login lacks container.clusters.update on project rehearsal-project, "
        "compute.reservations.get on project rehearsal-project",
    )
    assert found.remedy == (
        "ask for roles/compute.viewer on project rehearsal-project, "
        "roles/container.admin on project rehearsal-project"
    )


def test_a_reservation_of_another_project_is_asked_about_there(patient):
    patient.tell(denied_permissions=["compute.reservations.get"])
    shared = patient.with_settings("node_pool.reservation=projects/owner-project/reservations/team")
    assert shared.finding("P3").remedy == "ask for roles/compute.viewer on project owner-project"


def test_a_new_bucket_asks_for_the_right_to_make_it(patient):
    patient.tell(denied_permissions=["storage.buckets.create"])
    assert "storage.buckets.create on project rehearsal-project" in patient.finding("P3").fact


def test_a_bucket_that_is_there_is_asked_itself(equipped):
    equipped.tell(denied_permissions=["storage.buckets.create", "storage.buckets.setIamPolicy"])
    found = equipped.finding("P3")
    assert found.fact == "this login lacks storage.buckets.setIamPolicy on gs://rehearsal-models"
    assert found.remedy == "ask for roles/storage.admin on gs://rehearsal-models"


def test_a_bucket_that_may_not_even_be_seen_is_asked_all_the_same(equipped):
    equipped.tell(denied_permissions=["storage.buckets.get"])
    assert equipped.finding("P3").fact == "this login lacks storage.buckets.get on gs://rehearsal-models"
