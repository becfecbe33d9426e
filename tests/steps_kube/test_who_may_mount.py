"""4.3 tells before it changes anything that its Pods could not mount the bucket, as far as it can be seen."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runbook.engine.errors import MissingError
from runbook.engine.outcome import Outcome, Status
from tests.steps_kube.deployment_place import SERVER, Place


def refused(outcome: Outcome) -> MissingError:
    assert isinstance(outcome.error, MissingError), outcome
    return outcome.error


@pytest.mark.parametrize(
    ("setting", "account"),
    [("kube.namespace=serving", "serving/default"), ("kube.service_account=vllm", "default/vllm")],
)
def test_another_namespace_or_account_without_the_grant_is_told_before_anything_changes(
    place: Place, setting: str, account: str
) -> None:
    other = place.with_settings(setting)
    before = other.writes()
    for outcome in (other.check("kube.apply", **SERVER), other.apply("kube.apply", **SERVER)):
        error = refused(outcome)
        assert error.message == (
            f"ServiceAccount {account} has no role on gs://rehearsal-models, only default/default:"
            " its Pods could not mount it"
        )
        assert (error.supplied_by, error.remedy) == (
            "storage.iam_member",
            "run `inv setup deploy`: 3.3 grants it roles/storage.objectViewer",
        )
    assert other.writes() == before


def test_a_grant_that_the_same_line_would_make_counts(place: Place) -> None:
    other = place.with_settings("kube.namespace=serving")
    granted, planned = other.line(("storage.iam_member", {}), ("kube.apply", SERVER), check=True)
    assert (granted.status, planned.status) == (Status.WOULD_CHANGE, Status.WOULD_CHANGE)


@pytest.fixture
def unreadable(place: Place) -> Iterator[Place]:
    """The login may not read the bucket's policy."""
    place.cloud.control("PUT", "project", {"denied_permissions": ["storage.buckets.getIamPolicy"]})
    yield place.with_settings("kube.namespace=serving")
    place.cloud.control("PUT", "project", {"denied_permissions": []})


def test_nothing_is_guessed_where_the_policy_may_not_be_read(unreadable: Place) -> None:
    assert unreadable.check("kube.apply", **SERVER).status is Status.WOULD_CHANGE
    assert unreadable.voice.warnings == []


@pytest.fixture
def without_grant(place: Place) -> Iterator[Place]:
    """The bucket's policy knows no Pod."""
    place.apply("storage.iam_member", state="absent")
    yield place
    assert place.apply("storage.iam_member").error is None


def test_a_policy_that_knows_no_pod_is_only_warned_of(without_grant: Place) -> None:
    assert without_grant.check("kube.apply", **SERVER).status is Status.WOULD_CHANGE
    (warning,) = without_grant.voice.warnings
    assert "ServiceAccount default/default has no role on gs://rehearsal-models" in warning
    assert "run `inv setup deploy`" in warning


def test_a_server_that_runs_costs_no_look_at_the_policy(deployed: Place) -> None:
    deployed.cloud.control("DELETE", "requests")
    assert deployed.check("kube.apply", **SERVER).status is Status.OK
    assert not [entry for entry in deployed.cloud.logged(api="storage") if "/iam" in entry["path"]]
