"""A model moved by four Pods: who moved what, the result beside the local way's, and who saw the token."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from tests.acceptance.conftest import Ended
from tests.in_cluster_transfer.conftest import MANIFEST, TOKEN, Site, eventually, settings

SHARDS = {f"model-{number:05}-of-00007.safetensors" for number in range(8)}


@dataclass(frozen=True)
class Seen:
    """What was in the cluster while one Pod still waited for its bytes, and how the line ended."""

    job: dict[str, Any]
    config: list[dict[str, Any]]
    secrets: list[dict[str, Any]]
    logs: dict[str, str]
    processes: str
    ended: Ended


@pytest.fixture(scope="module")
def seen(site: Site) -> Seen:
    site.fault("--path", "/lfs/", "--kind", "stall", "--seconds", "4")
    with site.operator.start("step", "3.2.3", *settings("made"), "--diff") as line:
        (job,) = eventually(site.jobs)
        eventually(lambda: sum("ended" in log for log in _logs(site).values()) == 3)
        logs, processes = _logs(site), " ".join(site.processes().values())
        config, secrets = site.of_the_core("configmaps"), site.of_the_core("secrets")
        out, error = line.communicate(timeout=60)
    assert line.returncode == 0, out + error
    return Seen(job, config, secrets, logs, processes, Ended(0, out, error))


def _logs(site: Site) -> dict[str, str]:
    return {pod["metadata"]["name"]: site.log(pod["metadata"]["name"]) for pod in site.pods()}


def orders(seen: Seen) -> list[set[str]]:
    """The files that each worker was told to move."""
    texts = [text for item in seen.config for text in item.get("data", {}).values()]
    documents = [json.loads(text) for text in texts]
    return [{item["file"]["path"] for item in found["consignment"]["deliveries"]} for found in documents]


def test_four_pods_share_the_files(seen: Seen, site: Site) -> None:
    shares = orders(seen)
    assert len(shares) == len(seen.logs) == seen.job["spec"]["completions"] == 4
    assert sum(map(len, shares)) == len(set.union(*shares))
    assert set.union(*shares) == set(site.objects("made")) - {MANIFEST}
    assert all(len(share & SHARDS) == 2 for share in shares)


def test_each_moves_its_own(seen: Seen) -> None:
    shares = orders(seen)
    for log in seen.logs.values():
        told = [json.loads(line) for line in log.splitlines()]
        moved = {event["path"] for event in told if event["event"] == "moved"}
        assert not moved or moved in shares


def test_the_result_is_that_of_the_local_way(seen: Seen, site: Site) -> None:
    local = site.operator.inv("step", "3.2.3", *settings("local", "transfer.where=local"))
    assert local.code == 0, local.out + local.error
    here, there = site.objects("local"), site.objects("made")
    compared = ("size", "crc32c", "metadata", "contentType")
    assert {path: [item.get(key) for key in compared] for path, item in there.items()} == {
        path: [item.get(key) for key in compared] for path, item in here.items()
    }
    assert MANIFEST in there


def test_the_same_line_again_finds_nothing_to_do(seen: Seen, site: Site) -> None:
    again = site.operator.inv("step", "3.2.3", *settings("made"))
    assert again.status("3.2.3") == "ok"


def test_nothing_is_left_behind(seen: Seen, site: Site) -> None:
    assert site.left() == []


def test_the_token_is_in_the_secret_alone(seen: Seen, site: Site) -> None:
    assert len(seen.secrets) == 1
    seen_by_others = [seen.job, seen.config, seen.logs, seen.processes, seen.ended.out, seen.ended.error]
    assert not [text for text in map(str, seen_by_others) if TOKEN in text]
    kept = [path for path in (site.operator.home / ".runs").rglob("*") if path.is_file()]
    assert not [path for path in kept if TOKEN in path.read_text(errors="replace")]


def test_all_of_it_is_the_jobs_own(seen: Seen) -> None:
    uid = seen.job["metadata"]["uid"]
    assert len(seen.config) == 5
    for item in [*seen.config, *seen.secrets]:
        assert [owner["uid"] for owner in item["metadata"]["ownerReferences"]] == [uid]


def test_the_printed_command_is_the_guides(seen: Seen) -> None:
    assert "$ hf download rehearsal/made-8x2MiB" in seen.ended.out
