"""A run outlives its token: it is renewed in time, once for all threads, for every service."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from runbook.clients.auth import LoggedInSession, Login, chosen, fresh
from runbook.clients.file_system import close_file_system, open_file_system
from runbook.clients.gke import Gke
from runbook.clients.kube.client import KubeClient
from runbook.clients.kube.connection import to_gke
from runbook.clients.storage import Storage
from runbook.config.infrastructure import Credentials
from runbook.engine.errors import CredentialsError
from tests.credentials.services import Gcloud, accepting, service
from tests.rehearsal.stand_in import CLUSTER, StandIn


def gclouds_login() -> Login:
    return chosen(Credentials(source="gcloud", impersonate=None, token_file=None), "http://127.0.0.1:9")


def test_a_token_that_ends_in_mid_run_is_renewed_before_it_is_refused(gcloud: Gcloud) -> None:
    gcloud.gives(usable=0.3)
    with service(accepting()) as api, LoggedInSession(gclouds_login()) as session:
        gke = Gke(session, api.url)
        deadline = time.monotonic() + 20
        while len(api.tokens) < 3:
            assert time.monotonic() < deadline
            gke.clusters("my-project")
            time.sleep(0.05)
    assert api.tokens == ["token-1", "token-2", "token-3"]
    assert len(gcloud.calls) == 3


def test_a_token_that_lasts_is_asked_for_once(gcloud: Gcloud) -> None:
    with service(accepting()) as api, LoggedInSession(gclouds_login()) as session:
        for _ in range(5):
            Gke(session, api.url).clusters("my-project")
    assert len(gcloud.calls) == 1


def test_threads_that_find_it_ended_renew_it_once(gcloud: Gcloud) -> None:
    login = gclouds_login()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(fresh, [login] * 8))
    assert (login.token, len(gcloud.calls)) == ("token-1", 1)


def test_a_token_that_is_revoked_is_renewed_and_the_request_sent_again(gcloud: Gcloud) -> None:
    with service(accepting("token-2")) as api, LoggedInSession(gclouds_login()) as session:
        assert Gke(session, api.url).clusters("my-project") == []
    assert api.tokens == ["token-1", "token-2"]
    assert len(gcloud.calls) == 2


def test_a_login_that_is_revoked_says_to_log_in_again(gcloud: Gcloud) -> None:
    gcloud.gives(token="revoked")
    with (
        service(accepting("another")) as api,
        LoggedInSession(gclouds_login()) as session,
        pytest.raises(CredentialsError) as caught,
    ):
        Gke(session, api.url).clusters("my-project")
    assert caught.value.remedy == "run `gcloud auth login`"
    assert "revoked" not in f"{caught.value.message} {caught.value.place}"


def test_a_token_file_that_others_renew_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("first")
    wanted = Credentials(source="token-file", impersonate=None, token_file=str(path))
    login = chosen(wanted, "http://127.0.0.1:9")
    fresh(login)
    path.write_text("second")
    assert login.expiry is not None
    login.expiry = login.expiry.replace(year=2020)
    fresh(login)
    assert login.token == "second"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    opened = StandIn(tmp_path_factory.mktemp("cloud") / ".rehearsal")
    opened.up()
    opened.create_cluster()
    yield opened
    opened.session.close()
    opened.down()


def test_one_object_serves_every_client(gcloud: Gcloud, cloud: StandIn, tmp_path: Path) -> None:
    gcloud.gives(token=cloud.token)
    login, google = gclouds_login(), cloud.endpoints["google"]
    with LoggedInSession(login) as session:
        assert Gke(session, google).cluster("demo-project", "us-central1", "demo")
        assert Storage(session, login, google, "demo-project").bucket("no-such-bucket") is None
    files = open_file_system(login, google, "demo-project")
    assert files.ls("") == []
    close_file_system(files)
    kube = KubeClient(
        to_gke(cloud.get(CLUSTER)["endpoint"], Path(cloud.endpoints["ca_file"]).read_text(), login), tmp_path
    )
    assert not kube.list("v1", "Pod", "default")
    assert len(gcloud.calls) == 1


def test_kubernetes_and_files_get_the_renewed_token_too(
    gcloud: Gcloud, cloud: StandIn, tmp_path: Path
) -> None:
    gcloud.gives(token=cloud.token, usable=-1)
    login = gclouds_login()
    kube = KubeClient(
        to_gke(cloud.get(CLUSTER)["endpoint"], Path(cloud.endpoints["ca_file"]).read_text(), login), tmp_path
    )
    files = open_file_system(login, cloud.endpoints["google"], "demo-project")
    for _ in range(2):
        kube.list("v1", "Pod", "default")
    after_kubernetes = len(gcloud.calls)
    files.ls("", refresh=True)
    close_file_system(files)
    assert after_kubernetes >= 2
    assert len(gcloud.calls) > after_kubernetes
