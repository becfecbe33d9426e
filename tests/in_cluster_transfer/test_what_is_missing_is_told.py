"""No role, no grant, no cluster, no image: the cause, its place and what mends it."""

from __future__ import annotations

import pytest

from tests.acceptance.conftest import Operator
from tests.in_cluster_transfer.conftest import BUCKET, Site, settings

STEPS = "3.1,3.2.1,3.2.2,3.2.3"


def test_a_role_that_may_only_read_is_told_before_anything_runs(operator: Operator) -> None:
    ended = operator.inv("setup", "--set", "transfer.where=cluster")
    assert ended.code != 0
    said = ended.out + ended.error
    assert "bucket.role roles/storage.objectViewer may only read" in said
    assert "--set" in said
    assert "roles/storage.objectUser" in said
    assert "RUN" not in ended.out


def test_a_grant_that_is_missing_is_told(site: Site) -> None:
    own = settings("ungranted", "bucket.name=nobody-was-let-in")
    ended = site.operator.inv("step", STEPS, *own)
    said = ended.out + ended.error
    assert ended.status("3.2.3") == "failed"
    assert "does not have storage.objects.create access" in said
    assert "bucket.role must be roles/storage.objectUser" in said
    assert "inv step 3.3" in said
    assert site.left() == []


@pytest.mark.slow
def test_a_grant_that_does_not_count_yet_is_waited_for(site: Site) -> None:
    session = ("--method", "POST", "--path", "uploadType=resumable&name=granted", "--times", "3")
    site.fault(*session, "--kind", "status", "--status", "403", "--message", "not yet", api="storage")
    ended = site.operator.inv("step", "3.2.3", *settings("granted"))
    assert ended.code == 0, ended.out + ended.error
    assert len(site.objects("granted")) == 18


@pytest.mark.slow
def test_an_image_that_is_missing_is_told(site: Site) -> None:
    ended = site.operator.inv("step", "3.2.3", *settings("imageless", "transfer.image=missing:1"))
    assert ended.status("3.2.3") == "failed"
    assert "inv vars transfer.image" in ended.out + ended.error
    assert site.left() == []


@pytest.mark.slow
def test_a_file_with_other_bytes_is_told_and_the_others_arrive(site: Site) -> None:
    site.fault("--path", "/lfs/", "--kind", "flip", "--bytes", "1000")
    ended = site.operator.inv("step", "3.2.3", *settings("flipped"))
    said = ended.out + ended.error
    assert ended.status("3.2.3") == "failed"
    assert "the hub lists sha256:" in said
    assert f"gs://{BUCKET}/flipped/" in said
    assert len(site.objects("flipped")) == 16
    again = site.operator.inv("step", "3.2.3", *settings("flipped"))
    assert "1 files" in again.out
    assert site.left() == []


def test_without_a_cluster_the_step_that_makes_it_is_named(operator: Operator) -> None:
    ended = operator.inv("step", STEPS, *settings("made"))
    assert ended.status("3.2.3") == "failed"
    assert "cluster rehearsal in us-central1 is not there" in ended.out + ended.error
    assert "2.2" in ended.out + ended.error


def test_a_check_of_an_empty_cloud_plans_it(operator: Operator) -> None:
    ended = operator.inv("setup", "deploy", "--check", *settings("made"))
    assert ended.code == 2
    assert ended.status("3.2.3") == "would change"
    assert ended.recap["failed"] == 0
