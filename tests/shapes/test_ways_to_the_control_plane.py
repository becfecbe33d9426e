"""Public address, DNS name, private address: the same three ways as gcloud's, from client and kubeconfig."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from runbook.clients.auth import rehearsed
from runbook.clients.kube.client import KubeClient
from runbook.clients.kube.connection import to_gke
from runbook.clients.kube.kubeconfig import Entry
from runbook.engine.errors import CredentialsError, RefusedError, RunbookError
from runbook.engine.outcome import Status
from tests.shapes.clouds import cluster_of, make_cluster
from tests.shapes.conftest import Shaped
from tests.steps_gke.workplace import Workplace

ENDPOINTS = {"ip": "127.0.0.1", "dns": "localhost", "private": "127.0.0.1"}
FLAGS = {"ip": [], "dns": ["--dns-endpoint"], "private": ["--internal-ip"]}


def kubeconfig_of(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = YAML(typ="safe").load(path.read_text())
    return found


def gclouds_kubeconfig(work: Workplace, folder: Path, *flags: str, **environ: str) -> dict[str, Any]:
    """Have the real gcloud write a kubeconfig from the stand-in."""
    name, project = work.variables.cluster.name, work.variables.project
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("CLOUDSDK_")},
        "HOME": str(folder),
        "KUBECONFIG": str(folder / "gclouds"),
        "CLOUDSDK_CONFIG": str(folder / "config"),
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
        "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE": work.cloud.endpoints["token_file"],
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_CONTAINER": f"{work.cloud.endpoints['google']}/",
        **environ,
    }
    done = subprocess.run(
        [
            *("gcloud", "container", "clusters", "get-credentials", name, *flags),
            *(f"--location={work.variables.cluster.location}", f"--project={project}"),
        ],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return kubeconfig_of(folder / "gclouds")


def test_a_public_address_is_what_a_new_cluster_has(shaped: Shaped) -> None:
    work = shaped()
    work.apply("gke.cluster")
    assert "publicEndpoint" in cluster_of(work)["controlPlaneEndpointsConfig"]["ipEndpointsConfig"]


def test_a_new_cluster_with_a_dns_endpoint_has_no_address(shaped: Shaped) -> None:
    work = shaped("cluster.endpoint=dns")
    (change,) = work.converges("gke.cluster")
    assert {"--enable-dns-access", "--no-enable-ip-access"} <= set(change.command)
    config = cluster_of(work)["controlPlaneEndpointsConfig"]
    assert config["dnsEndpointConfig"]["allowExternalTraffic"]
    assert "enabled" not in config["ipEndpointsConfig"]


def test_a_new_cluster_with_a_private_endpoint_has_private_nodes(shaped: Shaped) -> None:
    work = shaped("cluster.endpoint=private")
    work.converges("gke.cluster")
    found = cluster_of(work)
    assert found["networkConfig"]["defaultEnablePrivateNodes"]
    assert found["privateClusterConfig"]["enablePrivateEndpoint"]
    assert "publicEndpoint" not in found["controlPlaneEndpointsConfig"]["ipEndpointsConfig"]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_the_client_and_the_kubeconfig_take_the_chosen_way(
    shaped: Shaped, tmp_path: Path, endpoint: str
) -> None:
    work = shaped(f"cluster.endpoint={endpoint}", f"kube.kubeconfig={tmp_path / 'ours'}")
    work.apply("gke.cluster")
    (change,) = work.converges("kube.credentials")
    assert [flag for flag in change.command if flag in {"--dns-endpoint", "--internal-ip"}] == FLAGS[endpoint]
    (cluster,) = kubeconfig_of(tmp_path / "ours")["clusters"]
    assert cluster["cluster"]["server"].startswith(f"https://{ENDPOINTS[endpoint]}:")
    assert work.check("kube.credentials").status is Status.OK


@pytest.mark.clients
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_gcloud_writes_the_same_server_and_context(shaped: Shaped, tmp_path: Path, endpoint: str) -> None:
    if shutil.which("gcloud") is None:
        pytest.skip("gcloud is not on the PATH: its kubeconfig cannot be compared with ours")
    work = shaped(f"cluster.endpoint={endpoint}", f"kube.kubeconfig={tmp_path / 'ours'}")
    work.apply("gke.cluster", "kube.credentials")
    ours = kubeconfig_of(tmp_path / "ours")
    theirs = gclouds_kubeconfig(work, tmp_path, *FLAGS[endpoint])
    assert ours["current-context"] == theirs["current-context"]
    assert ours["contexts"] == theirs["contexts"]
    own_authority = {} if endpoint != "dns" else {"certificate-authority-data"}
    (our_cluster,), (their_cluster,) = ours["clusters"], theirs["clusters"]
    assert {key: value for key, value in our_cluster["cluster"].items() if key not in own_authority} == (
        their_cluster["cluster"]
    )


@pytest.mark.clients
@pytest.mark.parametrize(
    ("environ", "flags"),
    [
        ({}, ()),
        (
            {"CLOUDSDK_CONTAINER_USE_APPLICATION_DEFAULT_CREDENTIALS": "true"},
            ("--use_application_default_credentials",),
        ),
    ],
)
def test_gcloud_writes_the_same_login_of_the_plug_in(
    shaped: Shaped, tmp_path: Path, environ: dict[str, str], flags: tuple[str, ...]
) -> None:
    if shutil.which("gcloud") is None:
        pytest.skip("gcloud is not on the PATH: its kubeconfig cannot be compared with ours")
    work = shaped()
    make_cluster(work)
    (theirs,) = gclouds_kubeconfig(work, tmp_path, **environ)["users"]
    ours = Entry(theirs["name"], "https://192.0.2.1", "PEM", None, flags).sections()["users"]
    assert ours == theirs


def test_a_dns_endpoints_certificate_is_a_public_one() -> None:
    entry = Entry("demo", "https://gke-1234.us-central1.gke.goog", None, None)
    assert entry.sections()["clusters"]["cluster"] == {"server": "https://gke-1234.us-central1.gke.goog"}


def test_kubectl_asks_in_the_name_of_the_runbook() -> None:
    entry = Entry("demo", "https://192.0.2.1", "PEM", None, ("--impersonate_service_account=robot",))
    sections = entry.sections()
    assert sections["users"]["user"]["exec"]["args"] == ["--impersonate_service_account=robot"]
    assert base64.b64decode(sections["clusters"]["cluster"]["certificate-authority-data"]) == b"PEM"


def test_a_dns_endpoint_that_is_closed_says_how_to_open_it(shaped: Shaped, tmp_path: Path) -> None:
    work = shaped("cluster.endpoint=dns", f"kube.kubeconfig={tmp_path / 'ours'}")
    make_cluster(work)
    error = work.checked_without_a_write("kube.credentials").error
    name = work.variables.cluster.name
    assert isinstance(error, RefusedError)
    assert error.message == f"cluster {name} takes no traffic by its DNS endpoint"
    assert f"gcloud container clusters update {name} --enable-dns-access --project=demo-project" in str(
        error.remedy
    )


def test_where_addresses_are_off_the_dns_endpoint_is_taken_as_gcloud_does(
    shaped: Shaped, tmp_path: Path
) -> None:
    make_cluster(
        shaped(),
        controlPlaneEndpointsConfig={
            "dnsEndpointConfig": {"allowExternalTraffic": True},
            "ipEndpointsConfig": {"enabled": False},
        },
    )
    work = shaped(f"kube.kubeconfig={tmp_path / 'ours'}")
    assert work.apply("kube.credentials").status is Status.CHANGED
    (cluster,) = kubeconfig_of(tmp_path / "ours")["clusters"]
    assert cluster["cluster"]["server"].startswith("https://localhost:")


def test_a_dns_endpoint_is_trusted_as_googles_other_services_are(
    shaped: Shaped, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = shaped("cluster.endpoint=dns")
    work.apply("gke.cluster")
    endpoints = work.cloud.endpoints
    login = rehearsed(Path(endpoints["token_file"]))
    name = cluster_of(work)["controlPlaneEndpointsConfig"]["dnsEndpointConfig"]["endpoint"]
    with pytest.raises(RunbookError, match="certificate"):
        KubeClient(to_gke(name, None, login), tmp_path).list("v1", "Pod", "default")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", endpoints["ca_file"])
    assert KubeClient(to_gke(name, None, login), tmp_path).list("v1", "Pod", "default") == []


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl, which names the files, is not here")
def test_a_dns_endpoint_is_trusted_by_a_folder_of_authorities_too(
    shaped: Shaped, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = shaped("cluster.endpoint=dns")
    work.apply("gke.cluster")
    endpoints = work.cloud.endpoints
    name = cluster_of(work)["controlPlaneEndpointsConfig"]["dnsEndpointConfig"]["endpoint"]
    folder = rehashed(Path(endpoints["ca_file"]), tmp_path / "authorities")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(folder))
    access = to_gke(name, None, rehearsed(Path(endpoints["token_file"])))
    assert KubeClient(access, tmp_path).list("v1", "Pod", "default") == []


def rehashed(authority: Path, folder: Path) -> Path:
    """Make a folder of authorities as OpenSSL looks into it."""
    command = ["openssl", "x509", "-noout", "-hash", "-in", str(authority)]
    name = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    folder.mkdir()
    shutil.copy(authority, folder / f"{name}.0")
    return folder


def test_a_bundle_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "missing.pem"))
    with pytest.raises(CredentialsError, match="authority cannot be read") as refused:
        to_gke("gke.example.com", None, None)
    assert str(refused.value.place).endswith("missing.pem")
