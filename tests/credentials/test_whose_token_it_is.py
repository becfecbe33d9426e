"""`credentials.*` chooses where tokens come from; each choice that fails says what to run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from runbook.clients.auth import LoggedInSession, chosen
from runbook.clients.gke import Gke
from runbook.clients.google_errors import of_status
from runbook.clients.kube.failures import of_answer
from runbook.config.infrastructure import Credentials
from runbook.engine.errors import CredentialsError, PassingError, Place, RunbookError
from tests.credentials.services import Answer, Gcloud, accepting, in_an_hour, refusing, service

ROBOT = "runbook@my-project.iam.gserviceaccount.com"
PROJECT = "my-project"


def credentials(**wanted: Any) -> Credentials:
    return Credentials(**({"source": "gcloud", "impersonate": None, "token_file": None} | wanted))


def ask(url: str, wanted: Credentials, iam: str = "http://127.0.0.1:9") -> list[dict[str, Any]]:
    """Ask a GKE API for clusters, as the steps do."""
    with LoggedInSession(chosen(wanted, iam)) as session:
        return Gke(session, url).clusters(PROJECT)


def refusal(url: str, wanted: Credentials, iam: str = "http://127.0.0.1:9") -> RunbookError:
    with pytest.raises(RunbookError) as caught:
        ask(url, wanted, iam)
    return caught.value


def key_file(folder: Path, token_uri: str) -> Path:
    """Write a service account's key, whose tokens come from `token_uri`."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    path = folder / "key.json"
    content = {"type": "service_account", "client_email": ROBOT, "private_key": text, "token_uri": token_uri}
    path.write_text(json.dumps(content | {"project_id": PROJECT}))
    return path


def test_gclouds_login_is_the_default(gcloud: Gcloud) -> None:
    with service(accepting("token-1")) as api:
        assert ask(api.url, credentials()) == []
    assert gcloud.calls == [["config", "config-helper", "--format=json", "--min-expiry=10m"]]


def test_a_token_never_stands_in_an_argument(gcloud: Gcloud) -> None:
    with service(accepting()) as api:
        ask(api.url, credentials())
    assert not any("token-1" in argument for call in gcloud.calls for argument in call)


@pytest.mark.parametrize(
    "said",
    [
        "You do not currently have an active account selected.",
        "There was a problem refreshing your current auth tokens: Reauthentication failed.",
    ],
)
def test_a_login_that_is_missing_or_has_expired_says_to_log_in(gcloud: Gcloud, said: str) -> None:
    gcloud.fails(f"ERROR: (gcloud.config.config-helper) {said}\nPlease run:\n\n  $ gcloud auth login\n")
    error = refusal("http://127.0.0.1:9", credentials())
    assert isinstance(error, CredentialsError)
    assert (error.message, error.remedy) == (said.rstrip("."), "run `gcloud auth login`")


def test_a_token_file_is_used_where_it_is_chosen(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-a-file\n")
    with service(accepting("from-a-file")) as api:
        assert ask(api.url, credentials(source="token-file", token_file=str(tmp_path / "token"))) == []


def test_a_token_file_that_is_missing_says_how_to_write_it(tmp_path: Path) -> None:
    path = tmp_path / "token"
    error = refusal("http://127.0.0.1:9", credentials(source="token-file", token_file=str(path)))
    assert error.message == "the token file cannot be read: No such file or directory"
    assert f"gcloud auth print-access-token > {path}" in str(error.remedy)


def test_application_default_credentials_are_used_where_they_are_chosen(
    gcloud: Gcloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    granted = {"access_token": "of-the-key", "expires_in": 3600, "token_type": "Bearer"}
    with service(lambda *_: (200, granted)) as oauth, service(accepting("of-the-key")) as api:
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(key_file(tmp_path, oauth.url)))
        assert ask(api.url, credentials(source="application-default")) == []
    assert gcloud.calls == []


def test_without_application_default_credentials_it_says_how_to_make_them() -> None:
    error = refusal("http://127.0.0.1:9", credentials(source="application-default"))
    assert isinstance(error, CredentialsError)
    assert error.remedy == "run `gcloud auth application-default login`"


def test_a_key_that_is_refused_names_the_variable_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
    with service(lambda *_: (400, refused)) as oauth:
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(key_file(tmp_path, oauth.url)))
        error = refusal("http://127.0.0.1:9", credentials(source="application-default"))
    assert "Invalid JWT Signature" in error.message
    assert error.remedy == "mend or unset GOOGLE_APPLICATION_CREDENTIALS"


def generate_access_token(method: str, path: str, token: str) -> Answer:
    """Answer as the IAM Service Account Credentials API does to token-1."""
    assert (method, path) == ("POST", f"/v1/projects/-/serviceAccounts/{ROBOT}:generateAccessToken")
    if token != "token-1":
        return refusing(401, "Request had invalid authentication credentials.")(method, path, token)
    return 200, {"accessToken": "of-the-robot", "expireTime": in_an_hour()}


@pytest.mark.usefixtures("gcloud")
def test_a_service_account_is_impersonated_with_the_logins_token() -> None:
    with service(generate_access_token) as iam, service(accepting("of-the-robot")) as api:
        assert ask(api.url, credentials(impersonate=ROBOT), iam.url) == []
    assert iam.tokens == ["token-1"]
    assert api.tokens == ["of-the-robot"]


@pytest.mark.usefixtures("gcloud")
def test_who_may_not_impersonate_is_told_which_grant_is_missing() -> None:
    denied = "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist)."
    with service(refusing(403, denied)) as iam:
        error = refusal("http://127.0.0.1:9", credentials(impersonate=ROBOT), iam.url)
    assert isinstance(error, CredentialsError)
    assert "iam.serviceAccounts.getAccessToken" in error.message
    assert error.remedy == (
        f"have run `gcloud iam service-accounts add-iam-policy-binding {ROBOT} "
        "--member=user:YOUR_ACCOUNT --role=roles/iam.serviceAccountTokenCreator`"
    )


@pytest.mark.usefixtures("gcloud")
def test_a_login_server_that_is_not_reached_may_come_back() -> None:
    error = refusal("http://127.0.0.1:9", credentials(impersonate=ROBOT), "http://127.0.0.1:9")
    assert isinstance(error, PassingError)


MISSING = [
    ('Required "container.clusters.create" permission(s) for "projects/my-project".', "container.admin"),
    ("Permission 'serviceusage.services.get' denied.", "serviceusage.serviceUsageConsumer"),
    ("The user does not have access to service account: iam.serviceAccounts.actAs", "iam.serviceAccountUser"),
]


@pytest.mark.usefixtures("gcloud")
@pytest.mark.parametrize(("message", "role"), MISSING)
def test_a_permission_that_is_missing_is_named_with_the_command_that_grants_it(
    message: str, role: str
) -> None:
    with service(refusing(403, message)) as api:
        error = refusal(api.url, credentials())
    assert isinstance(error, CredentialsError)
    assert (
        f"gcloud projects add-iam-policy-binding {PROJECT} --member=user:YOUR_ACCOUNT --role=roles/{role}`"
        in str(error.remedy)
    )


def test_a_permission_on_a_bucket_is_granted_there() -> None:
    error = of_status(
        403,
        "Permission 'storage.objects.create' denied on resource (or it may not exist).",
        place=Place("POST https://storage.googleapis.com/storage/v1/b/models/o"),
        supplied_by="storage.bucket",
    )
    assert error.remedy == (
        "storage.objects.create is missing: have an owner run `gcloud storage buckets add-iam-policy-binding "
        "gs://models --member=user:YOUR_ACCOUNT --role=roles/storage.objectAdmin`"
    )


def test_a_permission_inside_the_cluster_is_named_too() -> None:
    said = (
        'pods is forbidden: User "a" cannot list resource "pods" in API group "" in the namespace "default": '
        'requires one of ["container.pods.list"] permission(s).'
    )
    error = of_answer(403, json.dumps({"kind": "Status", "message": said}), Place("GET /api/v1/pods"))
    assert isinstance(error, CredentialsError)
    assert error.remedy == (
        "container.pods.list is missing: have an owner run `gcloud projects add-iam-policy-binding PROJECT "
        "--member=user:YOUR_ACCOUNT --role=roles/container.developer`"
    )


@pytest.mark.usefixtures("gcloud")
def test_a_refusal_that_names_no_permission_says_to_ask() -> None:
    with service(refusing(403, "Forbidden.")) as api:
        assert refusal(api.url, credentials()).remedy == "ask for the permission that the message names"
