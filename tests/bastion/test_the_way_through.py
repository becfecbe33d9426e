"""A cluster whose API only the bastion reaches: who asks it goes by one ssh, which ends with the line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from runbook.clients.connections import Connections
from runbook.clients.kube.client import KubeClient
from runbook.clients.kube.connection import by_kubeconfig
from runbook.clients.kube.forward import forward
from runbook.engine.errors import CredentialsError, PassingError, RefusedError
from runbook.engine.outcome import Status
from runbook.steps.kube.remedies import KUBECTL, reaching
from tests.any_cluster.by_hand import Handwritten
from tests.bastion.conftest import lab, through
from tests.bastion.private import PrivateApi
from tests.over_ssh.sshd import Sshd, new_key
from tests.rehearsal.stand_in import eventually
from tests.steps_kube.deployment_place import SERVER, Place

ROOT = Path(__file__).parents[2]


def tunnels(port: int) -> list[int]:
    """The ssh processes that forward to a port."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if words[0] == b"ssh" and any(word.endswith(f":localhost:{port}".encode()) for word in words):
            found.append(int(path.parent.name))
    return found


def test_a_line_goes_through_one_ssh_that_ends_with_it(behind: Place, api: PrivateApi, sshd: Sshd) -> None:
    planned = behind.check("kube.apply", **SERVER)
    assert planned.status is Status.WOULD_CHANGE, planned.error
    assert (sshd.logins, api.turned_away) == (1, 0)
    assert api.passed >= 1
    assert tunnels(api.port) == []
    [told] = behind.voice.outputs
    assert told.splitlines()[1].startswith(f"$ ssh -N -L 127.0.0.1:8443:localhost:{api.port} -o ExitOn")


def test_without_the_bastion_there_is_no_way(prepared: Place, behind: Place, api: PrivateApi) -> None:
    direct = prepared.with_settings(*lab(prepared, behind.loaded.variables.kube.kubeconfig))
    assert isinstance(direct.check("kube.apply", **SERVER).error, PassingError | CredentialsError)
    assert api.turned_away > 0


def test_kubectls_commands_take_the_bastions_port(behind: Place) -> None:
    commands = [change.command for change in behind.check("kube.apply", **SERVER).changes if change.command]
    assert commands
    for command in commands:
        assert "--server=https://127.0.0.1:8443" in command
        assert "--tls-server-name=localhost" in command


def test_a_remedys_commands_take_it_too(behind: Place) -> None:
    with ExitStack() as kept:
        connections = Connections(behind.loaded.variables, behind.home)
        kept.callback(connections.close)
        context = behind._context(connections, kept, check=True)
        told = reaching(context, f"see: {KUBECTL} describe nodes")
    assert told.startswith("see: kubectl --kubeconfig=")
    assert " --server=https://127.0.0.1:8443 --tls-server-name=localhost describe nodes" in told


def test_the_certificate_must_have_the_clusters_own_name(
    prepared: Place, written: Handwritten, sshd: Sshd, api: PrivateApi
) -> None:
    path = written.file(
        {"token": written.token}, server=f"https://localhost:{api.port}", tls_server_name="other.example"
    )
    place = prepared.with_settings(*lab(prepared, path), *through(sshd))
    error = place.check("kube.apply", **SERVER).error
    assert isinstance(error, CredentialsError)
    assert "certificate is not trusted" in error.message


def test_on_the_projects_own_clusters_4_1_writes_the_bastions_port(prepared: Place, sshd: Sshd) -> None:
    place = prepared.with_settings(f"kube.kubeconfig={sshd.folder}/own", *through(sshd))
    place.converges("kube.credentials")
    text = (sshd.folder / "own").read_text()
    assert "server: https://127.0.0.1:8443" in text
    assert "tls-server-name: 127.0.0.1" in text


class TestATunnel:
    """A client that stays connected through it."""

    @pytest.fixture
    def connections(self, behind: Place) -> Connections:
        return Connections(behind.loaded.variables, behind.home)

    @pytest.fixture
    def client(self, behind: Place, connections: Connections, tmp_path: Path):
        file = Path(str(behind.loaded.variables.kube.kubeconfig))
        access = by_kubeconfig([file], None)
        tunnel = connections.tunnel(*access.target, access.knock)
        yield KubeClient(access.through(tunnel), tmp_path)
        connections.close()

    def test_it_is_restarted_when_ssh_dies(self, client: KubeClient, api: PrivateApi, sshd: Sshd) -> None:
        assert client.list("v1", "Node", "")
        [pid] = tunnels(api.port)
        os.kill(pid, signal.SIGKILL)
        assert client.list("v1", "Node", "")
        assert sshd.logins == 2

    def test_it_outlives_a_network_that_breaks(self, client: KubeClient, sshd: Sshd) -> None:
        assert client.list("v1", "Node", "")
        assert sshd.drop_sessions() == 1
        assert client.list("v1", "Node", "")

    @pytest.mark.slow
    def test_while_it_is_down_the_hop_that_fails_is_named(self, client: KubeClient, sshd: Sshd) -> None:
        assert client.list("v1", "Node", "")
        sshd.down()
        with pytest.raises(PassingError) as failed:
            client.list("v1", "Node", "")
        assert str(failed.value.place).startswith("ssh ")
        sshd.up()
        eventually(lambda: _lists(client))

    def test_an_ssh_that_cannot_be_started_is_told_and_tried_again(
        self, client: KubeClient, api: PrivateApi, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert client.list("v1", "Node", "")
        tunnel = client.access.way
        assert tunnel is not None
        [pid] = tunnels(api.port)
        with monkeypatch.context() as without_python:
            without_python.setattr(sys, "executable", "/nowhere/python")
            os.kill(pid, signal.SIGKILL)
            eventually(lambda: "ssh cannot be started: No such file" in str(tunnel.trouble()))
        eventually(lambda: _lists(client))

    def test_the_port_forward_passes_through_it(
        self, prepared: Place, client: KubeClient, api: PrivateApi
    ) -> None:
        prepared.deploy()
        told: list[str] = []
        with forward(client, "default", "vllm-service", 8000, 0, told.append) as opened:
            assert requests.get(f"{opened.address}/health", timeout=10).ok, told
        assert (told, api.turned_away) == ([], 0)


def _lists(client: KubeClient) -> bool:
    try:
        return bool(client.list("v1", "Node", ""))
    except PassingError:
        return False


HOLDER = """
    import sys, time
    from pathlib import Path
    from runbook.clients.connections import Connections
    from runbook.clients.kube.connection import by_kubeconfig
    from runbook.config.load import load
    variables = load(Path({root!r}), "rehearsal", sys.argv[1:], {{}}).variables
    access = by_kubeconfig([Path(variables.kube.kubeconfig)], None)
    connections = Connections(variables, Path("."))
    connections.tunnel(*access.target, access.knock)
    print("open", flush=True)
    try:
        time.sleep(60)
    finally:
        connections.close()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_ssh_is_left_whatever_ends_the_line(
    behind: Place, api: PrivateApi, sshd: Sshd, number: signal.Signals
) -> None:
    settings = ["provider=kubeconfig", f"kube.kubeconfig={behind.loaded.variables.kube.kubeconfig}"]
    program = textwrap.dedent(HOLDER).format(root=str(ROOT))
    with subprocess.Popen(
        [sys.executable, "-c", program, *settings, *through(sshd)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as line:
        assert line.stdout is not None
        assert line.stdout.readline() == "open\n"
        assert len(tunnels(api.port)) == 1
        line.send_signal(number)
    eventually(lambda: tunnels(api.port) == [], 5)


def test_a_guard_that_is_killed_takes_ssh_with_it(behind: Place, api: PrivateApi) -> None:
    file = Path(str(behind.loaded.variables.kube.kubeconfig))
    access = by_kubeconfig([file], None)
    connections = Connections(behind.loaded.variables, behind.home)
    connections.tunnel(*access.target, access.knock)
    [pid] = tunnels(api.port)
    guard = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    stopping = threading.Thread(target=connections.close)
    os.kill(guard, signal.SIGKILL)
    stopping.start()
    stopping.join(10)
    eventually(lambda: tunnels(api.port) == [], 5)


class TestTroubles:
    """Each hop's trouble is one clear error, of the steps and of the doctor."""

    def error_of(self, place: Place) -> Exception | None:
        return place.check("kube.apply", **SERVER).error

    def test_a_key_that_nobody_vouched_for(self, behind: Place, sshd: Sshd) -> None:
        sshd.known_hosts.write_text("")
        error = self.error_of(behind)
        assert isinstance(error, RefusedError)
        assert error.message == "the key of 127.0.0.1 is not known"
        assert f"ssh -p {sshd.port} 127.0.0.1" in str(error.remedy)

    def test_a_key_that_has_changed(self, behind: Place, sshd: Sshd) -> None:
        new_key(sshd.folder / "other_key")
        sshd.know_host("other_key")
        error = self.error_of(behind)
        assert isinstance(error, RefusedError)
        assert "the key of 127.0.0.1 has changed" in error.message

    def test_a_login_that_is_refused(self, behind: Place, sshd: Sshd) -> None:
        new_key(sshd.folder / "foreign")
        (sshd.folder / "login_key").write_bytes((sshd.folder / "foreign").read_bytes())
        (sshd.folder / "login_key.pub").rename(sshd.folder / "kept.pub")
        error = self.error_of(behind)
        assert isinstance(error, CredentialsError)
        assert "bastion.key_file" in str(error.remedy)

    def test_a_bastion_that_is_not_there(self, behind: Place, sshd: Sshd) -> None:
        sshd.down()
        error = self.error_of(behind)
        assert isinstance(error, PassingError)
        assert error.message == "the host does not answer: connection refused"
        assert "bastion.host (127.0.0.1)" in str(error.remedy)

    def test_a_bastion_whose_name_nobody_knows(self, prepared: Place, behind: Place) -> None:
        unknown = prepared.with_settings(
            *lab(prepared, behind.loaded.variables.kube.kubeconfig),
            "bastion.host=bastion.invalid",
        )
        error = self.error_of(unknown)
        assert isinstance(error, PassingError)
        assert "the name is not known" in error.message

    @pytest.mark.parametrize("rule", ["AllowTcpForwarding no", "PermitOpen 192.0.2.1:443"])
    def test_a_bastion_that_may_forward_nothing(self, behind: Place, sshd: Sshd, rule: str) -> None:
        sshd.down()
        sshd.rules = rule
        sshd.up()
        error = self.error_of(behind)
        assert isinstance(error, RefusedError)
        assert "the bastion may not connect to localhost:" in error.message
        assert "PermitOpen" in str(error.remedy)

    def test_a_bastion_that_may_forward_only_there(self, behind: Place, sshd: Sshd, api: PrivateApi) -> None:
        sshd.down()
        sshd.rules = f"PermitOpen localhost:{api.port}"
        sshd.up()
        assert self.error_of(behind) is None

    def test_an_api_that_does_not_answer_the_bastion(
        self, prepared: Place, written: Handwritten, sshd: Sshd
    ) -> None:
        path = written.file({"token": written.token}, server="https://localhost:1")
        place = prepared.with_settings(*lab(prepared, path), *through(sshd))
        error = self.error_of(place)
        assert isinstance(error, PassingError)
        assert error.message == "the bastion answers, but does not reach localhost:1: connection refused"
