"""4.4 and 4.5: a port of this machine leads to the server, and its answer is judged."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import socket
from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread

import pytest
import requests

from runbook.clients.kube.failures import AbsentError
from runbook.clients.kube.forward import Forward, forward
from runbook.clients.kube.service import Target
from runbook.clients.serving import Completion
from runbook.engine.errors import FailedError, MissingError
from runbook.engine.outcome import Status
from runbook.steps.serving.completion import judge
from tests.steps_kube.deployment_place import SERVER, Place


@pytest.mark.parametrize("uses", ["kube.forward", "serving.completion"])
def test_without_a_server_the_step_that_deploys_it_is_named(place: Place, uses: str) -> None:
    error = place.apply(uses).error
    assert isinstance(error, MissingError)
    assert error.supplied_by == "kube.apply"


@pytest.mark.parametrize("uses", ["kube.forward", "serving.completion"])
def test_without_a_cluster_the_step_that_makes_it_is_named(empty: Place, uses: str) -> None:
    error = empty.apply(uses).error
    assert isinstance(error, MissingError)
    assert error.supplied_by == "gke.cluster"


def test_a_server_that_is_scaled_to_nothing_does_not_answer(place: Place) -> None:
    stopped = place.with_settings("server.replicas=0")
    stopped.deploy()
    assert isinstance(stopped.apply("serving.completion").error, MissingError)


def test_the_completion_is_shown_with_its_curl_through_one_forward(deployed: Place) -> None:
    forwarded, asked = deployed.line(("kube.forward", {}), ("serving.completion", {}), check=False)
    assert (forwarded.status, asked.status) == (Status.OK, Status.OK), asked.error
    (shown,) = deployed.voice.outputs
    curl, text = shown.split("\n", 1)
    words = shlex.split(curl.removeprefix("$ "))
    assert forwarded.reason.startswith(words[1].removesuffix("/v1/completions"))
    assert json.loads(words[-1]) == {
        "model": "rehearsal/gpt-oss-tiny",
        "prompt": "San Francisco is a",
        "max_tokens": 7,
        "temperature": 0,
    }
    assert text.startswith("San Francisco is a")
    assert len(text) > len("San Francisco is a")
    figures = text.splitlines()[-1]
    assert re.fullmatch(
        r"15 tokens in, 7 out, ended by length, in \d+\.\d{3} s \(REHEARSAL: not a TPU's\)", figures
    )


def test_a_server_of_another_model_is_not_taken_for_the_deployed_one(deployed: Place) -> None:
    error = (
        deployed.with_settings("server.served_model_names=[other/model]").apply("serving.completion").error
    )
    assert isinstance(error, FailedError)
    assert "the server serves rehearsal/gpt-oss-tiny" in error.message
    assert "and not other/model" in error.message
    assert error.place is not None
    assert error.place.source.endswith("/v1/models")


def test_the_completion_opens_a_forward_of_its_own(deployed: Place) -> None:
    outcome = deployed.apply("serving.completion")
    assert outcome.status is Status.OK, outcome.error


def test_a_check_opens_nothing(deployed: Place) -> None:
    before = len(deployed.cloud.logged(api="kubernetes"))
    outcomes = deployed.line(("kube.forward", {}), ("serving.completion", {}), check=True)
    assert [outcome.status for outcome in outcomes] == [Status.OK, Status.OK]
    assert deployed.asked(before) == ["GET"]


def test_a_taken_port_gives_way_to_the_next(deployed: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        fixed = deployed.with_settings(f"smoke.local_port={port}")
        outcome = fixed.apply("kube.forward")
        assert outcome.status is Status.OK, outcome.error
    assert fixed.voice.warnings[0].startswith(f"port {port} is taken")


def test_many_connections_at_once_and_a_new_pod_between_them(deployed: Place) -> None:
    troubles: list[str] = []
    with (
        deployed.cluster() as cluster,
        forward(cluster, "default", "vllm-service", 8000, 0, troubles.append) as opened,
        requests.Session() as session,
    ):
        for _ in range(10):
            assert session.get(f"{opened.address}/health", timeout=10).ok
        answers = [requests.get(f"{opened.address}/v1/models", timeout=10) for _ in range(10)]
        assert {answer.status_code for answer in answers} == {200}
        deployed.delete(*deployed.of_kind("v1", "Pod"))
        assert deployed.apply("kube.apply", **SERVER).error is None
        assert requests.get(f"{opened.address}/health", timeout=10).ok
    assert troubles == []


def test_a_connection_that_finds_no_pod_says_so(place: Place) -> None:
    place.with_settings("server.replicas=0").deploy()
    troubles: list[str] = []
    with (
        place.cluster() as cluster,
        forward(cluster, "default", "vllm-service", 8000, 0, troubles.append) as opened,
        pytest.raises(requests.exceptions.ConnectionError),
    ):
        requests.get(f"{opened.address}/health", timeout=10)
    assert troubles == ["the port-forward lost a connection: no Pod behind service/vllm-service is ready"]


def test_a_forward_that_ends_under_an_open_connection_ends_quietly(
    deployed: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    troubles: list[str] = []
    with (
        deployed.cluster() as cluster,
        requests.Session() as session,
        forward(cluster, "default", "vllm-service", 8000, 0, troubles.append) as opened,
    ):
        assert session.get(f"{opened.address}/health", timeout=10).ok
    assert (capfd.readouterr().err, troubles) == ("", [])


def test_a_connection_that_finds_no_service_says_so(deployed: Place) -> None:
    def refuse() -> list[Target]:
        raise AbsentError('pods "vllm-tpu-1" not found')

    troubles: list[str] = []
    with deployed.cluster() as cluster:
        carrier = Forward(cluster, refuse, 0, troubles.append)
        opened: Future[Callable[[], object]] = Future()
        thread = Thread(target=lambda: asyncio.run(carrier.serve(opened)))
        thread.start()
        stop = opened.result(timeout=10)
        with pytest.raises(requests.exceptions.ConnectionError):
            requests.get(f"{carrier.address}/health", timeout=10)
        stop()
        thread.join()
    assert troubles == ['the port-forward lost a connection: pods "vllm-tpu-1" not found']


@pytest.mark.parametrize(
    ("completion", "complaint"),
    [
        (Completion(" city", "length", 4, 7), None),
        (Completion(" city.", "stop", 4, 3), None),
        (Completion(" city", "abort", 4, 7), "ended by 'abort'"),
        (Completion("", "stop", 4, 1), "holds no text"),
        (Completion(" city", "length", 4, 5), "5 of 7 tokens"),
        (Completion(" city", "stop", 4, 9), "it has 9 tokens"),
        (Completion(" city", "stop", 0, 2), "the prompt counts as no tokens"),
    ],
)
def test_an_answer_is_judged(completion: Completion, complaint: str | None) -> None:
    found = judge(completion, 7)
    assert found is None if complaint is None else complaint in str(found)
