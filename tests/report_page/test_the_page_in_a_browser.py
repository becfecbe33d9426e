"""The page as somebody sees it: no network, nothing hidden, on a phone, in the dark, on paper."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.report_page.conftest import ARTIFACTS, SCRIPT, Reported, last_run
from tests.report_page.documents import Told, detailed, measured, swept

BOXES = """() => [...document.querySelectorAll("section, figure, .tile, .verdict, .rehearsal")]
    .map(part => [part.id || part.className || part.tagName, part.getBoundingClientRect()])
    .map(([name, box]) => [name, box.width, box.height, box.left, box.right])"""
CHARTS = """() => [...document.querySelectorAll("figure")].map(figure =>
    [...figure.querySelectorAll("svg")].filter(svg => svg.getBoundingClientRect().height > 100).length)"""
CONTRAST = """() => {
    const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
    const light = colour => {
        canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
        const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3)
            .map(part => part / 255)
            .map(part => part <= .04045 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4);
        return .2126 * r + .7152 * g + .0722 * b; };
    const behind = element => {
        for (let at = element; at; at = at.parentElement) {
            const colour = getComputedStyle(at).backgroundColor;
            if (!/, 0\\)$|transparent/.test(colour)) return colour; }
        return "white"; };
    const found = [];
    for (const element of document.querySelectorAll("main *, header *")) {
        const svg = element.tagName === "text";
        const own = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
        if (!own || !element.getBoundingClientRect().height || (!svg && element.closest("svg"))) continue;
        const style = getComputedStyle(element);
        const pair = [light(svg ? style.fill : style.color), light(behind(element))].sort((a, b) => b - a);
        const ratio = (pair[0] + .05) / (pair[1] + .05);
        if (ratio < 4.5) found.push([element.textContent.slice(0, 40), ratio]); }
    return found; }"""


@pytest.fixture(scope="module")
def everything(reported: Reported) -> Iterator[Path]:
    """The page of a run that has all there can be: repeats, each request's latencies and a sweep."""
    operator, folder = reported.operator, reported.folder
    measured(folder, Told(output_throughput=7200.0, client=detailed(200, 63)))
    measured(folder, Told(output_throughput=7100.0, number=2))
    swept(folder)
    ended = operator.inv("report", reported.second, "--to", str(operator.home / "all.html"))
    assert ended.code == 0, ended.error
    yield Path(ended.out.strip())
    (folder / "sweep.json").unlink()
    (folder / "bench-2.json").unlink()
    measured(folder, Told(output_throughput=7200.0))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_everything_is_visible_and_nothing_is_asked_of_the_network(
    browser: Browser, everything: Path, width: int, scheme: str
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    said, asked = watched(page)
    page.goto(everything.as_uri())
    assert page.title().startswith("REHEARSAL: deploy smoke bench: done")
    assert said == []
    assert asked == [everything.as_uri()]
    boxes = page.evaluate(BOXES)
    assert {"verdict", "figures", "latency", "history", "sweep", "timeline", "changes", "flags"} < {
        name for name, *_ in boxes
    }
    assert [box for box in boxes if box[1] < 100 or box[2] < 20 or box[3] < 0 or box[4] > width] == []
    assert page.evaluate(CHARTS) == [1, 1, 1, 1]
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.evaluate("() => new Set([...document.querySelectorAll('[id]')].map(e => e.id)).size") == (
        page.evaluate("document.querySelectorAll('[id]').length")
    )
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTIFACTS / f"report-{width}-{scheme}.png", full_page=True)
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read(browser: Browser, reported: Reported, scheme: str) -> None:
    """Contrast of at least 4.5 to 1 is what WCAG 2.2 asks of text (AA, 1.4.3)."""
    context = browser.new_context(color_scheme=scheme, bypass_csp=True)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(reported.page.as_uri())
    assert page.evaluate(CONTRAST) == []
    context.close()


def test_who_hears_the_page_finds_headings_tables_and_names_of_charts(
    browser: Browser, reported: Reported
) -> None:
    page = browser.new_page()
    page.goto(reported.page.as_uri())
    levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3')].map(h => Number(h.tagName[1]))")
    assert levels[:2] == [1, 2]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert page.evaluate(
        "[...document.querySelectorAll('table')].every(t => t.querySelector('th[scope=col]'))"
    )
    assert page.get_by_role("img", name="When each step ran").count() == 1
    described = page.evaluate("[...document.querySelectorAll('svg > desc')].map(d => d.textContent)")
    assert all(len(text) > 20 for text in described)
    page.close()


def test_it_prints_whole(browser: Browser, everything: Path) -> None:
    page = browser.new_page()
    page.goto(everything.as_uri())
    page.emulate_media(media="print")
    folded = page.evaluate(
        "[...document.querySelectorAll('details > :is(pre, .scroll)')].map(e => e.clientHeight)"
    )
    assert folded
    assert min(folded) > 0
    printed = page.pdf(path=ARTIFACTS / "report.pdf", format="A4")
    assert printed.startswith(b"%PDF")
    assert printed.count(b"/Type /Page\n") >= 4
    page.close()


def test_a_script_in_a_value_is_shown_and_not_run(browser: Browser, reported: Reported) -> None:
    context = browser.new_context(bypass_csp=True)  # so that it is the escaping that is looked at
    page = context.new_page()
    said, asked = watched(page)
    page.goto(reported.page.as_uri())
    assert page.title().startswith("REHEARSAL")
    assert page.evaluate("document.querySelectorAll('script, img').length") == 0
    page.locator("#variables summary").click()
    assert page.get_by_text(SCRIPT, exact=True).is_visible()
    assert (said, asked) == ([], [reported.page.as_uri()])
    context.close()


def test_a_chart_file_alone_says_that_it_is_a_rehearsals(browser: Browser, reported: Reported) -> None:
    charts = reported.page.parent / "charts"
    assert {path.name for path in charts.iterdir()} == {
        f"{name}.{form}" for name in ("latency", "history", "timeline") for form in ("png", "svg")
    }
    page = browser.new_page()
    page.goto((charts / "history.svg").as_uri())
    assert "REHEARSAL: no figure here is a TPU's" in page.locator("svg").text_content()  # type: ignore[operator]
    page.close()


def test_a_run_without_benchmark_has_a_page_too(browser: Browser, reported: Reported) -> None:
    assert reported.operator.inv("step", "2.1").code == 0
    ended = reported.operator.inv("report", last_run(reported.operator))
    page = browser.new_page()
    page.goto(Path(ended.out.strip()).as_uri())
    assert page.locator("#figures").count() == 0
    assert page.locator(".verdict .word").all_inner_texts() == ["done"]
    page.close()


def watched(page: Page) -> tuple[list[str], list[str]]:
    """Collect what a page says on its console, and all that it asks for."""
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    return said, asked
