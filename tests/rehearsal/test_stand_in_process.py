"""The stand-in as a background process."""

import json
import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

from tests.rehearsal.stand_in import CLUSTER, StandIn


def test_up_publishes_where_everything_answers(stand_in: StandIn) -> None:
    endpoints = stand_in.endpoints
    assert set(endpoints) == {"pid", "google", "hub", "cdn", "metadata", "token_file", "ca_file"}
    for name in ("google", "hub", "cdn", "metadata"):
        host, port = endpoints[name].removeprefix("http://").split(":")
        assert host == "127.0.0.1"
        socket.create_connection((host, int(port)), timeout=5).close()


def test_files_with_secrets_are_for_the_owner_only(stand_in: StandIn) -> None:
    for name in ("endpoints.json", "token", "state.sqlite"):
        assert (stand_in.home / name).stat().st_mode & 0o077 == 0


def test_a_second_up_changes_nothing(stand_in: StandIn) -> None:
    before = stand_in.endpoints
    stand_in.up()
    assert stand_in.endpoints == before


def test_many_ups_at_once_end_with_one_process(tmp_path: Path) -> None:
    stand_in = StandIn(tmp_path)
    with ThreadPoolExecutor(4) as pool:
        codes = [ended.returncode for ended in pool.map(stand_in.run, ["up"] * 4)]
    processes = subprocess.run(["ps", "-axww", "-o", "command"], capture_output=True, text=True, check=True)
    stand_in.down()
    assert codes == [0, 0, 0, 0]
    assert processes.stdout.count(f"serve --home {tmp_path}") == 1


def test_restart_keeps_token_ports_settings_and_clusters(stand_in: StandIn) -> None:
    stand_in.create_cluster()
    stand_in.control("PUT", "settings", {"time_scale": 0.001, "latency_ms": 1})
    endpoints, token = stand_in.endpoints, stand_in.token
    stand_in.down()
    assert not (stand_in.home / "endpoints.json").exists()
    stand_in.up()
    assert stand_in.endpoints | {"pid": 0} == endpoints | {"pid": 0}
    assert stand_in.token == token
    assert stand_in.control("GET", "settings").items() >= {"time_scale": 0.001, "latency_ms": 1}.items()
    assert stand_in.get(CLUSTER)["status"] == "RUNNING"


def test_an_environment_without_vllm_is_refused_and_one_that_goes_later_does_no_harm(
    stand_in: StandIn, tmp_path: Path
) -> None:
    asked = {"engine": "vllm", "vllm_environment": str(tmp_path / "vllm")}
    refused = stand_in.ask("PUT", "/_rehearsal/settings", asked)
    assert refused.status_code == 400
    assert "that is no folder (from / on) with a bin/python" in refused.text
    python = tmp_path / "vllm" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    stand_in.control("PUT", "settings", asked)
    stand_in.down()
    python.unlink()
    stand_in.up()
    assert stand_in.control("GET", "settings").items() >= asked.items()
    stand_in.control("PUT", "settings", {"engine": "stand-in", "vllm_environment": ""})


def test_up_after_a_kill_replaces_the_stale_endpoints(stand_in: StandIn) -> None:
    dead = stand_in.endpoints["pid"]
    stand_in.kill()
    assert stand_in.endpoints["pid"] == dead
    stand_in.up()
    assert stand_in.endpoints["pid"] != dead
    assert stand_in.control("GET", "status")["pid"] == stand_in.endpoints["pid"]


def test_a_port_that_someone_else_took_is_replaced(stand_in: StandIn) -> None:
    port = int(stand_in.endpoints["google"].rpartition(":")[2])
    stand_in.down()
    with socket.create_server(("127.0.0.1", port)):
        stand_in.up()
        assert stand_in.endpoints["google"] != f"http://127.0.0.1:{port}"


def test_status_says_when_nothing_runs(tmp_path: Path) -> None:
    assert json.loads(StandIn(tmp_path).run("status").stdout) == {"pid": None}


def test_a_stand_in_that_cannot_start_says_so_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "state.sqlite").write_text("this is no database, but somebody's letter")
    ended = StandIn(tmp_path).run("up")
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert str(tmp_path / "log") in ended.stderr


def test_home_follows_runbook_home(tmp_path: Path) -> None:
    environ = os.environ | {"RUNBOOK_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "rehearsal"]
    subprocess.run([*command, "up"], env=environ, check=True, cwd=Path(__file__).parents[2])
    stand_in = StandIn(tmp_path / ".rehearsal")
    assert stand_in.control("GET", "status")["clusters"] == []
    subprocess.run([*command, "down"], env=environ, check=True, cwd=Path(__file__).parents[2])


def test_requests_without_the_token_are_refused(stand_in: StandIn) -> None:
    google = stand_in.endpoints["google"]
    for path in ("/_rehearsal/status", CLUSTER, "/v1/projects/demo-project"):
        answer = requests.get(google + path, timeout=5)
        assert answer.status_code == 401
        assert answer.json()["error"]["status"] == "UNAUTHENTICATED"


def test_storage_asks_for_no_token_as_emulators_do_but_refuses_a_wrong_one(stand_in: StandIn) -> None:
    bucket = f"{stand_in.endpoints['google']}/storage/v1/b/some-bucket"
    assert requests.get(bucket, timeout=5).status_code == 404
    wrong = requests.get(bucket, headers={"Authorization": "Bearer wrong"}, timeout=5)
    assert wrong.status_code == 401
    assert wrong.json()["error"]["errors"][0]["reason"] == "authError"


def test_what_is_not_emulated_is_answered_400(stand_in: StandIn) -> None:
    for path in ("/v1/projects/demo-project/serviceAccounts", "/compute/v1/projects/p/global/networks"):
        answer = stand_in.ask("GET", path)
        assert answer.status_code == 400
        assert "does not emulate" in answer.json()["error"]["message"]
