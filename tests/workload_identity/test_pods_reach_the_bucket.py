"""Programs in Pods, with Google's own libraries, as far as the bucket's policy lets their ServiceAccount."""

from __future__ import annotations

import pytest

from rehearsal.projects import project_number
from tests.rehearsal.stand_in import StandIn, eventually
from tests.workload_identity.cluster import BUCKET, Cluster

POOL = (
    f"principal://iam.googleapis.com/projects/{project_number('demo-project')}/locations/global"
    "/workloadIdentityPools/demo-project.svc.id.goog"
)
ACCOUNT = f"{POOL}/subject/ns/default/sa/default"
CLIENT = f"""
import io
from google.auth import compute_engine
from google.cloud import exceptions, storage
client = storage.Client(project="any", credentials=compute_engine.Credentials())
bucket = client.bucket("{BUCKET}")
def write(name):
    bucket.blob(name, chunk_size=262144).upload_from_file(io.BytesIO(b"x" * 300000))
def said(call, *arguments):
    try:
        return call(*arguments) or "done"
    except exceptions.GoogleCloudError as error:
        told = error.response.json()["error"]["errors"][0]
        return f"{{error.code}} {{told['reason']}} {{told['message']}}"
"""
WRITE_AND_READ = CLIENT + 'write("written"); print(len(bucket.blob("written").download_as_bytes()))'


def denied(permission: str, thing: str = "object", who: str = ACCOUNT) -> str:
    return (
        f"403 forbidden {who} does not have {permission} access to the Google Cloud Storage {thing}."
        f" Permission '{permission}' denied on resource (or it may not exist).\n"
    )


def test_a_job_writes_and_reads_with_its_service_account(cluster: Cluster) -> None:
    cluster.grant("objectUser", ACCOUNT)
    assert cluster.run(WRITE_AND_READ) == "300000\nComplete"


def test_the_bytes_of_a_resumable_upload_come_over_its_session(cluster: Cluster) -> None:
    cluster.grant("objectUser", ACCOUNT)
    cluster.run(WRITE_AND_READ)
    begun = cluster.cloud.logged(api="storage", method="POST", status=200)
    assert any("uploadType=resumable" in entry["path"] for entry in begun)
    assert any("upload_id=" in entry["path"] for entry in cluster.cloud.logged(api="storage", method="PUT"))


def test_without_a_grant_it_is_refused_in_the_words_of_cloud_storage(cluster: Cluster) -> None:
    program = CLIENT + 'print(said(write, "written")); print(said(list, client.list_blobs(bucket)))'
    said = cluster.run(program)
    assert said == denied("storage.objects.create") + denied("storage.objects.list", "bucket") + "Complete"


TRY_ALL = (
    CLIENT
    + """
print("get", said(bucket.blob("there").download_as_bytes))
print("list", said(lambda: [blob.name for blob in client.list_blobs(bucket)]))
print("create", said(write, "new"))
print("replace", said(write, "there"))
print("delete", said(bucket.blob("there").delete))
"""
)
ALL = {"get", "list", "create", "replace", "delete"}


@pytest.mark.parametrize(
    ("role", "may"),
    [
        ("objectViewer", {"get", "list"}),
        ("objectCreator", {"create"}),
        ("objectUser", ALL),
        ("objectAdmin", ALL),
    ],
)
def test_a_role_gives_what_it_gives(cluster: Cluster, role: str, may: set[str]) -> None:
    upload = f"/upload/storage/v1/b/{BUCKET}/o?uploadType=media&name=there"
    assert cluster.cloud.ask("POST", upload, "content").ok
    cluster.cloud.ask("DELETE", f"/storage/v1/b/{BUCKET}/o/new")
    cluster.grant(role, ACCOUNT)
    said = cluster.run(TRY_ALL).splitlines()
    refused = {line.split()[0] for line in said[:5] if line.split()[1] == "403"}
    assert refused == ALL - may, said
    if role == "objectCreator":
        assert f"replace {denied('storage.objects.delete')}".strip() in said


def test_each_call_of_a_batch_is_judged(cluster: Cluster) -> None:
    cluster.grant("objectCreator", ACCOUNT)
    batch = """
write("new in a batch")
try:
    with client.batch():
        bucket.blob("new in a batch").delete()
except exceptions.GoogleCloudError as error:
    print(error.code)
"""
    assert cluster.run(CLIENT + batch) == "403\nComplete"


def test_a_program_may_ask_what_it_may_do(cluster: Cluster) -> None:
    cluster.grant("objectCreator", ACCOUNT)
    program = 'print(bucket.test_iam_permissions(["storage.objects.create", "storage.objects.delete"]))'
    assert cluster.run(CLIENT + program) == "['storage.objects.create']\nComplete"


@pytest.mark.parametrize(
    "member",
    [
        "principalSet://iam.googleapis.com/projects/{number}/locations/global/workloadIdentityPools"
        "/demo-project.svc.id.goog/namespace/default",
        "principalSet://iam.googleapis.com/projects/{number}/locations/global/workloadIdentityPools"
        "/demo-project.svc.id.goog/kubernetes.cluster/https://container.googleapis.com/v1/projects"
        "/demo-project/locations/us-central1/clusters/demo",
        "allUsers",
    ],
)
def test_a_grant_may_name_all_of_a_namespace_of_a_cluster_or_everyone(cluster: Cluster, member: str) -> None:
    cluster.grant("objectUser", member.format(number=project_number("demo-project")))
    assert cluster.run(WRITE_AND_READ) == "300000\nComplete"


def test_another_service_account_is_another_principal(cluster: Cluster) -> None:
    account = {"metadata": {"name": "other"}}
    cluster.ask("POST", "api/v1/namespaces/default/serviceaccounts", account)
    cluster.grant("objectUser", ACCOUNT)
    said = cluster.run(CLIENT + 'print(said(write, "written"))', serviceAccountName="other")
    assert said == denied("storage.objects.create", who=f"{POOL}/subject/ns/default/sa/other") + "Complete"


def test_on_the_network_of_its_node_a_pod_is_the_node(cluster: Cluster) -> None:
    node = f"{project_number('demo-project')}-compute@developer.gserviceaccount.com"
    said = cluster.run(CLIENT + 'print(said(write, "written"))', hostNetwork=True)
    assert said == denied("storage.objects.create", who=node) + "Complete"
    cluster.grant("objectUser", f"serviceAccount:{node}")
    assert cluster.run(WRITE_AND_READ, hostNetwork=True) == "300000\nComplete"


def test_application_default_credentials_find_the_account_and_the_project(cluster: Cluster) -> None:
    program = "import google.auth; c, p = google.auth.default(); print(type(c).__module__, p)"
    assert cluster.run(program) == "google.auth.compute_engine.credentials demo-project\nComplete"


OTHER_APIS = """
import os, requests
from google.auth import compute_engine
from google.auth.transport.requests import Request
credentials = compute_engine.Credentials()
credentials.refresh(Request())
for path in {paths}:
    headers = {{"Authorization": "Bearer " + credentials.token}}
    print(requests.get(os.environ["STORAGE_EMULATOR_HOST"] + path, headers=headers).status_code)
"""


def test_the_token_opens_nothing_but_buckets(cluster: Cluster) -> None:
    paths = [
        "/v1/projects/demo-project/locations/us-central1/clusters",
        "/v1/projects/demo-project",
        "/compute/v1/projects/demo-project/zones/us-central1-c/reservations",
        "/_rehearsal/status",
        "/storage/v1/b?project=demo-project",
        f"/storage/v1/b/{BUCKET}/iam",
    ]
    said = cluster.run(OTHER_APIS.format(paths=paths))
    assert said.split() == ["403"] * len(paths) + ["Complete"]


def test_a_token_that_nobody_gave_is_refused(cluster: Cluster) -> None:
    headers = {"Authorization": "Bearer ya29.rehearsal-pod-made-up"}
    url = f"{cluster.cloud.endpoints['google']}/storage/v1/b/{BUCKET}/o"
    assert cluster.cloud.session.get(url, headers=headers, timeout=30).status_code == 401
    assert cluster.cloud.session.get(url, timeout=30).status_code == 200


PRINT_WAYS = """
import os, time
wanted = {"HF_ENDPOINT", "STORAGE_EMULATOR_HOST", "GCE_METADATA_HOST"}
print(sorted(wanted - set(os.environ)), os.getpid(), flush=True)
time.sleep(100)
"""


def test_containers_that_run_again_after_a_kill_find_their_way(cluster: Cluster, stand_in: StandIn) -> None:
    job = cluster.start(PRINT_WAYS, retries=5, restartPolicy="OnFailure")
    eventually(lambda: cluster.log(job).startswith("[] "))
    before = cluster.log(job)
    stand_in.kill()
    stand_in.up()
    eventually(lambda: cluster.log(job) not in ("", before))
    assert cluster.log(job).startswith("[] ")
