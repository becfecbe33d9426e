"""A forwarded port: many connections, Pods that come and go, and ends on either side."""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from runbook.clients.kube.service import Target
from tests.forwarding.conftest import FLOODS, SHOUTS, Street, ask
from tests.rehearsal.stand_in import eventually

GONE = Target("default", "server-0", SHOUTS)
HERE = Target("default", "server-1", SHOUTS)


def test_two_hundred_connections_at_once_cost_a_few_looks_and_leave_nothing(street: Street) -> None:
    looks: list[int] = []

    def find() -> list[Target]:
        looks.append(1)
        return street.find()

    with street.forward(find) as forward:
        ready = threading.Barrier(200)

        def one(number: int) -> bytes:
            with socket.create_connection(("127.0.0.1", forward.port), timeout=30) as connection:
                connection.sendall(f"line {number}\n".encode())
                answer = connection.recv(100)
                ready.wait(30)  # all are open together
                return answer

        with ThreadPoolExecutor(200) as threads:
            answers = list(threads.map(one, range(200)))
        assert answers == [f"LINE {number}\n".encode() for number in range(200)]
        eventually(lambda: forward.open_connections == 0)
    assert len(looks) < 50
    assert street.troubles == []
    assert not [thread for thread in threading.enumerate() if thread.name in {"look", "port-forward"}]


def test_large_answers_arrive_whole(street: Street) -> None:
    text = bytes(range(97, 123)) * 100_000
    with street.forward() as forward:
        assert ask(forward.port, text) == text.upper()


def test_each_connection_picks_a_ready_pod_afresh(street: Street) -> None:
    with street.forward() as forward:
        assert ask(forward.port, b"one\n") == b"ONE\n"
        street.set_ready("server-1", ready=False)
        street.add_pod("server-2", FLOODS)
        assert ask(forward.port, b"two\n") == b"xxxx"
        street.set_ready("server-2", ready=False)
        assert ask(forward.port, b"three\n") == b""
        street.set_ready("server-1", ready=True)
        assert ask(forward.port, b"four\n") == b"FOUR\n"
    assert street.troubles == [
        "the port-forward lost a connection: no Pod behind service/vllm-service is ready"
    ]


def test_a_service_that_selects_no_pods_is_told(street: Street) -> None:
    street.select_nothing()
    with street.forward() as forward:
        assert ask(forward.port, b"one\n") == b""
        eventually(lambda: bool(street.troubles))
    assert street.troubles == ["the port-forward lost a connection: service/vllm-service selects no Pods"]


def test_connections_are_spread_over_the_ready_pods(street: Street) -> None:
    street.add_pod("server-2", FLOODS)
    with street.forward() as forward:
        assert {ask(forward.port, b"one\n") for _ in range(20)} == {b"ONE\n", b"xxxx"}


def test_a_pod_that_went_after_the_look_gives_way_to_another(street: Street) -> None:
    seen = [[GONE], [HERE]]
    with street.forward(lambda: seen.pop(0)) as forward:
        assert ask(forward.port, b"one\n") == b"ONE\n"
    assert street.troubles == []


def test_pods_that_are_never_there_are_told(street: Street) -> None:
    with street.forward(lambda: [GONE]) as forward:
        assert ask(forward.port, b"one\n") == b""
    assert street.troubles == [
        "the port-forward lost a connection: the API server does not lead to Pod server-0 (404)"
    ]


def test_a_port_where_nothing_listens_is_told(street: Street) -> None:
    with street.forward(lambda: [Target("default", "server-1", 7)]) as forward:
        assert ask(forward.port, b"one\n") == b""
        eventually(lambda: bool(street.troubles))
    assert "connection refused" in street.troubles[0]


def test_a_local_side_that_ends_closes_the_way_to_the_pod(street: Street) -> None:
    with street.forward() as forward:
        with socket.create_connection(("127.0.0.1", forward.port), timeout=20) as connection:
            connection.sendall(b"one\n")
            assert connection.recv(100) == b"ONE\n"
            (transport,) = street.cluster._open
        eventually(lambda: forward.open_connections == 0)
        eventually(transport.is_closing)
    assert street.troubles == []


def test_an_api_server_that_breaks_off_is_told(street: Street) -> None:
    with (
        street.forward() as forward,
        socket.create_connection(("127.0.0.1", forward.port), timeout=20) as connection,
    ):
        connection.sendall(b"one\n")
        assert connection.recv(100) == b"ONE\n"
        street.cluster.call(street.cluster.break_off)
        assert connection.recv(100) == b""
        eventually(lambda: bool(street.troubles))
        assert ask(forward.port, b"two\n") == b"TWO\n"
    assert street.troubles == ["the port-forward lost a connection: the API server's connection broke"]


def test_a_reader_that_stops_reading_does_not_hold_up_the_end(street: Street) -> None:
    with (
        socket.socket() as connection,
        street.forward(lambda: [Target("default", "server-1", FLOODS)]) as forward,
    ):
        connection.connect(("127.0.0.1", forward.port))
        assert connection.recv(10) == b"x" * 10
        time.sleep(0.3)  # the way fills up
        started = time.monotonic()
    assert time.monotonic() - started < 5


def test_a_look_that_hangs_does_not_hold_up_the_end(street: Street) -> None:
    hanging = threading.Event()

    def find() -> list[Target]:
        hanging.wait(30)
        return [HERE]

    with socket.socket() as connection, street.forward(find) as forward:
        connection.connect(("127.0.0.1", forward.port))
        time.sleep(0.1)
        started = time.monotonic()
    assert time.monotonic() - started < 5
    hanging.set()
