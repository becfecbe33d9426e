"""The chart of latencies says what the client says of the same requests."""

from __future__ import annotations

from typing import Any

import pytest
from matplotlib.figure import Figure

from runbook.measurement.document import Derived, Document, Verdict
from runbook.report.page.charts.latency import latency_chart
from tests.report_page.documents import FINGERPRINT, result


def labels(client: dict[str, Any]) -> dict[str, list[str]]:
    """Draw the latencies of single requests; give what is written into each panel."""
    document = Document(
        id="a", run_id="a", environment="rehearsal", started=0.0, rehearsal=True, verdict=Verdict(name="ok"),
        fingerprint=FINGERPRINT, result=result(8000.0), derived=Derived(), client=client, job="a",
        arguments=(), full_precision=True,
    )  # fmt: skip
    chart = latency_chart(document)
    assert chart is not None
    figure = Figure()
    chart.draw(figure, False)
    return {
        axes.get_title().partition(",")[0]: [text.get_text() for text in axes.texts] for axes in figure.axes
    }


def test_a_percentile_lies_between_two_requests_as_numpy_reckons_it() -> None:
    first = [0.1, 0.11, 0.12, 0.13]
    told = labels({"output_lens": [3] * 4, "ttfts": first, "itls": [[0.01, 0.01]] * 4})
    assert told["TTFT"] == ["p50 115", "p99 129.7"]


def test_requests_that_are_all_but_equal_are_drawn() -> None:
    first = [0.1, 0.1 + 1e-17, 0.1 + 2e-17, 0.10000000000000002]
    assert labels({"output_lens": [3] * 4, "ttfts": first, "itls": [[0.01, 0.01]] * 4})["TTFT"]


@pytest.mark.parametrize("latencies", [{}, {"latencies": [0.9, 1.0]}])
def test_the_time_of_a_token_is_not_that_of_a_chunk(latencies: dict[str, Any]) -> None:
    chunks = {"output_lens": [9, 9], "ttfts": [0.1, 0.2], "itls": [[0.4, 0.4]] * 2}
    told = labels(chunks | latencies)
    assert told["TPOT"] == ["p50 100", "p99 100"]
    assert told["ITL"] == ["p50 400", "p99 400"]


@pytest.mark.parametrize("broken", [{"ttfts": []}, {"itls": None}, {"output_lens": [None, "x"]}])
def test_requests_that_cannot_be_read_leave_the_clients_own_percentiles(broken: dict[str, Any]) -> None:
    told = labels({"output_lens": [9, 9], "ttfts": [0.1, 0.2], "itls": [[0.4, 0.4]] * 2} | broken)
    assert len(told["TTFT"]) == 5
