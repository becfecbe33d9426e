"""GKE's clusters over REST: what they show, what is refused, and with which words."""

from typing import Any

import pytest

from tests.rehearsal.stand_in import CLUSTER, LOCATION, StandIn

POOL = {"name": "default-pool", "initialNodeCount": 1}


def message(stand_in: StandIn, method: str, path: str, body: Any = None) -> tuple[int, str]:
    answer = stand_in.ask(method, path, body)
    return answer.status_code, answer.json()["error"]["message"]


def update(stand_in: StandIn, **fields: Any) -> dict[str, Any]:
    return stand_in.wait(stand_in.ask("PUT", CLUSTER, {"update": fields}))


def test_a_new_cluster_has_the_defaults_of_gke(stand_in: StandIn) -> None:
    stand_in.create_cluster()
    cluster = stand_in.get(CLUSTER)
    assert cluster["status"] == "RUNNING"
    assert cluster["location"] == cluster["zone"] == "us-central1"
    assert cluster["locations"] == ["us-central1-a", "us-central1-b", "us-central1-c"]
    assert cluster["addonsConfig"]["httpLoadBalancing"] == {}
    assert "gcsFuseCsiDriverConfig" not in cluster["addonsConfig"]
    assert "gatewayApiConfig" not in cluster["networkConfig"]
    assert cluster["masterAuth"]["clusterCaCertificate"]
    assert cluster["currentNodeCount"] == 3
    (pool,) = cluster["nodePools"]
    assert pool["config"]["machineType"] == "e2-medium"
    assert pool["config"]["workloadMetadataConfig"] == {"mode": "GKE_METADATA"}
    assert pool["maxPodsConstraint"] == {"maxPodsPerNode": "110"}


def test_an_operation_names_its_target_by_project_number(stand_in: StandIn) -> None:
    body = {"cluster": {"name": "demo", "initialNodeCount": 1}}
    operation = stand_in.wait(stand_in.ask("POST", LOCATION + "/clusters", body))
    number = stand_in.get("/v1/projects/demo-project")["projectNumber"]
    assert operation["operationType"] == "CREATE_CLUSTER"
    assert operation["targetLink"].endswith(f"/projects/{number}/locations/us-central1/clusters/demo")
    assert operation["selfLink"].endswith(f"/operations/{operation['name']}")
    assert operation["startTime"] <= operation["endTime"]
    assert "error" not in operation


def test_clusters_are_listed_in_their_location_and_in_all(stand_in: StandIn) -> None:
    assert stand_in.get(LOCATION + "/clusters") == {}
    stand_in.create_cluster()
    everywhere = "/v1/projects/demo-project/locations/-/clusters"
    assert [cluster["name"] for cluster in stand_in.get(LOCATION + "/clusters")["clusters"]] == ["demo"]
    assert [cluster["name"] for cluster in stand_in.get(everywhere)["clusters"]] == ["demo"]
    assert stand_in.get("/v1/projects/demo-project/locations/europe-west4/clusters") == {}
    assert stand_in.get("/v1/projects/other/locations/-/clusters") == {}


def test_updates_switch_features_on_one_at_a_time(stand_in: StandIn) -> None:
    stand_in.create_cluster(workloadIdentityConfig={}, addonsConfig={"httpLoadBalancing": {"disabled": True}})
    cluster = stand_in.get(CLUSTER)
    assert cluster["addonsConfig"]["httpLoadBalancing"] == {"disabled": True}
    assert cluster["workloadIdentityConfig"] == {}
    update(stand_in, desiredWorkloadIdentityConfig={"workloadPool": "demo-project.svc.id.goog"})
    addons = {"httpLoadBalancing": {"disabled": False}, "gcsFuseCsiDriverConfig": {"enabled": True}}
    update(stand_in, desiredAddonsConfig=addons)
    update(stand_in, desiredGatewayApiConfig={"channel": "CHANNEL_STANDARD"})
    cluster = stand_in.get(CLUSTER)
    assert cluster["workloadIdentityConfig"]["workloadPool"] == "demo-project.svc.id.goog"
    assert cluster["addonsConfig"]["httpLoadBalancing"] == {}
    assert cluster["addonsConfig"]["gcsFuseCsiDriverConfig"] == {"enabled": True}
    assert cluster["addonsConfig"]["kubernetesDashboard"] == {"disabled": True}
    assert cluster["networkConfig"]["gatewayApiConfig"] == {"channel": "CHANNEL_STANDARD"}
    assert "workloadMetadataConfig" not in cluster["nodePools"][0]["config"]


def test_a_deleted_cluster_is_gone(stand_in: StandIn) -> None:
    stand_in.create_cluster()
    assert stand_in.wait(stand_in.ask("DELETE", CLUSTER))["operationType"] == "DELETE_CLUSTER"
    assert stand_in.ask("GET", CLUSTER).status_code == 404


def test_an_etag_guards_an_update(stand_in: StandIn) -> None:
    stand_in.create_cluster()
    fields = {"desiredGatewayApiConfig": {"channel": "CHANNEL_STANDARD"}}
    stale = stand_in.ask("PUT", CLUSTER, {"update": fields | {"etag": "0000"}})
    assert (stale.status_code, stale.json()["error"]["status"]) == (409, "ABORTED")
    update(stand_in, **fields, etag=stand_in.get(CLUSTER)["etag"])


def test_refusals_have_the_words_of_gke(shared_stand_in: StandIn) -> None:
    shared_stand_in.create_cluster()
    name = "projects/demo-project/locations/us-central1/clusters"
    missing = CLUSTER + "-missing"
    pool = {"desiredWorkloadIdentityConfig": {"workloadPool": "PROJECT_ID.svc.id.goog"}}
    two = {"desiredLocations": ["us-central1-c"], "desiredGatewayApiConfig": {"channel": "CHANNEL_STANDARD"}}
    clusters = LOCATION + "/clusters"
    for method, path, body, status, words in (
        ("GET", missing, None, 404, f"Not found: {name}/demo-missing."),
        ("DELETE", missing, None, 404, f"Not found: {name}/demo-missing."),
        ("POST", clusters, {"cluster": {"name": "demo", "nodePools": [POOL]}}, 409, f"{name}/demo."),
        ("PUT", CLUSTER, {"update": pool}, 400, '"demo-project.svc.id.goog"'),
        ("PUT", CLUSTER, {"update": two}, 400, "Exactly one update can be applied"),
        ("PUT", CLUSTER, {"update": {}}, 400, "Must specify a field to update."),
        ("PUT", CLUSTER, {"update": {"desiredDnsConfig": {}}}, 400, "does not emulate"),
        ("POST", clusters, {"cluster": {"name": "Demo", "nodePools": [POOL]}}, 400, "lowercase"),
        ("POST", clusters, {"cluster": {"name": "other"}}, 400, "initial_node_count must be greater"),
        ("POST", clusters.replace("us-central1", "us-central9"), {"cluster": {}}, 400, "does not exist"),
        ("GET", LOCATION + "/operations/operation-1", None, 404, "operations/operation-1."),
    ):
        assert message(shared_stand_in, method, path, body)[0] == status
        assert words in message(shared_stand_in, method, path, body)[1]


@pytest.mark.parametrize(
    ("cluster", "words"),
    [
        (
            {"colour": "red"},
            "Invalid JSON payload received. Unknown name \"colour\" at 'cluster': Cannot find field.",
        ),
        (
            {"nodePools": [{"config": {"machine": "x"}}]},
            "Unknown name \"machine\" at 'cluster.node_pools[0].config': Cannot find field.",
        ),
        (
            {"releaseChannel": {"channel": "FAST"}},
            "Invalid value at 'cluster.release_channel.channel'"
            ' (type.googleapis.com/google.container.v1.ReleaseChannel.Channel), "FAST"',
        ),
        ({"initialNodeCount": "one"}, "Invalid value at 'cluster.initial_node_count' (TYPE_INT32), \"one\""),
        ({"addonsConfig": "all"}, "(type.googleapis.com/google.container.v1.AddonsConfig)"),
        ({"name": ["a"]}, "Proto field is not repeating, cannot start list."),
    ],
)
def test_a_body_is_held_against_the_official_schema(
    shared_stand_in: StandIn, cluster: dict[str, Any], words: str
) -> None:
    answer = shared_stand_in.ask("POST", LOCATION + "/clusters", {"cluster": cluster})
    error = answer.json()["error"]
    assert (answer.status_code, error["status"]) == (400, "INVALID_ARGUMENT")
    assert words in error["message"]
    (violation,) = error["details"][0]["fieldViolations"]
    assert violation["description"] == error["message"]


def test_server_config_offers_versions_for_tpu7x(shared_stand_in: StandIn) -> None:
    config = shared_stand_in.get(LOCATION + "/serverConfig")
    assert config["defaultClusterVersion"] in config["validMasterVersions"]
    assert {channel["channel"] for channel in config["channels"]} >= {"RAPID", "REGULAR", "STABLE"}


def test_projects_services_permissions_and_machines_are_known(shared_stand_in: StandIn) -> None:
    project = "/v1/projects/demo-project"
    assert shared_stand_in.get(project)["lifecycleState"] == "ACTIVE"
    names = "names=projects/demo-project/services/container.googleapis.com"
    (service,) = shared_stand_in.get(f"{project}/services:batchGet?{names}")["services"]
    assert service["state"] == "ENABLED"
    permissions = {"permissions": ["container.clusters.get"]}
    answer = shared_stand_in.ask("POST", project + ":testIamPermissions", permissions)
    assert answer.json() == permissions
    compute = "/compute/v1/projects/demo-project/zones"
    assert shared_stand_in.get(f"{compute}/us-central1-c/reservations/mine")["status"] == "READY"
    assert shared_stand_in.get(f"{compute}/us-central1-c/machineTypes/tpu7x-standard-4t")["guestCpus"] == 224
    elsewhere = shared_stand_in.ask("GET", f"{compute}/us-central1-a/machineTypes/tpu7x-standard-4t")
    assert elsewhere.status_code == 404
