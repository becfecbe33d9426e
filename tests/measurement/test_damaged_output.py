"""A thousand damaged captures: none breaks the reading, and no wrong figure is taken as right."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

import pytest

from runbook.measurement.asked import Asked
from runbook.measurement.consistency import ROUNDED
from runbook.measurement.figures import Figures
from runbook.measurement.reading import read_result
from runbook.measurement.verdict import judge
from tests.measurement.captures_of_vllm import block_of, capture, carried, saved_without_details

Mutation = Callable[[random.Random, str], str]
PROGRESS = "\r 33%|███▎      | 4/12 [00:00<00:00, 36.51it/s]"
TIED = ("duration", "total_output_tokens", "output_throughput", "total_token_throughput")


def truncated(chance: random.Random, text: str) -> str:
    return text[: chance.randrange(len(text))]


def flipped(chance: random.Random, text: str) -> str:
    raw = bytearray(text.encode())
    for _ in range(chance.randint(1, 20)):
        raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
    return raw.decode("utf-8", "replace")


def dropped(chance: random.Random, text: str) -> str:
    lines = text.split("\n")
    for _ in range(chance.randint(1, 5)):
        del lines[chance.randrange(len(lines))]
        lines = lines or [""]
    return "\n".join(lines)


def doubled(chance: random.Random, text: str) -> str:
    lines = text.split("\n")
    for _ in range(chance.randint(1, 5)):
        place = chance.randrange(len(lines))
        lines.insert(chance.choice([place, chance.randrange(len(lines))]), lines[place])
    return "\n".join(lines)


def interleaved(chance: random.Random, text: str) -> str:
    lines = text.split("\n")
    foreign = ["INFO 11-23 [loggers.py] Engine 000: Running: 3 reqs", "  warnings.warn(", PROGRESS, "=" * 30]
    for _ in range(chance.randint(1, 8)):
        place = chance.randrange(len(lines))
        if chance.random() < 0.5:
            lines.insert(place, chance.choice(foreign))
        else:
            lines[place] = PROGRESS + lines[place]
    return "\n".join(lines)


def returned(chance: random.Random, text: str) -> str:
    return "".join(f"\r{letter}" if letter == "\n" and chance.random() < 0.5 else letter for letter in text)


def misnumbered(chance: random.Random, text: str) -> str:
    places = [place for place, letter in enumerate(text) if letter.isdigit()]
    letters = list(text)
    for place in chance.sample(places, chance.randint(1, 3)):
        letters[place] = chance.choice("0123456789")
    return "".join(letters)


def wrong_in_the_block(chance: random.Random, text: str) -> str:
    start = text.find("Serving Benchmark Result")
    return text if start < 0 else text[:start] + misnumbered(chance, text[start:])


MUTATIONS: list[Mutation] = [
    truncated, flipped, dropped, doubled, interleaved, returned, misnumbered, wrong_in_the_block,
]  # fmt: skip


def originals() -> dict[str, str]:
    saved = saved_without_details("bench-0.32-random.json")
    older = saved_without_details("bench-0.13-sonnet.json")
    return {
        "the guide's log": capture("bench-0.13-sonnet-guide.stdout"),
        "every flag": capture("bench-0.32-all-flags.stdout"),
        "some failed": capture("bench-0.32-some-fail.stdout"),
        "both streams": capture("bench-0.32-chunks-notty-default.txt"),
        "a saved JSON": capture("bench-0.13-sonnet.json"),
        "a saved JSON of today": capture("bench-0.32-random.json"),
        "a Job's log": f"{PROGRESS}\n{block_of(saved)}{carried(saved)}",
        "an older Job's log": f"{block_of(older)}{carried(older)}",
    }


def wrong(found: Figures, right: Figures) -> list[str]:
    return [
        key for key, value in found.items() if key not in right or abs(value - right[key]) > ROUNDED * 1.01
    ]


@pytest.mark.parametrize("name", list(originals()))
def test_no_damage_makes_a_wrong_figure_a_right_one(name: str) -> None:
    text = originals()[name]
    right = read_result(text).figures
    seen: Counter[str] = Counter()
    for seed in range(150):
        chance = random.Random(f"{name} {seed}")
        damaged = MUTATIONS[seed % len(MUTATIONS)](chance, text)
        reading = read_result(damaged)
        verdict = judge(reading, Asked())
        if not verdict.ok:
            seen[verdict.name] += 1
            continue
        off = wrong(reading.figures, right)
        assert not set(off) & reading.confirmed, (seed, off)
        if off:
            assert "stand in one place only" in " ".join(finding.evidence for finding in verdict.findings)
        for key in TIED:
            near = pytest.approx(right[key], rel=0.002, abs=ROUNDED)
            assert reading.figures.get(key, right[key]) == near, (seed, key)
        seen["ok, and right" if not off else "ok, and said to stand alone"] += 1
    assert seen["ok, and right"] or name == "some failed"
    assert set(seen) - {"ok, and right"}
