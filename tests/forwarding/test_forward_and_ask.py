"""`inv forward` and `inv ask`, as an operator types them, on a server that a key guards."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from runbook.clients.kube.client import KubeClient
from runbook.clients.kube.connection import by_kubeconfig
from runbook.clients.kube.objects import Reference
from tests.acceptance.conftest import ROOT, Operator, new_operator
from tests.rehearsal.stand_in import eventually

KEY = "a-key-that-nobody-sees"
ENVIRON = {"ASK_KEY": KEY, "RUNBOOK_SERVER_API_KEY": "{env: ASK_KEY}"}
SLOW = "rehearsal.step_ms=20"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """An operator whose server answers, 50 tokens a second."""
    for operator in new_operator(tmp_path_factory.mktemp("home"), ENVIRON):
        ended = operator.inv("setup", "deploy", "--set", SLOW)
        assert ended.code == 0, ended.out + ended.error
        yield operator


class Following:
    """A task that goes on, and what it tells as JSON."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def until(self, event: str) -> dict[str, Any]:
        """Read on to the next event of a kind."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            found: dict[str, Any] = json.loads(line)
            if found["event"] == event:
                return found
        raise AssertionError(
            f"it ended without {event}: {self.process.stderr and self.process.stderr.read()}"
        )

    def end(self, number: int = signal.SIGINT) -> tuple[int, str, str]:
        """Send a signal; give exit code, the rest of stdout, and stderr."""
        self.process.send_signal(number)
        out, error = self.process.communicate(timeout=20)
        return self.process.returncode, out, error


@contextmanager
def going_on(operator: Operator, *words: str) -> Iterator[Following]:
    """Start a task; it is killed at the end where it still runs."""
    with operator.start(*words) as process:
        try:
            yield Following(process)
        finally:
            process.kill()


def delete_pods(operator: Operator) -> None:
    """Delete the server's Pods as somebody else would; others come in their place."""
    path = operator.home / ".runs" / "rehearsal" / "kubeconfig"
    client = KubeClient(by_kubeconfig([path], None), operator.home / ".runs")
    for pod in client.list("v1", "Pod", "default", labels={"app": "vllm-tpu"}):
        client.delete(Reference.to(pod))


def ask_health(address: str) -> int:
    return requests.get(f"{address}/health", timeout=10).status_code


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_forward_stays_open_until_it_is_ended(served: Operator, number: int) -> None:
    with going_on(served, "forward") as forward:
        assert forward.process.stdout is not None
        address = forward.process.stdout.readline().split(" ")[0]
        command = forward.process.stdout.readline()
        assert f"kubectl port-forward service/vllm-service {address.rpartition(':')[2]}:8000" in command
        assert ask_health(address) == 200
        code, out, error = forward.end(number)
    assert (code, error) == (0, "")
    assert out.endswith("closed\n")
    assert KEY not in out


def test_a_forward_that_never_opened_does_not_say_that_it_closed(served: Operator, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        address = f"http://127.0.0.1:{mute.getsockname()[1]}"
        kubeconfig = {
            "clusters": [{"name": "lab", "cluster": {"server": address}}],
            "contexts": [{"name": "lab", "context": {"cluster": "lab"}}],
            "current-context": "lab",
        }
        path = tmp_path / "lab.json"
        path.write_text(json.dumps(kubeconfig))
        settings = ("provider=kubeconfig", f"kube.kubeconfig={path}")
        with going_on(served, "forward", *(word for each in settings for word in ("--set", each))) as forward:
            connection, _ = mute.accept()
            code, out, error = forward.end()
            connection.close()
    assert (code, out) == (1, "")
    assert error.strip() == "interrupted"


def test_a_forward_outlives_the_servers_pods_and_tells_of_it(served: Operator) -> None:
    with going_on(served, "forward", "--json") as forward:
        address = forward.until("forward_opened")["address"]
        before = forward.until("pods_ready")["pods"]
        with requests.get(f"{address}/health", timeout=10) as answer:
            assert answer.status_code == 200
        delete_pods(served)
        after = forward.until("pods_ready")["pods"]
        assert not set(before) & set(after)
        assert ask_health(address) == 200
        code, out, error = forward.end()
    assert (code, out, error) == (0, '{"event": "forward_closed"}\n', "")


@pytest.mark.slow
def test_a_forward_whose_login_expires_says_what_to_do(served: Operator) -> None:
    fault = ("--api=kubernetes", "--path=services/", "--status=401", "--times=1000")
    with going_on(served, "forward", "--json") as forward:
        forward.until("pods_ready")
        assert served.inv("rehearsal.fault", *fault).code == 0
        awaited = forward.until("pods_awaited")
        assert served.inv("rehearsal.fault", "--clear").code == 0
        assert forward.until("pods_ready")["pods"]
    assert awaited["reason"] == "the cluster accepts no such login"
    assert "look whether you are logged in" in awaited["remedy"]


def test_a_forward_blocks_no_deploy(served: Operator) -> None:
    with going_on(served, "forward", "--json") as forward:
        forward.until("pods_ready")
        deployed = served.inv("deploy", "--set", SLOW)
        assert deployed.code == 0, deployed.out + deployed.error


def test_a_forward_listens_where_it_is_told(served: Operator) -> None:
    with going_on(served, "forward", "--json", "--set", "smoke.local_port=18123") as forward:
        assert forward.until("forward_opened")["port"] in range(18123, 18143)


def test_an_answer_comes_token_by_token(served: Operator) -> None:
    with going_on(served, "ask", "San Francisco is a", "--max-tokens", "40", "--json") as asked:
        first = asked.until("text_seen")
        seen = time.monotonic()
        figures = asked.until("answer_ended")
        assert time.monotonic() - seen > 0.4  # 39 more tokens, 20 ms each
    assert first["text"]
    assert figures["completion_tokens"] == 40
    assert figures["finish_reason"] == "length"
    assert 0 < figures["time_to_first_token_s"] < figures["seconds"]
    assert 5 < figures["tokens_per_s"] < 55
    assert figures["rehearsal"] is True


def test_the_answer_is_on_stdout_and_its_figures_on_stderr(served: Operator) -> None:
    ended = served.inv("ask", "San Francisco is a", "--max-tokens", "7", "--temperature", "0")
    assert (ended.code, ended.out) == (0, " country by high houses over the\n")
    assert ended.error.startswith("7 tokens (length), time to first token ")
    assert "REHEARSAL" in ended.error


def asked_by_stdin(operator: Operator, prompt: bytes) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "invoke", "ask", "-", "--max-tokens=7"],
        cwd=ROOT,
        env=operator.environment(),
        input=prompt,
        capture_output=True,
        timeout=60,
        check=False,
    )


def test_the_prompt_may_come_from_stdin(served: Operator) -> None:
    ended = asked_by_stdin(served, b"San Francisco is a")
    assert (ended.returncode, ended.stdout) == (0, b" country by high houses over the\n"), ended.stderr


def test_a_prompt_that_is_no_text_is_not_sent(served: Operator) -> None:
    ended = asked_by_stdin(served, b"\xff\xfe")
    assert (ended.returncode, ended.stdout) == (1, b"")
    assert b"error: the prompt is not UTF-8 text" in ended.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--model", "other"], "The model `other` does not exist"),
        (["--max-tokens", "100000"], "max_tokens=100000 cannot be greater than max_model_len"),
        (["--max-tokens", "few"], "--max-tokens wants a number, not 'few'"),
        (["--temperature", "hot"], "--temperature wants a number, not 'hot'"),
        (["--temperature", "nan"], "--temperature wants a number, not 'nan'"),
    ],
)
def test_what_the_server_refuses_is_told_in_its_words(served: Operator, words: list[str], said: str) -> None:
    ended = served.inv("ask", *words, "hello")
    assert (ended.code, ended.out) == (1, "")
    assert said in ended.error


def test_a_misspelt_option_is_no_prompt(served: Operator) -> None:
    ended = served.inv("ask", "--jsn")
    assert (ended.code, ended.out) == (1, "")
    assert "error: ask has no option --jsn" in ended.error


@pytest.mark.parametrize("task", ["ask", "compare", "step"])
def test_help_of_a_task_that_wants_a_word_is_its_help(tmp_path: Path, task: str) -> None:
    ended = Operator(tmp_path, {}).inv(task, "--help")
    assert ended.code == 0, ended.error
    assert ended.out.startswith("Usage: ")
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_is_not_the_servers_is_told(served: Operator) -> None:
    stranger = Operator(served.home, {**ENVIRON, "ASK_KEY": "another"})
    ended = stranger.inv("ask", "hello")
    assert ended.code == 1
    assert "the server wants another key" in ended.error


def test_ctrl_c_ends_an_answer_cleanly_and_the_server_stops_too(served: Operator) -> None:
    with going_on(served, "ask", "San Francisco is a", "--max-tokens", "900") as asked:
        assert asked.process.stdout is not None
        assert asked.process.stdout.read(20)
        code, out, error = asked.end()
    assert code == 1
    assert out.endswith("\n")
    assert "tokens (interrupted)" in error
    assert "Traceback" not in error
    with going_on(served, "forward", "--json") as forward:
        address = forward.until("forward_opened")["address"]
        headers = {"Authorization": f"Bearer {KEY}"}

        def idle() -> bool:
            page = requests.get(f"{address}/metrics", headers=headers, timeout=10).text
            running = next(line for line in page.splitlines() if line.startswith("vllm:num_requests_running"))
            return float(running.split()[-1]) == 0

        eventually(idle)


def test_a_server_that_ends_in_the_middle_of_an_answer_is_told(served: Operator) -> None:
    with going_on(served, "ask", "San Francisco is a", "--max-tokens", "900", "--json") as asked:
        asked.until("text_seen")
        delete_pods(served)
        assert asked.until("error")["error"]["kind"] == "FailedError"
        assert asked.process.wait(20) == 1


@pytest.mark.slow
def test_without_a_server_the_line_that_makes_one_is_named(tmp_path: Path) -> None:
    for operator in new_operator(tmp_path):
        for task in (("forward",), ("ask", "hello")):
            ended = operator.inv(*task)
            assert ended.code == 1
            assert "fix:   run `inv setup deploy`" in ended.error
