"""How far a running benchmark is, from pages and lines of the real vLLM."""

from __future__ import annotations

import pytest

from runbook.measurement.asked import Asked
from runbook.measurement.lines import Progress, last_progress
from runbook.measurement.progress import Logged, Pulse, logged, told
from runbook.measurement.server import Counters, Load

ENGINE = (
    "(APIServer pid=1) INFO 11-23 15:42:00 [loggers.py:248] Engine 00{}:"
    " Avg prompt throughput: 12.0 tokens/s,"
    " Avg generation throughput: {} tokens/s, Running: {} reqs, Waiting: {} reqs, GPU KV cache usage: 1.0%,"
    " Prefix cache hit rate: 0.0%\n"
)
ASKED = Asked(prompts=10, input_len=100, output_len=50)


def page(generated: float, answered: float, running: float, waiting: float) -> str:
    """A page of two engines that share the work."""
    labels = '{{engine="{}",model_name="m"}}'
    values = {
        "generation_tokens_total": generated,
        "num_requests_running": running,
        "num_requests_waiting": waiting,
    }
    lines = [
        f"vllm:{name}{labels.format(rank)} {value / 2}" for name, value in values.items() for rank in (0, 1)
    ]
    for rank in (0, 1):
        success = f'{{engine="{rank}",finished_reason="length",model_name="m"}}'
        lines.append(f"vllm:request_success_total{success} {answered / 2}")
    return "\n".join(lines)


def load(generated: float, answered: float, running: float = 4, waiting: float = 2) -> Load:
    found = Load.of_page(page(generated, answered, running, waiting))
    assert found is not None
    return found


def test_what_the_server_counted_since_the_job_was_made() -> None:
    pulse = Pulse(Counters(generated=1000, answered=20), 1, ASKED)
    pulse.take(100, load(1050, 21))
    assert told(pulse, None, None, rehearsal=False) == (
        "0 of 10 requests, 0% of the tokens; 4 running, 2 waiting"
    )
    pulse.take(102, load(1250, 24))
    assert told(pulse, None, None, rehearsal=False) == (
        "3 of 10 requests, 40% of the tokens; 100 output tokens/s; 4 running, 2 waiting; 3 s left"
    )


def test_the_rate_is_that_of_the_last_half_minute() -> None:
    pulse = Pulse(Counters(), 0, ASKED)
    for seconds, generated in ((0, 0), (10, 0), (20, 0), (40, 100), (45, 150), (50, 200)):
        pulse.take(seconds, load(generated, 0))
    assert pulse.rate == pytest.approx(200 / 30)


def test_a_server_that_was_started_anew_leaves_it_to_the_clients_bar() -> None:
    pulse = Pulse(Counters(generated=1000, answered=20), 1, ASKED)
    pulse.take(0, load(1100, 22))
    pulse.take(2, load(50, 1))
    line = told(pulse, Progress(4, 10, "00:08<00:12,  1.0it/s"), None, rehearsal=True)
    assert line == "4 of 10 requests; 4 running, 2 waiting; 00:12 left"


def test_without_counters_the_engines_last_lines_are_summed() -> None:
    log = ENGINE.format(0, 1.0, 9, 9) + ENGINE.format(1, 2.5, 3, 1) + ENGINE.format(0, 1000.5, 5, 0)
    assert logged([log, "nothing of it\n"]) == Logged(1003.0, 8, 1)
    line = told(Pulse(None, 0, ASKED), Progress(4, 10, "01:40<02:30"), logged([log]), rehearsal=True)
    assert line == ("4 of 10 requests; 1,003 output tokens/s (REHEARSAL); 8 running, 1 waiting; 02:30 left")


def test_where_nothing_is_known_nothing_is_told() -> None:
    assert logged(["INFO: 10.0.0.1 - GET /health 200\n"]) is None
    assert Load.of_page("process_cpu_seconds_total 1.0\n") is None
    assert told(Pulse(None, 0, Asked()), None, None, rehearsal=False) == ""


@pytest.mark.parametrize(
    ("line", "left"),
    [
        (" 40%|####      | 4/10 [01:40<02:30, 25.0s/it]", "02:30"),
        ("  0%|          | 0/10 [00:00<?, ?it/s]", ""),
    ],
)
def test_the_clients_bar_says_what_is_left_where_it_knows(line: str, left: str) -> None:
    bar = last_progress([line])
    assert bar is not None
    assert bar.left == left
