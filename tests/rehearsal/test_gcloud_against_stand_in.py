"""The guide's own commands, typed into the real gcloud."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.rehearsal.stand_in import CLUSTER, StandIn

pytestmark = [
    pytest.mark.clients,
    pytest.mark.skipif(shutil.which("gcloud") is None, reason="gcloud is not on this machine"),
]
PLACE = ("--project=demo-project", "--location=us-central1")
TPU = ("--node-locations=us-central1-c", "--machine-type=tpu7x-standard-4t", "--cluster=demo")
CREATE = (
    "clusters",
    "create",
    "demo",
    "--workload-pool=demo-project.svc.id.goog",
    "--release-channel=rapid",
    "--num-nodes=1",
    "--gateway-api=standard",
    "--addons=GcsFuseCsiDriver,HttpLoadBalancing",
)


class Gcloud:
    """The real gcloud, pointed at a stand-in, with a configuration of its own."""

    def __init__(self, stand_in: StandIn, folder: Path) -> None:
        google = stand_in.endpoints["google"] + "/"
        self.kubeconfig = folder / "kubeconfig"
        self._environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "KUBECONFIG": str(self.kubeconfig),
            "CLOUDSDK_CONFIG": str(folder / "gcloud"),
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_CONTAINER": google,
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_SERVICEUSAGE": google,
            "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE": stand_in.endpoints["token_file"],
            "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
            "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "1",
            "CLOUDSDK_CORE_DISABLE_FILE_LOGGING": "1",
        }

    def fails(self, *words: str) -> str:
        """Run `gcloud container WORDS` that must fail, and return what it says."""
        ended = self._run(*words)
        assert ended.returncode != 0, ended.stdout
        return ended.stderr

    def says(self, *words: str) -> str:
        """Run `gcloud container WORDS` that must succeed, and return what it says."""
        ended = self._run(*words)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def answers(self, *words: str) -> Any:
        """Run `gcloud container WORDS --format=json` and return what it prints."""
        return json.loads(self.says(*words, "--format=json"))

    def kubectl(self, *words: str) -> Any:
        """Run the real kubectl with the credentials that gcloud wrote, and return what it prints as JSON."""
        ended = subprocess.run(
            ["kubectl", *words, "--output=json"],
            env=self._environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)

    def _run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["gcloud", "container", *words, *PLACE],
            env=self._environ,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def gcloud(stand_in: StandIn, tmp_path: Path) -> Gcloud:
    return Gcloud(stand_in, tmp_path)


@pytest.mark.slow
def test_the_guide_with_a_new_cluster(stand_in: StandIn, gcloud: Gcloud) -> None:
    gcloud.says(*CREATE)
    reservation = ("--reservation=mine", "--reservation-affinity=specific", "--num-nodes=1")
    gcloud.says("node-pools", "create", "tpu", *TPU, *reservation)
    cluster = gcloud.answers("clusters", "describe", "demo")
    assert cluster["networkConfig"]["gatewayApiConfig"]["channel"] == "CHANNEL_STANDARD"
    assert cluster["addonsConfig"]["horizontalPodAutoscaling"] == {"disabled": True}
    assert cluster["releaseChannel"] == {"channel": "RAPID"}
    pool = gcloud.answers("node-pools", "describe", "tpu", "--cluster=demo")
    assert pool["config"]["reservationAffinity"]["values"] == ["mine"]
    assert [entry["name"] for entry in gcloud.answers("clusters", "list")] == ["demo"]
    gcloud.says("clusters", "get-credentials", "demo")
    assert cluster["endpoint"] in gcloud.kubeconfig.read_text()
    assert "gke_demo-project_us-central1_demo" in gcloud.kubeconfig.read_text()
    gcloud.says("node-pools", "delete", "tpu", "--cluster=demo")
    gcloud.says("clusters", "delete", "demo")
    assert stand_in.ask("GET", CLUSTER).status_code == 404


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not on this machine")
def test_the_nodes_of_a_tpu_pool_are_like_those_of_gke(stand_in: StandIn, gcloud: Gcloud) -> None:
    stand_in.create_cluster()
    gcloud.says("node-pools", "create", "tpu", *TPU, "--num-nodes=1", "--node-labels=team=serving")
    gcloud.says("clusters", "get-credentials", "demo")
    selector = "cloud.google.com/gke-tpu-accelerator=tpu7x,cloud.google.com/gke-tpu-topology=2x2x1"
    (node,) = gcloud.kubectl("get", "nodes", f"--selector={selector}")["items"]
    wanted = {
        "cloud.google.com/gke-accelerator-count": "4",
        "cloud.google.com/gke-nodepool": "tpu",
        "iam.gke.io/gke-metadata-server-enabled": "true",
        "node.kubernetes.io/instance-type": "tpu7x-standard-4t",
        "team": "serving",
        "topology.kubernetes.io/region": "us-central1",
        "topology.kubernetes.io/zone": "us-central1-c",
    }
    assert wanted.items() <= node["metadata"]["labels"].items()
    assert {"key": "google.com/tpu", "value": "present", "effect": "NoSchedule"} in node["spec"]["taints"]
    assert node["status"]["capacity"]["google.com/tpu"] == "4"
    gcloud.says("node-pools", "update", "tpu", "--cluster=demo", "--workload-metadata=GCE_METADATA")
    (made_anew,) = gcloud.kubectl("get", "nodes", f"--selector={selector}")["items"]
    assert made_anew["metadata"]["name"] != node["metadata"]["name"]
    assert "iam.gke.io/gke-metadata-server-enabled" not in made_anew["metadata"]["labels"]
    gcloud.says("node-pools", "delete", "tpu", "--cluster=demo")
    assert len(gcloud.kubectl("get", "nodes")["items"]) == 3


@pytest.mark.slow
def test_the_guide_with_an_existing_cluster(stand_in: StandIn, gcloud: Gcloud) -> None:
    names = {"project": "demo-project", "cluster": "demo", "node_pool": "tpu"}
    stand_in.control("POST", "scenarios/existing-cluster", names)
    assert "PROJECT_ID.svc.id.goog" in gcloud.fails(
        "clusters", "update", "demo", "--workload-pool=PROJECT_ID.svc.id.goog"
    )
    gcloud.says("clusters", "update", "demo", "--workload-pool=demo-project.svc.id.goog")
    gcloud.says("node-pools", "update", "tpu", "--cluster=demo", "--workload-metadata=GKE_METADATA")
    gcloud.says("clusters", "update", "demo", "--update-addons=HttpLoadBalancing=ENABLED")
    gcloud.says("clusters", "update", "demo", "--gateway-api=standard")
    gcloud.says("clusters", "update", "demo", "--update-addons=GcsFuseCsiDriver=ENABLED")
    cluster = stand_in.get(CLUSTER)
    assert cluster["workloadIdentityConfig"]["workloadPool"] == "demo-project.svc.id.goog"
    assert cluster["addonsConfig"]["httpLoadBalancing"] == {}
    assert cluster["addonsConfig"]["gcsFuseCsiDriverConfig"] == {"enabled": True}
    assert cluster["networkConfig"]["gatewayApiConfig"] == {"channel": "CHANNEL_STANDARD"}
    assert cluster["nodePools"][1]["config"]["workloadMetadataConfig"] == {"mode": "GKE_METADATA"}


@pytest.mark.slow
def test_the_other_ways_to_capacity(stand_in: StandIn, gcloud: Gcloud) -> None:
    stand_in.create_cluster()
    gcloud.says("node-pools", "create", "spot", *TPU, "--spot", "--num-nodes=1")
    flex = ("--flex-start", "--enable-autoscaling", "--num-nodes=0", "--min-nodes=0", "--max-nodes=1")
    gcloud.says("node-pools", "create", "flex", *TPU, "--reservation-affinity=none", *flex)
    pools = {pool["name"]: pool for pool in gcloud.answers("node-pools", "list", "--cluster=demo")}
    assert pools["spot"]["config"]["spot"] is True
    assert pools["flex"]["autoscaling"] == {"enabled": True, "maxNodeCount": 1}


def test_gcloud_shows_refusals_and_failed_operations(stand_in: StandIn, gcloud: Gcloud) -> None:
    assert "Not found: projects/demo-project" in gcloud.fails("clusters", "describe", "demo")
    stand_in.create_cluster()
    assert "Already exists: projects/demo-project" in gcloud.fails(*CREATE)
    topology = gcloud.fails("node-pools", "create", "tpu", *TPU, "--tpu-topology=2x2x1")
    assert "TPU topology can't be specified with single-host TPU slice pool" in topology
    names = {"project": "demo-project", "cluster": "demo", "node_pool": "tpu"}
    stand_in.control("POST", "scenarios/stockout", names)
    failed = gcloud.fails("node-pools", "create", "tpu", *TPU, "--num-nodes=1")
    assert "finished with error" in failed
    assert "GCE_STOCKOUT" in failed
