"""The server's HTTP API, against what vLLM 0.32.0 answered to the same requests."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.serving.programs import Server, StartServer

GUIDE: dict[str, Any] = {"prompt": "San Francisco is a", "max_tokens": 7, "temperature": 0}


def post(server: Server, path: str, body: object) -> requests.Response:
    return requests.post(f"{server.url}{path}", json=body, timeout=20)


def complete(server: Server, **body: Any) -> dict[str, Any]:
    answer = post(server, "/v1/completions", body)
    assert answer.status_code == 200, answer.text
    parsed: dict[str, Any] = answer.json()
    return parsed


def stream(server: Server, path: str = "/v1/completions", **body: Any) -> list[Any]:
    answer = post(server, path, {**body, "stream": True})
    assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    events = answer.text.removesuffix("\n\n").split("\n\n")
    assert all(event.startswith("data: ") for event in events)
    assert events[-1] == "data: [DONE]"
    return [json.loads(event.removeprefix("data: ")) for event in events[:-1]]


def test_the_guide_s_prompt_is_continued_readably_and_always_the_same(
    server: Server, shared_model: Path
) -> None:
    first = complete(server, model=str(shared_model), **GUIDE)
    again = complete(server, model=str(shared_model), **GUIDE)
    text = first["choices"][0]["text"]
    assert text == again["choices"][0]["text"]
    assert text.startswith(" ")
    assert all(word.isalpha() for word in text.replace(".", "").split())
    assert first["object"] == "text_completion"
    assert first["id"].startswith("cmpl-")
    assert first["model"] == str(shared_model)
    assert first["choices"][0] | {"text": ""} == {
        "index": 0,
        "text": "",
        "logprobs": None,
        "finish_reason": "length",
        "stop_reason": None,
        "token_ids": None,
        "prompt_logprobs": None,
        "prompt_token_ids": None,
    }
    prompt_tokens = post(server, "/tokenize", {"prompt": GUIDE["prompt"]}).json()["count"]
    assert first["usage"]["prompt_tokens"] == prompt_tokens
    assert first["usage"]["completion_tokens"] == 7
    assert first["usage"]["total_tokens"] == prompt_tokens + 7


@pytest.mark.parametrize(
    ("version", "of_answer", "of_choice"),
    [("0.13.2", set(), set()), ("0.32.0", {"ec_transfer_params", "metrics"}, {"routed_experts"})],
)
def test_a_current_release_answers_with_some_keys_more(
    start_server: StartServer, model: Path, version: str, of_answer: set[str], of_choice: set[str]
) -> None:
    answer = complete(start_server(model, REHEARSAL_VLLM_VERSION=version), model=str(model), **GUIDE)
    older = "id object created model choices service_tier system_fingerprint usage kv_transfer_params"
    assert answer.keys() - set(older.split()) == of_answer
    older = "index text logprobs finish_reason stop_reason token_ids prompt_logprobs prompt_token_ids"
    assert answer["choices"][0].keys() - set(older.split()) == of_choice


def test_a_stream_is_the_whole_answer_in_pieces_and_ends_with_usage(server: Server) -> None:
    whole = complete(server, **GUIDE)
    *chunks, last = stream(server, **GUIDE, stream_options={"include_usage": True})
    assert "".join(chunk["choices"][0]["text"] for chunk in chunks) == whole["choices"][0]["text"]
    assert len(chunks) == 7
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [None] * 6 + ["length"]
    assert all("usage" not in chunk for chunk in chunks)
    assert last["choices"] == []
    assert last["usage"]["completion_tokens"] == 7
    assert set(chunks[0]["choices"][0]) == {
        "index", "text", "logprobs", "finish_reason", "stop_reason", "prompt_token_ids", "token_ids",
    }  # fmt: skip


def test_usage_can_be_had_in_every_chunk(server: Server) -> None:
    options = {"include_usage": True, "continuous_usage_stats": True}
    chunks = stream(server, **GUIDE, stream_options=options)
    assert [chunk["usage"]["completion_tokens"] for chunk in chunks] == [1, 2, 3, 4, 5, 6, 7, 7]


def test_another_seed_gives_another_text(server: Server) -> None:
    texts = {
        complete(server, prompt="Once", max_tokens=30, temperature=1, seed=seed)["choices"][0]["text"]
        for seed in (1, 2, 1)
    }
    assert len(texts) == 2


def test_an_answer_ends_by_itself_unless_told_to_go_on(server: Server) -> None:
    ended = complete(server, prompt="Once", max_tokens=5000, temperature=0)
    forced = complete(server, prompt="Once", max_tokens=5000, temperature=0, ignore_eos=True)
    longer = complete(server, prompt="Once", max_tokens=5000, temperature=0, min_tokens=1000)
    assert ended["choices"][0]["finish_reason"] == "stop"
    assert ended["choices"][0]["text"].endswith(".")
    assert ended["usage"]["completion_tokens"] < 1000
    assert forced["choices"][0]["finish_reason"] == "length"
    assert forced["usage"]["completion_tokens"] == 5000
    assert longer["usage"]["completion_tokens"] == 1000


@pytest.mark.parametrize("stop", [".", ". ", " the"])
def test_a_stop_string_ends_the_answer_and_is_not_shown(server: Server, stop: str) -> None:
    free = complete(server, prompt="Once", max_tokens=200, temperature=0, ignore_eos=True)["choices"][0][
        "text"
    ]
    wanted: dict[str, Any] = {
        "prompt": "Once",
        "max_tokens": 200,
        "temperature": 0,
        "ignore_eos": True,
        "stop": [stop],
    }
    choice = complete(server, **wanted)["choices"][0]
    assert choice["text"] == free.split(stop, 1)[0]
    assert (choice["finish_reason"], choice["stop_reason"]) == ("stop", stop)
    assert "".join(chunk["choices"][0]["text"] for chunk in stream(server, **wanted)) == choice["text"]


def test_several_prompts_and_answers_come_numbered(server: Server) -> None:
    answer = complete(server, prompt=["One", "Two"], n=2, max_tokens=4, temperature=0)
    assert [choice["index"] for choice in answer["choices"]] == [0, 1, 2, 3]
    assert answer["usage"]["completion_tokens"] == 16
    chunks = stream(server, prompt=["One", "Two"], n=2, max_tokens=4, temperature=0)
    indexes = [chunk["choices"][0]["index"] for chunk in chunks]
    assert sorted(indexes) == [0] * 4 + [1] * 4 + [2] * 4 + [3] * 4


def test_a_prompt_may_be_token_ids(server: Server) -> None:
    tokens = post(server, "/tokenize", {"prompt": GUIDE["prompt"]}).json()["tokens"]
    by_ids = complete(server, prompt=tokens, max_tokens=7, temperature=0)
    assert by_ids["choices"][0]["text"] == complete(server, **GUIDE)["choices"][0]["text"]


def test_chat_answers_with_a_message(server: Server) -> None:
    body = {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 5, "temperature": 0}
    answer = post(server, "/v1/chat/completions", body).json()
    message = answer["choices"][0]["message"]
    assert (answer["object"], message["role"]) == ("chat.completion", "assistant")
    chunks = stream(server, "/v1/chat/completions", **body)
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert "".join(chunk["choices"][0]["delta"]["content"] for chunk in chunks) == message["content"]


def test_tokens_go_there_and_back(server: Server) -> None:
    tokenized = post(server, "/tokenize", {"prompt": "San Francisco"}).json()
    assert tokenized["count"] == len(tokenized["tokens"])
    assert tokenized["max_model_len"] == 9216
    assert post(server, "/detokenize", {"tokens": tokenized["tokens"]}).json() == {"prompt": "San Francisco"}


def test_the_model_list_is_what_clients_read(server: Server, shared_model: Path) -> None:
    [card] = requests.get(f"{server.url}/v1/models", timeout=10).json()["data"]
    assert (card["id"], card["root"]) == (str(shared_model), str(shared_model))
    assert (card["object"], card["owned_by"], card["max_model_len"]) == ("model", "vllm", 9216)
    assert card["permission"][0]["allow_sampling"] is True


def test_health_is_empty_and_version_is_the_release(server: Server) -> None:
    health = requests.get(f"{server.url}/health", timeout=10)
    assert (health.status_code, health.content) == (200, b"")
    assert requests.get(f"{server.url}/version", timeout=10).json() == {"version": "0.13.0"}


def test_a_wrong_model_is_not_found(server: Server) -> None:
    answer = post(server, "/v1/completions", {"model": "wrong-model", "prompt": "x"})
    assert answer.status_code == 404
    assert answer.json() == {
        "error": {
            "message": "The model `wrong-model` does not exist. Valid aliases: <path>",
            "type": "NotFoundError",
            "param": "model",
            "code": 404,
        }
    }


def test_the_guide_s_curl_with_its_comment_is_no_json(server: Server) -> None:
    body = '{\n    "model": "/model-vol-mount/gpt",  # Please replace it\n    "prompt": "San Francisco"\n}'
    answer = requests.post(
        f"{server.url}/v1/completions", data=body, headers={"Content-Type": "application/json"}, timeout=10
    )
    assert answer.status_code == 400
    assert answer.json() == {
        "error": {
            "message": "1 validation error:\n  {'type': 'json_invalid', 'loc': 'body.40', 'msg': 'JSON decode"
            " error', 'input': '<dict of 0 items>', 'ctx': {'error': 'Expecting property name enclosed in"
            " double quotes'}}",
            "type": "Bad Request",
            "param": "body.40",
            "code": 400,
        }
    }


def test_more_tokens_than_the_context_are_refused(server: Server) -> None:
    answer = post(server, "/v1/completions", {"prompt": "x", "max_tokens": 9999})
    assert answer.status_code == 400
    assert answer.json()["error"] == {
        "message": "max_tokens=9999 cannot be greater than max_model_len=9216. Please request fewer output"
        " tokens. (parameter=max_tokens, value=9999)",
        "type": "BadRequestError",
        "param": "max_tokens",
        "code": 400,
    }


def test_a_prompt_longer_than_the_context_is_refused(server: Server) -> None:
    answer = post(server, "/v1/completions", {"prompt": [97] * 9300, "max_tokens": 1})
    assert answer.status_code == 400
    assert answer.json()["error"] == {
        "message": "This model's maximum context length is 9216 tokens. However, your prompt contains 9300"
        " input tokens, which exceeds this limit even without any output tokens. Please reduce the length of"
        " the input prompt. (parameter=input_tokens, value=9300)",
        "type": "BadRequestError",
        "param": "input_tokens",
        "code": 400,
    }


def test_prompt_and_answer_together_are_refused_by_the_guide_s_release(server: Server) -> None:
    answer = post(server, "/v1/completions", {"prompt": [97] * 1026, "max_tokens": 8192})
    assert answer.status_code == 400
    assert "your request has 1026 input tokens (8192 > 9216 - 1026)" in answer.json()["error"]["message"]


def test_prompt_and_answer_together_are_clamped_by_a_current_release(
    start_server: StartServer, shared_model: Path
) -> None:
    current = start_server(shared_model, "--max-model-len=9216", REHEARSAL_VLLM_VERSION="0.32.0")
    answer = complete(current, prompt=[97] * 1026, max_tokens=8192, ignore_eos=True)
    assert answer["usage"]["completion_tokens"] == 8190


@pytest.mark.parametrize(
    ("body", "parameter"),
    [
        ({}, "body.prompt"),
        ({"prompt": "x", "max_tokens": "seven"}, "body.max_tokens"),
        ({"prompt": "x", "max_tokens": 0}, "max_tokens"),
        ({"prompt": "x", "temperature": -1}, "temperature"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": "x", "logprobs": 3}, "logprobs"),
    ],
)
def test_bad_parameters_are_refused_by_name(server: Server, body: dict[str, Any], parameter: str) -> None:
    answer = post(server, "/v1/completions", body)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, parameter)


def test_an_unknown_path_is_not_found(server: Server) -> None:
    answer = requests.get(f"{server.url}/v1/nothing", timeout=10)
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})


def test_an_api_key_guards_the_api_and_not_the_probes(start_server: StartServer, shared_model: Path) -> None:
    guarded = start_server(shared_model, "--api-key", "s3cret")
    models = f"{guarded.url}/v1/models"
    refused = requests.get(models, timeout=10)
    assert (refused.status_code, refused.json()) == (401, {"error": "Unauthorized"})
    assert requests.get(models, headers={"Authorization": "Bearer s3cret"}, timeout=10).status_code == 200
    assert requests.get(f"{guarded.url}/health", timeout=10).status_code == 200
    assert "s3cret" not in guarded.read_log()


def test_a_model_answers_to_all_of_its_names(start_server: StartServer, shared_model: Path) -> None:
    named = start_server(shared_model, "--served-model-name", "gpt-oss-120b", "openai/gpt-oss-120b")
    cards = requests.get(f"{named.url}/v1/models", timeout=10).json()["data"]
    assert [(card["id"], card["root"]) for card in cards] == [
        ("gpt-oss-120b", str(shared_model)),
        ("openai/gpt-oss-120b", str(shared_model)),
    ]
    assert complete(named, model="openai/gpt-oss-120b", **GUIDE)["model"] == "gpt-oss-120b"
    refused = post(named, "/v1/completions", {"model": str(shared_model), "prompt": "x"})
    assert "Valid aliases: gpt-oss-120b, openai/gpt-oss-120b" in refused.json()["error"]["message"]


def test_metrics_count_what_happened(start_server: StartServer, shared_model: Path) -> None:
    server = start_server(shared_model, "--data-parallel-size=2")
    usage = [complete(server, **GUIDE)["usage"] for _ in range(3)]
    complete(server, prompt="Once", max_tokens=5000, temperature=0)
    assert server.metric("vllm:request_success_total", 'finished_reason="length"') == 3
    assert server.metric("vllm:request_success_total", 'finished_reason="stop"') == 1
    assert server.metric("vllm:time_to_first_token_seconds_count") == 4
    assert server.metric("vllm:request_prompt_tokens_sum") == server.metric("vllm:prompt_tokens_total")
    assert server.metric("vllm:prompt_tokens_total") > sum(one["prompt_tokens"] for one in usage)
    assert server.metric("vllm:generation_tokens_total") > 21
    assert server.metric("vllm:num_requests_running") == 0
    page = requests.get(f"{server.url}/metrics", timeout=10).text
    assert f'vllm:num_requests_waiting{{engine="1",model_name="{shared_model}"}} 0.0' in page
    assert 'vllm:cache_config_info{engine="1"} 1.0' in page
    assert re.findall(r"vllm:admission_rejections_total(\{.*reason=\"max_num_queued_reqs\"\})", page) == [
        f'{{model_name="{shared_model}",reason="max_num_queued_reqs"}}'
    ]
    bounds = re.findall(r'num_preemptions_bucket\{engine="1",le="([^"]+)"', page)
    assert bounds == ["1.0", "2.0", "3.0", "4.0", "5.0", "10.0", "20.0", "+Inf"]


def test_the_metrics_page_has_every_family_that_vllm_has(server: Server) -> None:
    page = requests.get(f"{server.url}/metrics", timeout=10).text
    names = {
        line.split("{")[0].removesuffix("_bucket") for line in page.splitlines() if line.startswith("vllm:")
    }
    assert {
        "vllm:prompt_tokens_total", "vllm:generation_tokens_total", "vllm:request_success_total",
        "vllm:num_requests_running", "vllm:num_requests_waiting", "vllm:kv_cache_usage_perc",
        "vllm:time_to_first_token_seconds", "vllm:request_time_per_output_token_seconds",
        "vllm:inter_token_latency_seconds", "vllm:e2e_request_latency_seconds",
        "vllm:request_queue_time_seconds", "vllm:iteration_tokens_total", "vllm:cache_config_info",
        "vllm:prefix_cache_hits_created",
    } <= names  # fmt: skip


def open_stream(server: Server, max_tokens: int) -> requests.Response:
    body = {"prompt": "x", "max_tokens": max_tokens, "ignore_eos": True, "stream": True}
    return requests.post(f"{server.url}/v1/completions", json=body, stream=True, timeout=20)


def test_no_more_run_at_once_than_max_num_seqs(start_server: StartServer, shared_model: Path) -> None:
    server = start_server(shared_model, "--max-num-seqs=2", REHEARSAL_STEP_MS="20")
    answers = [open_stream(server, 500) for _ in range(3)]
    server.wait_for("vllm:num_requests_running", 2)
    assert server.metric("vllm:num_requests_waiting") == 1
    answers[0].close()
    server.wait_for("vllm:num_requests_waiting", 0)
    assert server.metric("vllm:num_requests_running") == 2
    for answer in answers:
        answer.close()


def test_a_client_that_goes_away_is_counted_as_aborted(start_server: StartServer, shared_model: Path) -> None:
    server = start_server(shared_model, REHEARSAL_STEP_MS="20")
    answer = open_stream(server, 2000)
    next(answer.iter_lines())
    answer.close()
    server.wait_for("vllm:num_requests_running", 0)
    assert server.metric("vllm:request_success_total", 'finished_reason="abort"') == 1
