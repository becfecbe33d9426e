from __future__ import annotations

import hashlib
import json
import struct
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

MADE = "rehearsal/made-3x5MiB"
SIZE = 5 << 20
SHARDS = [f"model-{number:05}-of-00002.safetensors" for number in range(3)]


def listed(hub_url: str, name: str = MADE, revision: str = "main") -> dict[str, Any]:
    url = f"{hub_url}/api/models/{name}/revision/{revision}?blobs=true"
    found: dict[str, Any] = requests.get(url, timeout=60).json()
    return found


def digests(listing: dict[str, Any]) -> dict[str, str]:
    return {
        item["rfilename"]: item["lfs"]["sha256"] if "lfs" in item else item["blobId"]
        for item in listing["siblings"]
    }


def content(hub_url: str, path: str, revision: str = "main", **headers: str) -> requests.Response:
    return requests.get(f"{hub_url}/{MADE}/resolve/{revision}/{path}", headers=headers, timeout=60)


@pytest.mark.parametrize("revision", ["main", "v2"])
def test_every_file_of_both_branches_has_the_hash_that_the_hub_says(hub_url: str, revision: str) -> None:
    listing = listed(hub_url, revision=revision)
    sizes = {item["rfilename"]: item["size"] for item in listing["siblings"]}
    assert [sizes[shard] for shard in SHARDS] == [SIZE] * 3
    for path, digest in digests(listing).items():
        data = content(hub_url, path, revision).content
        assert len(data) == sizes[path]
        git = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
        assert digest in (hashlib.sha256(data).hexdigest(), git), path


def test_it_has_what_serving_needs_beside_the_weights(hub_url: str) -> None:
    tiny = {path for path in digests(listed(hub_url, "rehearsal/gpt-oss-tiny")) if "/" not in path}
    shards = {path for path in tiny if path.endswith(".safetensors")}
    assert set(digests(listed(hub_url))) == tiny - shards | set(SHARDS)


def test_a_shard_is_a_safetensors_file_with_one_tensor_that_the_index_names(hub_url: str) -> None:
    data = content(hub_url, SHARDS[1]).content
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    assert header.pop("__metadata__") == {"format": "pt"}
    ((name, tensor),) = header.items()
    assert tensor["dtype"] == "U8"
    assert tensor["data_offsets"] == [0, len(data) - 8 - length]
    index = content(hub_url, "model.safetensors.index.json").json()
    assert index["weight_map"][name] == SHARDS[1]
    assert index["metadata"]["total_size"] == 3 * tensor["shape"][0]


def test_every_page_is_another_one(hub_url: str) -> None:
    every = b"".join(content(hub_url, shard).content for shard in SHARDS[:2])
    pages = {every[start : start + 64 * 1024] for start in range(0, len(every), 64 * 1024)}
    assert len(pages) == 2 * SIZE // (64 * 1024)


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=1000-3000000", 1000, 3000001),
        ("bytes=1048575-1048576", 1048575, 1048577),
        ("bytes=4194304-", 4194304, SIZE),
        ("bytes=-5", SIZE - 5, SIZE),
    ],
)
def test_any_range_is_that_part_of_the_whole(hub_url: str, asked: str, start: int, stop: int) -> None:
    whole = content(hub_url, SHARDS[0]).content
    part = content(hub_url, SHARDS[0], Range=asked)
    assert (part.status_code, part.headers["Content-Range"]) == (206, f"bytes {start}-{stop - 1}/{SIZE}")
    assert part.content == whole[start:stop]


def test_it_is_redirected_to_the_cdn_as_any_large_file(hub_url: str) -> None:
    url = f"{hub_url}/{MADE}/resolve/main/{SHARDS[2]}"
    head = requests.head(url, timeout=60)
    assert (head.status_code, head.headers["X-Linked-Size"]) == (302, str(SIZE))
    assert head.headers["X-Linked-Etag"] == f'"{digests(listed(hub_url))[SHARDS[2]]}"'
    assert requests.get(head.headers["Location"], timeout=60).status_code == 200
    forged = head.headers["Location"].replace("Signature=", "Signature=0")
    assert requests.get(forged, timeout=60).status_code == 403


def test_v2_has_another_first_shard_and_readme_and_the_rest_is_the_same(hub_url: str) -> None:
    main, changed = listed(hub_url), listed(hub_url, revision="v2")
    assert main["sha"] != changed["sha"]
    before, after = digests(main), digests(changed)
    assert {path for path in before if before[path] != after[path]} == {SHARDS[0], "README.md"}
    refs = requests.get(f"{hub_url}/api/models/{MADE}/refs", timeout=60).json()
    assert {branch["name"]: branch["targetCommit"] for branch in refs["branches"]} == {
        "main": main["sha"],
        "v2": changed["sha"],
    }


@pytest.mark.parametrize(
    "name", ["made-0x1MiB", "made-1x1KiB", "made-1x65GiB", "made-1x1000000GiB", "made-1x1", "made-1000x1MiB"]
)
def test_a_name_out_of_reason_is_no_repository(hub_url: str, name: str) -> None:
    answer = requests.get(
        f"{hub_url}/api/models/rehearsal/{name}", headers={"Authorization": "Bearer hf_any"}, timeout=60
    )
    assert (answer.status_code, answer.headers["X-Error-Code"]) == (404, "RepoNotFound")


def test_many_who_ask_first_at_once_get_the_same(hub_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: listed(hub_url, "rehearsal/made-2x64MiB")["sha"], range(4)))
    assert len(set(found)) == 1
