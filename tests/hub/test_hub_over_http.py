from __future__ import annotations

import hashlib
from urllib.parse import urlsplit

import pytest
import requests

MODEL = "openai/gpt-oss-120b"
SHARD = "model-00003-of-00014.safetensors"


def siblings(hub_url: str) -> dict[str, dict[str, object]]:
    answer = requests.get(f"{hub_url}/api/models/{MODEL}/revision/main?blobs=true", timeout=10).json()
    return {item["rfilename"]: item for item in answer["siblings"]}


def test_the_model_has_the_real_commit_and_layout(hub_url: str) -> None:
    answer = requests.get(f"{hub_url}/api/models/{MODEL}", timeout=10).json()
    assert answer["sha"] == "b5c939de8f754692c1647ca79fbf85e8c1e70f8a"
    names = [item["rfilename"] for item in answer["siblings"]]
    assert [name for name in names if name.startswith("model-")] == [
        f"model-{number:05}-of-00014.safetensors" for number in range(15)
    ]
    assert "metal/model.bin" in names
    assert "original/model--00007-of-00007.safetensors" in names


def test_every_file_has_the_hash_that_the_hub_says(hub_url: str) -> None:
    for path, item in siblings(hub_url).items():
        content = requests.get(f"{hub_url}/{MODEL}/resolve/main/{path}", timeout=10).content
        assert len(content) == item["size"]
        if "lfs" in item:
            assert {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}.items() <= dict(
                item["lfs"]  # type: ignore[call-overload]  # JSON
            ).items()
        else:
            assert hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest() == item["blobId"]


def test_serving_reads_between_two_and_five_megabytes(hub_url: str) -> None:
    served = [item for path, item in siblings(hub_url).items() if "/" not in path]
    assert 2e6 < sum(int(str(item["size"])) for item in served) < 5e6


def test_large_files_are_redirected_to_another_origin(hub_url: str) -> None:
    url = f"{hub_url}/{MODEL}/resolve/main/{SHARD}"
    head = requests.head(url, timeout=10)
    assert head.status_code == 302
    assert urlsplit(head.headers["Location"]).netloc != urlsplit(hub_url).netloc
    whole = requests.get(url, timeout=10).content
    assert head.headers["X-Linked-Etag"] == f'"{hashlib.sha256(whole).hexdigest()}"'
    assert head.headers["X-Linked-Size"] == str(len(whole))
    assert head.headers["X-Repo-Commit"] == "b5c939de8f754692c1647ca79fbf85e8c1e70f8a"
    part = requests.get(url, headers={"Range": "bytes=1000-1999"}, timeout=10)
    assert (part.status_code, part.content) == (206, whole[1000:2000])
    assert part.headers["Content-Range"] == f"bytes 1000-1999/{len(whole)}"
    beyond = requests.get(url, headers={"Range": f"bytes={len(whole)}-"}, timeout=10)
    assert beyond.status_code == 416


@pytest.mark.parametrize("change", [("Expires=", "Expires=9"), ("Signature=", "Signature=0"), ("?", "?x=")])
def test_the_cdn_wants_a_signature_that_has_not_expired(hub_url: str, change: tuple[str, str]) -> None:
    signed = requests.head(f"{hub_url}/{MODEL}/resolve/main/{SHARD}", timeout=10).headers["Location"]
    assert requests.get(signed, timeout=10).status_code == 200
    assert requests.get(signed.replace(*change), timeout=10).status_code == 403


def test_small_files_come_from_the_hub_itself(hub_url: str) -> None:
    answer = requests.get(f"{hub_url}/{MODEL}/resolve/main/config.json", timeout=10, allow_redirects=False)
    assert answer.json()["model_type"] == "gpt_oss"
    content = answer.content
    assert (
        answer.headers["ETag"]
        == f'"{hashlib.sha1(b"blob %d" % len(content) + bytes(1) + content).hexdigest()}"'
    )


@pytest.mark.parametrize(
    ("path", "token", "status", "code"),
    [
        ("api/models/nobody/nothing", None, 401, "RepoNotFound"),
        ("api/models/nobody/nothing", "hf_any", 404, "RepoNotFound"),
        (f"api/models/{MODEL}/revision/v2", None, 404, "RevisionNotFound"),
        (f"{MODEL}/resolve/main/missing.bin", None, 404, "EntryNotFound"),
        (f"{MODEL}/resolve/v2/config.json", None, 404, "RevisionNotFound"),
        (f"api/models/{MODEL}/tree/main/missing", None, 404, "EntryNotFound"),
        ("rehearsal/gpt-oss-gated/resolve/main/config.json", None, 401, "GatedRepo"),
        ("rehearsal/gpt-oss-gated/resolve/main/config.json", "hf_any", 403, "GatedRepo"),
        ("rehearsal/gpt-oss-gated/resolve/main/config.json", "hf_rehearsal_granted", 200, None),
        (f"api/models/{MODEL}", "not-a-token", 401, None),
        ("api/whoami-v2", None, 401, None),
        ("api/whoami-v2", "hf_any", 200, None),
    ],
)
def test_refusals_carry_the_hub_s_codes(
    hub_url: str, path: str, token: str | None, status: int, code: str | None
) -> None:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = requests.get(f"{hub_url}/{path}", headers=headers, timeout=10)
    assert (answer.status_code, answer.headers.get("X-Error-Code")) == (status, code)


def test_the_small_model_has_a_commit_of_its_own(hub_url: str) -> None:
    answer = requests.get(f"{hub_url}/api/models/rehearsal/gpt-oss-tiny", timeout=10).json()
    assert len(answer["sha"]) == 40
    by_commit = f"{hub_url}/rehearsal/gpt-oss-tiny/resolve/{answer['sha']}/LICENSE"
    assert "Apache License" in requests.get(by_commit, timeout=10).text
