"""What GKE's metadata server says to a Pod's programs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from rehearsal.projects import project_number
from tests.rehearsal.stand_in import CLUSTER, LOCATION, StandIn, eventually
from tests.workload_identity.cluster import Cluster

FLAVOR = {"Metadata-Flavor": "Google"}
ACCOUNTS = "instance/service-accounts/"
NUMBER = project_number("demo-project")
WAIT = "import os, time; print(os.environ['GCE_METADATA_HOST'], flush=True); time.sleep(100)"


class Metadata:
    """The metadata server as one Pod sees it."""

    def __init__(self, cluster: Cluster) -> None:
        job = cluster.start(WAIT)
        eventually(lambda: cluster.log(job) != "")
        self.host = cluster.log(job).strip()
        self.cloud = cluster.cloud

    def get(self, path: str) -> requests.Response:
        url = f"http://{self.host}/computeMetadata/v1/{path}"
        return self.cloud.session.get(url, headers=FLAVOR, timeout=30)


@pytest.fixture
def metadata(cluster: Cluster) -> Metadata:
    return Metadata(cluster)


def test_it_names_the_account_and_the_project(metadata: Metadata) -> None:
    said = {
        "": "instance/\nproject/\n",
        "project/project-id": "demo-project",
        "project/numeric-project-id": NUMBER,
        ACCOUNTS: "default/\ndemo-project.svc.id.goog/\n",
        ACCOUNTS + "default/email": "demo-project.svc.id.goog",
        ACCOUNTS + "demo-project.svc.id.goog/email": "demo-project.svc.id.goog",
    }
    assert {path: metadata.get(path).text for path in said} == said
    account = metadata.get(ACCOUNTS + "default/?recursive=true").json()
    assert account["aliases"] == ["default"]
    assert account["email"] == "demo-project.svc.id.goog"
    assert "https://www.googleapis.com/auth/cloud-platform" in account["scopes"]


def test_it_gives_a_token_that_is_good_for_an_hour_and_the_same_again(metadata: Metadata) -> None:
    token = metadata.get(ACCOUNTS + "default/token").json()
    assert set(token) == {"access_token", "expires_in", "token_type"}
    assert token["token_type"] == "Bearer"
    assert 3500 < token["expires_in"] <= 3600
    assert metadata.get(ACCOUNTS + "default/token").json()["access_token"] == token["access_token"]
    assert token["access_token"] != metadata.cloud.token


def test_it_asks_for_its_header_and_returns_it(metadata: Metadata) -> None:
    assert metadata.get("").headers["Metadata-Flavor"] == "Google"
    url = f"http://{metadata.host}/computeMetadata/v1/{ACCOUNTS}default/token"
    refused = metadata.cloud.session.get(url, timeout=30)
    assert (refused.status_code, "access_token" in refused.text) == (403, False)
    assert "Metadata-Flavor" in refused.text


def test_what_it_does_not_have_is_not_found(metadata: Metadata) -> None:
    for path in ("instance/disks/", ACCOUNTS + "other/token", ACCOUNTS + "default/identity?audience=x"):
        assert metadata.get(path).status_code == 404
    metadata.host = metadata.host.rpartition("/")[0] + "/no-such-pod"
    assert metadata.get("").status_code == 404


def test_its_requests_are_in_the_list_and_may_fail_as_told(metadata: Metadata) -> None:
    metadata.cloud.control("POST", "faults", {"api": "metadata", "status": 503, "times": 1})
    assert metadata.get("project/project-id").status_code == 503
    assert metadata.get("project/project-id").status_code == 200
    asked = [
        entry
        for entry in metadata.cloud.logged(api="metadata")
        if metadata.host.split("/")[-1] in entry["path"]
    ]
    assert [entry["status"] for entry in asked] == [503, 200]


@pytest.fixture
def plain_cluster(stand_in: StandIn) -> Iterator[Cluster]:
    """Give a second cluster, without Workload Identity."""
    pools = [{"name": "default-pool", "initialNodeCount": 1}]
    stand_in.wait(
        stand_in.ask("POST", LOCATION + "/clusters", {"cluster": {"name": "plain", "nodePools": pools}})
    )
    with Cluster(
        stand_in, CLUSTER.replace("demo", "plain").replace("plain-project", "demo-project")
    ) as client:
        yield client


def test_without_workload_identity_a_pod_is_its_node(plain_cluster: Cluster) -> None:
    metadata = Metadata(plain_cluster)
    node = f"{NUMBER}-compute@developer.gserviceaccount.com"
    assert metadata.get(ACCOUNTS + "default/email").text == node


def test_a_service_account_may_stand_for_one_of_google(cluster: Cluster) -> None:
    linked = "loader@demo-project.iam.gserviceaccount.com"
    annotations = {"iam.gke.io/gcp-service-account": linked}
    account = {"metadata": {"name": "linked", "annotations": annotations}}
    cluster.ask("POST", "api/v1/namespaces/default/serviceaccounts", account)
    program = (
        "import os, requests; print(requests.get('http://' + os.environ['GCE_METADATA_HOST'] +"
        " '/computeMetadata/v1/instance/service-accounts/default/email',"
        " headers={'Metadata-Flavor': 'Google'}).text)"
    )
    assert cluster.run(program, serviceAccountName="linked") == f"{linked}\nComplete"


def test_its_token_is_no_login_at_the_cluster(metadata: Metadata, cluster: Cluster) -> None:
    token = metadata.get(ACCOUNTS + "default/token").json()["access_token"]
    url, headers = f"{cluster.server}/api/v1/namespaces/default/pods", {"Authorization": f"Bearer {token}"}
    answer = cluster.session.get(url, headers=headers, timeout=30)
    assert (answer.status_code, answer.json()["reason"]) == (403, "Forbidden")
