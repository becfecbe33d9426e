"""P6 and P7."""

from __future__ import annotations

import pytest

from tests.doctor_preflight.patient import facts

CAPACITY = "node_pool.capacity={}"


def reservation(patient, **told):
    patient.tell(reservations={"rehearsal-reservation": told})


def of_capacity(patient, capacity):
    return patient.with_settings(CAPACITY.format(capacity), "node_pool.reservation=")


def test_the_zone_has_the_machine_type(patient):
    assert facts(patient.findings("P6")) == [("ok", "us-central1-c has tpu7x-standard-4t")]


def test_a_zone_without_the_machine_type_names_those_that_have_it(patient):
    found = patient.with_settings("zone=us-central1-a").finding("P6")
    assert (found.verdict, found.fact) == ("failed", "us-central1-a has no tpu7x-standard-4t")
    assert found.remedy == "set zone to one that has it; known are us-central1-c, us-central1-ai1a"


def test_a_zone_that_does_not_exist_is_refused_by_compute_engine(patient):
    found = patient.with_settings("zone=us-central1-x").finding("P6")
    assert (found.verdict, "us-central1-x" in found.fact) == ("failed", True)


def test_a_reservation_with_room(patient):
    reservation(patient, count=4, in_use=1)
    assert facts(patient.findings("P7")) == [
        ("ok", "rehearsal-reservation: 3 of 4 machines are free"),
    ]


def test_a_reservation_that_is_used_up(patient):
    reservation(patient, count=2, in_use=2)
    found = patient.finding("P7")
    assert (found.verdict, found.fact) == (
        "failed",
        "rehearsal-reservation has 0 of 2 machines free, and 1 are needed",
    )


def test_what_the_preflight_says_of_a_reservation_is_what_gke_does(patient):
    reservation(patient, count=2, in_use=2)
    patient.make_cluster(nodePools=[{"name": "default-pool", "initialNodeCount": 1}])
    affinity = {
        "consumeReservationType": "SPECIFIC_RESERVATION",
        "key": "compute.googleapis.com/reservation-name",
        "values": ["rehearsal-reservation"],
    }
    pool = {
        "name": "tpu7x-pool",
        "initialNodeCount": 1,
        "locations": ["us-central1-c"],
        "config": {"machineType": "tpu7x-standard-4t", "reservationAffinity": affinity},
    }
    path = "/v1/projects/rehearsal-project/locations/us-central1/clusters/rehearsal/nodePools"
    answer = patient.cloud.ask("POST", path, {"nodePool": pool})
    assert answer.status_code == 429
    message = answer.json()["error"]["message"]
    assert message.startswith("Reservation does not have enough resources for the request")
    assert "required 1 and short of 1 VM count of machine type tpu7x-standard-4t" in message
    reservation(patient, count=2, in_use=1)
    assert patient.cloud.ask("POST", path, {"nodePool": pool}).ok


def test_a_node_pool_takes_a_machine_of_its_reservation(equipped):
    path = "/compute/v1/projects/rehearsal-project/zones/us-central1-c/reservations/rehearsal-reservation"
    assert equipped.cloud.get(path)["specificReservation"]["inUseCount"] == "1"
    assert facts(equipped.findings("P7")) == [("ok", "the TPU nodes have their machines")]


@pytest.mark.parametrize(
    ("told", "fact"),
    [
        ({"status": "CREATING"}, "rehearsal-reservation has status CREATING"),
        (
            {"machine_type": "ct6e-standard-4t"},
            "rehearsal-reservation holds ct6e-standard-4t, not tpu7x-standard-4t",
        ),
        (
            {"missing": True},
            "project rehearsal-project has no reservation rehearsal-reservation in us-central1-c",
        ),
        (
            {"zone": "us-central1-ai1a"},
            "project rehearsal-project has no reservation rehearsal-reservation in us-central1-c;"
            " it is in us-central1-ai1a",
        ),
    ],
)
def test_a_reservation_that_does_not_do(patient, told, fact):
    reservation(patient, **told)
    assert facts(patient.findings("P7")) == [("failed", fact)]


def test_a_reservation_that_anybody_may_use_is_warned_about(patient):
    reservation(patient, specific=False)
    found = patient.finding("P7")
    assert found.verdict == "warning"
    assert "--require-specific-reservation" in found.remedy


AGGREGATE = "VM_FAMILY_CLOUD_TPU_POD_SLICE_TPU7X"


def test_an_aggregate_reservation_counts_chips(patient):
    reservation(patient, vm_family=AGGREGATE, count=8, in_use=4)
    assert facts(patient.findings("P7")) == [("ok", "rehearsal-reservation: 4 of 8 chips are free")]
    reservation(patient, vm_family=AGGREGATE, count=8, in_use=5)
    assert facts(patient.findings("P7")) == [
        ("failed", "rehearsal-reservation has 3 of 8 chips free, and 4 are needed")
    ]


def test_an_aggregate_reservation_of_another_family(patient):
    reservation(patient, vm_family="VM_FAMILY_CLOUD_TPU_POD_SLICE_CT6E", count=8)
    assert facts(patient.findings("P7")) == [
        (
            "failed",
            "rehearsal-reservation is of VM_FAMILY_CLOUD_TPU_POD_SLICE_CT6E,"
            " not of VM_FAMILY_CLOUD_TPU_POD_SLICE_TPU7X",
        )
    ]


def test_a_reservation_of_another_project_is_read_there(patient):
    shared = patient.with_settings("node_pool.reservation=projects/owner-project/reservations/team")
    assert shared.finding("P7").fact == "team: 16 of 16 machines are free"
    paths = [entry["path"] for entry in patient.cloud.logged(api="compute")]
    assert "/compute/v1/projects/owner-project/zones/us-central1-c/reservations/team" in paths


@pytest.mark.parametrize("capacity", ["on-demand", "spot", "flex-start"])
def test_without_a_reservation_the_quota_counts(patient, capacity):
    assert of_capacity(patient, capacity).finding("P7").fact == (
        f"the {capacity} quota in us-central1 is 64 chips, and 4 are needed"
    )


def test_a_quota_that_is_too_small(patient):
    patient.tell(quotas={"TPUS-PER-TPU-FAMILY-per-project-region": 0})
    found = of_capacity(patient, "on-demand").finding("P7")
    assert (found.verdict, found.fact) == (
        "failed",
        "the on-demand quota in us-central1 is 0 chips, and 4 are needed",
    )
    assert "https://console.cloud.google.com/iam-admin/quotas?project=rehearsal-project" in found.remedy
    assert of_capacity(patient, "spot").finding("P7").verdict == "ok"


def test_flex_start_may_spend_either_quota(patient):
    patient.tell(quotas={"PREEMPTIBLE-TPU7X-per-project-region": 0})
    assert of_capacity(patient, "spot").finding("P7").verdict == "failed"
    assert of_capacity(patient, "flex-start").finding("P7").verdict == "ok"


def test_a_quota_without_a_limit(patient):
    patient.tell(quotas={"TPUS-PER-TPU-FAMILY-per-project-region": -1})
    assert "is unlimited" in of_capacity(patient, "on-demand").finding("P7").fact


def test_quotas_that_cannot_be_read_are_no_fault_of_the_machines(patient):
    patient.tell(disabled_services=["cloudquotas.googleapis.com"])
    found = of_capacity(patient, "on-demand").finding("P7")
    assert found.verdict == "warning"
    assert found.fact.startswith("the quota cannot be read")
