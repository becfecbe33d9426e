"""Regional and zonal clusters, and one that stands elsewhere than configured."""

from __future__ import annotations

import pytest

from runbook.engine.errors import ConflictError, MissingError
from runbook.engine.outcome import Status
from tests.shapes.clouds import cluster_of, make_cluster
from tests.shapes.conftest import Shaped
from tests.steps_gke.workplace import Workplace

LISTED = "GET /v1/projects/demo-project/locations/-/clusters"


def lists(work: Workplace) -> int:
    return work.requests().count(LISTED)


def test_a_zonal_cluster_is_made_and_gets_its_node_pool(shaped: Shaped) -> None:
    work = shaped("cluster.location=us-central1-c")
    (change,) = work.converges("gke.cluster")
    assert "--location=us-central1-c" in change.command
    assert cluster_of(work)["locations"] == ["us-central1-c"]
    work.converges("gke.node_pool")


def test_a_zonal_cluster_has_nodes_in_its_own_zone_beside_those_asked_for(shaped: Shaped) -> None:
    work = shaped("cluster.location=us-central1-a")
    (change,) = work.converges("gke.cluster")
    assert "--node-locations=us-central1-a,us-central1-c" in change.command
    work.converges("gke.node_pool")


def test_a_regional_cluster_has_nodes_only_where_they_are_asked_for(shaped: Shaped) -> None:
    work = shaped()
    work.converges("gke.cluster")
    assert cluster_of(work)["locations"] == ["us-central1-c"]


def test_a_cluster_that_stands_elsewhere_is_not_made_again(shaped: Shaped) -> None:
    make_cluster(shaped("cluster.location=us-central1-c"))
    work = shaped()
    before = lists(work)
    outcome = work.checked_without_a_write("gke.cluster")
    name = work.variables.cluster.name
    assert isinstance(outcome.error, ConflictError)
    assert outcome.error.message == f"cluster {name} is not in us-central1 but in us-central1-c"
    assert str(outcome.error.place) == f"projects/demo-project/locations/us-central1-c/clusters/{name}"
    assert "set cluster.location to us-central1-c" in str(outcome.error.remedy)
    assert lists(work) == before + 1


@pytest.mark.parametrize("uses", ["gke.workload_identity", "gke.gateway_api", "gke.node_pool"])
def test_a_step_that_misses_the_cluster_names_where_it_stands(shaped: Shaped, uses: str) -> None:
    make_cluster(shaped("cluster.location=us-central1-b"))
    error = shaped().checked_without_a_write(uses).error
    assert isinstance(error, MissingError)
    assert error.message.endswith("in us-central1 is not there; one of that name is in us-central1-b")
    assert error.remedy == "set cluster.location to us-central1-b"


def test_a_teardown_says_that_one_stands_elsewhere(shaped: Shaped) -> None:
    make_cluster(shaped("cluster.location=us-central1-b"))
    outcome = shaped().check("gke.cluster", state="absent")
    assert outcome.status is Status.OK
    assert outcome.reason == "not there; one of that name is in us-central1-b"


def test_a_cluster_that_is_found_costs_no_further_request(shaped: Shaped) -> None:
    work = shaped()
    make_cluster(work)
    before = lists(work)
    work.check("gke.cluster")
    assert lists(work) == before
