"""Sections 1, 3.1, 3.2.1, 3.2.2 and 3.3 and their undoing, each from several start states."""

from __future__ import annotations

from typing import Any

import pytest

from runbook.engine.errors import ConflictError, CredentialsError, MissingError, RefusedError
from runbook.engine.outcome import Status
from tests.steps_gke.workplace import Workplace, paths, variables_with


def make_bucket(work: Workplace, **fields: Any) -> None:
    """Have somebody else make the bucket."""
    body = {"name": work.variables.bucket.name, "location": "US-CENTRAL1"} | fields
    assert work.cloud.ask("POST", f"/storage/v1/b?project={work.variables.project}", body).ok


def bucket_of(work: Workplace) -> dict[str, Any]:
    found: dict[str, Any] = work.cloud.get(f"/storage/v1/b/{work.variables.bucket.name}")
    return found


def policy_of(work: Workplace) -> dict[str, Any]:
    found: dict[str, Any] = work.cloud.get(f"/storage/v1/b/{work.variables.bucket.name}/iam")
    return found


def test_a_login_reaches_the_project_and_finds_its_apis_enabled(work: Workplace) -> None:
    outcome = work.checked_without_a_write("auth.login")
    assert outcome.status is Status.OK
    assert work.variables.project in outcome.reason


def test_the_guides_six_parameters_are_told(work: Workplace) -> None:
    reason = work.check("parameters.defined").reason
    assert f"PROJECT_ID={work.variables.project}" in reason.split()


def test_a_bucket_is_made_near_the_tpus_and_not_public(work: Workplace) -> None:
    (change,) = work.converges("storage.bucket")
    assert paths([change]) == [f"gs://{work.variables.bucket.name}"]
    made = bucket_of(work)
    assert made["location"].lower() == work.variables.region
    assert made["iamConfiguration"]["uniformBucketLevelAccess"]["enabled"]
    assert made["iamConfiguration"]["publicAccessPrevention"] == "enforced"


def test_a_bucket_with_access_control_lists_gets_uniform_access(work: Workplace) -> None:
    make_bucket(work, iamConfiguration={"uniformBucketLevelAccess": {"enabled": False}})
    (change,) = work.converges("storage.bucket")
    assert change.warning


def test_a_bucket_in_another_place_is_a_conflict(work: Workplace) -> None:
    make_bucket(work, location="EUROPE-WEST4")
    outcome = work.checked_without_a_write("storage.bucket")
    assert isinstance(outcome.error, ConflictError)
    assert "bucket.location" in str(outcome.error.remedy)


def test_a_bucket_is_deleted_with_its_objects(work: Workplace) -> None:
    work.apply("storage.bucket")
    for number in range(3):
        path = f"/upload/storage/v1/b/{work.variables.bucket.name}/o?uploadType=media&name=a/{number}"
        assert work.cloud.ask("POST", path, {"some": "bytes"}).ok
    (change,) = work.converges("storage.bucket", state="absent")
    assert change.loss is not None
    assert "3 objects" in change.loss


def test_a_bucket_is_deleted_only_when_its_name_was_said(work: Workplace) -> None:
    work.variables = variables_with(f"bucket.name={work.variables.bucket.name}")
    work.apply("storage.bucket")
    outcome = work.apply("storage.bucket", state="absent")
    assert isinstance(outcome.error, RefusedError)
    assert bucket_of(work)


def test_a_bucket_with_real_folders_gets_the_models_folder(work: Workplace) -> None:
    name = work.variables.bucket.name
    work.variables = variables_with(
        f"bucket.name={name}", f"teardown.bucket={name}", "bucket.hierarchical_namespace=true"
    )
    work.apply("storage.bucket")
    (change,) = work.converges("storage.folder")
    assert paths([change]) == [f"gs://{name}/{work.variables.checkpoint.folder}/"]
    work.converges("storage.bucket", state="absent")


def test_in_a_flat_bucket_a_folder_comes_with_its_first_object(work: Workplace) -> None:
    work.variables = variables_with(
        f"bucket.name={work.variables.bucket.name}", "bucket.hierarchical_namespace=false"
    )
    work.apply("storage.bucket")
    outcome = work.checked_without_a_write("storage.folder")
    assert (outcome.status, outcome.changes) == (Status.OK, ())


@pytest.mark.parametrize("uses", ["storage.mount", "storage.folder", "storage.iam_member", "model.upload"])
def test_without_the_bucket_a_step_names_the_one_that_makes_it(work: Workplace, uses: str) -> None:
    outcome = work.checked_without_a_write(uses)
    assert isinstance(outcome.error, MissingError)
    assert outcome.error.supplied_by == "storage.bucket"


def test_the_servers_account_gets_its_role_and_loses_it(work: Workplace) -> None:
    work.apply("storage.bucket")
    (granted,) = work.converges("storage.iam_member")
    member = granted.differences[0].after
    assert member.endswith("/subject/ns/default/sa/" + work.variables.kube.service_account)
    assert [binding["members"] for binding in policy_of(work)["bindings"]][-1] == [member]
    (revoked,) = work.converges("storage.iam_member", state="absent")
    assert revoked.differences[0].before == member


def test_a_grant_leaves_other_members_and_conditions_alone(work: Workplace) -> None:
    work.apply("storage.bucket")
    policy = policy_of(work)
    role = work.variables.bucket.role
    condition = {"title": "until then", "expression": "request.time < timestamp('2030-01-01T00:00:00Z')"}
    others = [
        {"role": role, "members": ["user:somebody@example.com"]},
        {"role": role, "members": ["user:guest@example.com"], "condition": condition},
    ]
    path = f"/storage/v1/b/{work.variables.bucket.name}/iam"
    answer = work.cloud.ask("PUT", path, policy | {"version": 3, "bindings": policy["bindings"] + others})
    assert answer.ok, answer.text
    work.converges("storage.iam_member")
    bindings = work.cloud.get(path + "?optionsRequestedPolicyVersion=3")["bindings"]
    kept = [member for binding in bindings for member in binding["members"]]
    assert {"user:somebody@example.com", "user:guest@example.com"} < set(kept)
    assert condition in [binding.get("condition") for binding in bindings]


def test_a_grant_that_another_writer_crossed_is_made_all_the_same(work: Workplace) -> None:
    work.apply("storage.bucket")
    work.cloud.control("POST", "faults", {"method": "PUT", "path": "/iam", "status": 412, "message": "etag"})
    assert work.apply("storage.iam_member").status is Status.CHANGED


def test_a_permission_that_lacks_is_told_with_googles_words(work: Workplace) -> None:
    message = "me@example.com does not have storage.buckets.get access to the Google Cloud Storage bucket."
    work.cloud.control("POST", "faults", {"api": "storage", "status": 403, "message": message})
    outcome = work.check("storage.bucket")
    assert isinstance(outcome.error, CredentialsError)
    assert outcome.error.message == message.rstrip(".")


def test_a_check_on_an_empty_project_plans_the_whole_section(work: Workplace) -> None:
    outcomes = work.check_line(
        "storage.bucket", "storage.mount", "storage.folder", "model.upload", "storage.iam_member"
    )
    assert [outcome.status for outcome in outcomes.values()] == [
        Status.WOULD_CHANGE,
        Status.OK,
        Status.WOULD_CHANGE,
        Status.WOULD_CHANGE,
        Status.WOULD_CHANGE,
    ]
