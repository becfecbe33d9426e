"""Where tokens come from, and which way requests go."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from runbook.clients.connections import Connections
from runbook.clients.tokens import GcloudLogin
from runbook.clients.transport import plain_session
from runbook.engine.errors import CredentialsError, UserError
from tests.rehearsal.stand_in import StandIn
from tests.steps_gke.workplace import variables_with


@pytest.fixture
def own_gcloud(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if shutil.which("gcloud") is None:
        pytest.skip("gcloud is not on the PATH: its login cannot be tried")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path / "gcloud"))
    monkeypatch.setenv("CLOUDSDK_CORE_DISABLE_PROMPTS", "1")


@pytest.mark.clients
@pytest.mark.usefixtures("own_gcloud")
def test_gclouds_login_gives_the_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-gcloud")
    monkeypatch.setenv("CLOUDSDK_AUTH_ACCESS_TOKEN_FILE", str(tmp_path / "token"))
    login = GcloudLogin()
    login.refresh(None)
    assert (login.token, login.valid) == ("from-gcloud", True)


@pytest.mark.clients
@pytest.mark.usefixtures("own_gcloud")
def test_without_a_login_the_remedy_is_to_log_in() -> None:
    with pytest.raises(CredentialsError) as caught:
        GcloudLogin().refresh(None)
    assert caught.value.message == "You do not currently have an active account selected"
    assert caught.value.remedy == "run `gcloud auth login`"


def test_without_gcloud_the_remedy_is_to_install_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CredentialsError) as caught:
        GcloudLogin().refresh(None)
    assert "install" in str(caught.value.remedy)


def test_without_a_stand_in_the_remedy_is_to_start_it(tmp_path: Path) -> None:
    connections = Connections(variables_with(), tmp_path)
    with pytest.raises(UserError, match="not up"):
        connections.gke.clusters("demo-project")
    connections.close()


def test_the_stand_in_is_reached_past_any_proxy(
    cloud: StandIn, connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert connections.gke.clusters("demo-project") == []
    assert connections.storage.bucket("no-such-bucket") is None
    assert connections.hub.model("rehearsal/gpt-oss-tiny", "main").files
    assert connections.file_system.ls("") == []


@pytest.fixture
def proxy() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(f"by way of the proxy: {self.path}".encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_what_is_far_away_goes_by_way_of_the_proxy(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", proxy)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with plain_session() as session:
        assert session.get("http://hub.example/x").text == "by way of the proxy: http://hub.example/x"
