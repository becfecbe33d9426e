"""The guide's gcloud commands as printed, typed into the real gcloud: what they send (D1 to D7, D35)."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from runbook.clients import gke_requests
from runbook.clients.gke_requests import ClusterName
from tests.gke_requests.gcloud_recorder import Gcloud, recorded_gcloud

pytestmark = [
    pytest.mark.clients,
    pytest.mark.skipif(
        shutil.which("gcloud") is None,
        reason="gcloud is not on the PATH: what the guide's commands send cannot be shown",
    ),
]
CLUSTER = ClusterName("my-project", "us-central1", "demo")
UPDATE = ("gcloud", "container", "clusters", "update", "demo", "--location=us-central1")
PLACE = ("--project=my-project", "--location=us-central1")


@pytest.fixture(scope="module")
def gcloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gcloud]:
    with recorded_gcloud(tmp_path_factory.mktemp("gcloud")) as opened:
        yield opened


def refused(gcloud: Gcloud, argv: Sequence[str]) -> tuple[int, str]:
    ended = subprocess.run(
        argv, env=gcloud.environment, capture_output=True, text=True, timeout=120, check=False
    )
    return ended.returncode, ended.stderr


def test_d1_the_word_project_id_is_sent_as_it_stands(gcloud: Gcloud) -> None:
    typed = [*UPDATE, "--project=my-project", "--workload-pool=PROJECT_ID.svc.id.goog"]
    ((_, _, body),) = gcloud.sent(typed)
    identity = "desiredWorkloadIdentityConfig"
    assert body["update"][identity]["workloadPool"] == "PROJECT_ID.svc.id.goog"
    ours = gke_requests.enable_workload_identity(CLUSTER).body
    assert ours is not None
    assert ours["update"][identity]["workloadPool"] == "my-project.svc.id.goog"


def test_d2_without_a_project_the_configuration_decides_whose_cluster_is_changed(gcloud: Gcloud) -> None:
    elsewhere = Gcloud(gcloud.recorder, gcloud.environment | {"CLOUDSDK_CORE_PROJECT": "another-project"})
    typed = [*UPDATE, "--workload-pool=my-project.svc.id.goog"]
    ((_, path, _),) = elsewhere.sent(typed)
    assert path.startswith("/v1/projects/another-project/")
    ((_, path, _),) = elsewhere.sent(gke_requests.enable_workload_identity(CLUSTER).argv)
    assert path.startswith("/v1/projects/my-project/")


def test_d3_an_optional_reservation_that_is_left_empty_is_an_error(gcloud: Gcloud) -> None:
    create = ("gcloud", "container", "node-pools", "create", "tpus", "--cluster=demo", *PLACE)
    affinity = ("--reservation=", "--reservation-affinity=specific", "--machine-type=tpu7x-standard-4t")
    code, said = refused(gcloud, [*create, *affinity])
    assert code == 1
    assert "Must specify --reservation for --reservation-affinity=specific." in said


def test_d4_a_list_of_addons_switches_the_others_off(gcloud: Gcloud) -> None:
    create = ("gcloud", "container", "clusters", "create", "demo", *PLACE, "--num-nodes=1")
    ((_, _, body),) = gcloud.sent([*create, "--addons", "GcsFuseCsiDriver,HttpLoadBalancing"])
    assert body["cluster"]["addonsConfig"]["horizontalPodAutoscaling"] == {"disabled": True}


def test_d7_gcloud_takes_one_kind_of_update_at_a_time_but_several_addons(gcloud: Gcloud) -> None:
    code, said = refused(
        gcloud, [*UPDATE, *PLACE[:1], "--gateway-api=standard", "--workload-pool=a.svc.id.goog"]
    )
    assert code == 2, said
    addons = "--update-addons=HttpLoadBalancing=ENABLED,GcsFuseCsiDriver=ENABLED"
    ((_, _, body),) = gcloud.sent([*UPDATE, *PLACE[:1], addons])
    assert set(body["update"]) == {"desiredAddonsConfig"}
    assert {"httpLoadBalancing", "gcsFuseCsiDriverConfig"} <= set(body["update"]["desiredAddonsConfig"])


def test_d35_credentials_need_a_plug_in_that_nobody_asked_for(gcloud: Gcloud) -> None:
    typed = ["gcloud", "container", "clusters", "get-credentials", "demo", *PLACE]
    assert gcloud.sent(typed) == []
    written = Path(gcloud.environment["KUBECONFIG"]).read_text()
    assert "command: gke-gcloud-auth-plugin" in written
