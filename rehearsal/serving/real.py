"""The real vLLM instead of the stand-in, where the container is told of an environment that has it.

It is no container to it: names of the cluster, ports and mounts become this machine's, and what only a TPU
can do is left to the CPU's defaults. Each change is said in the log. No figure becomes a TPU's by that.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rehearsal.serving.bench.datasets import IMAGE_SONNETS, SHIPPED_SONNETS
from rehearsal.serving.console import say
from rehearsal.serving.container import LOOPBACK, Container

_SERVE = ("-m", "vllm.entrypoints.openai.api_server")
_BENCH = (
    "-c",
    "import argparse, vllm.benchmarks.serve as serve\n"
    "parser = argparse.ArgumentParser(prog='vllm bench serve')\n"
    "serve.add_cli_args(parser)\n"
    "serve.main(parser.parse_args())",
)
"""The `vllm` command itself asks for a distribution of that name, which the CPU's packages do not have."""

_VERSION = ("-c", "import vllm; print(vllm.__version__)")

_ON_A_CPU: Mapping[str, str] = {
    "--tensor-parallel-size": "1",
    "--data-parallel-size": "1",
    "--load-format": "auto",
    "--kv-cache-dtype": "auto",
}
"""One engine for a machine's few cores; the streamer is another package; FP8 asks for AVX-512 (vLLM 0.32)."""
_ENVIRONMENT: Mapping[str, str] = {
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_RPC_BASE_PATH": "/tmp",  # noqa: S108 - sockets, whose paths end at 107 characters: a container's are longer
}


def become(program: str, arguments: Sequence[str], here: Container) -> None:
    """Replace this process by the real program; return where the container is told of none.

    Args:
        program: "server" or "bench".
        arguments: as the container's command line gives them.
    """
    python = here.real.get(program)
    if python is None:
        return
    start, adapted = _PROGRAMS[program]
    wanted = adapted(list(arguments), here)
    for before, after in _changes(arguments, wanted):
        say(f"REHEARSAL: {before or 'nothing'} -> {after}")
    # last, for who waits sees it until the real one has found its first words
    say(f"REHEARSAL: the real vLLM of {python} runs on this machine's CPU; no figure here is a TPU's.")
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    os.execve(python, [python, *start, *wanted], kept | dict(_ENVIRONMENT))  # noqa: S606 - the operator's own interpreter


def tell_version(here: Container) -> None:
    """Let the real client print its version in place of this process; return where there is none."""
    python = here.real.get("bench")
    if python is not None:
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        os.execve(python, [python, *_VERSION], kept)  # noqa: S606 - the operator's own interpreter


def _server(arguments: list[str], here: Container) -> list[str]:
    if arguments and not arguments[0].startswith("-"):  # the model, as `vllm serve` takes it
        arguments = [f"--model={arguments[0]}", *arguments[1:]]
    port = int(_value(arguments, "--port") or 8000)
    address, listening = here.listen_address(_value(arguments, "--host"), port)
    wanted = {"--host": address, "--port": str(listening)}
    model = _value(arguments, "--model")
    if model:
        wanted["--model"] = str(here.local_path(model))
    wanted |= {name: value for name, value in _ON_A_CPU.items() if _value(arguments, name)}
    return _with(arguments, wanted)


def _bench(arguments: list[str], here: Container) -> list[str]:
    host, port = _value(arguments, "--host") or LOOPBACK, _value(arguments, "--port") or "8000"
    local_host, _, local_port = here.hosts.get(f"{host}:{port}", f"{host}:{port}").rpartition(":")
    wanted = {"--host": local_host, "--port": local_port}
    # the model's name is what the server calls it; only the tokenizer is read here
    tokenizer = _value(arguments, "--tokenizer") or _value(arguments, "--model")
    if tokenizer:
        wanted["--tokenizer"] = str(here.local_path(tokenizer))
    if lines := _value(arguments, "--dataset-path"):
        wanted["--dataset-path"] = str(_lines(lines, here))
    return _with(arguments, wanted)


def _lines(path: str, here: Container) -> Path:
    """Find the file of a dataset; the one that lies in vLLM's image is played by lines of our own."""
    local = here.local_path(path)
    return SHIPPED_SONNETS if path == IMAGE_SONNETS and not local.is_file() else local


_PROGRAMS: Mapping[str, tuple[Sequence[str], Callable[[list[str], Container], list[str]]]] = {
    "server": (_SERVE, _server),
    "bench": (_BENCH, _bench),
}


def _value(arguments: Sequence[str], name: str) -> str | None:
    """Find what an option is given, as `--name=value`, as the manifests write it, or in two words."""
    for number, argument in enumerate(arguments):
        option, equals, value = argument.partition("=")
        if option == name:
            return value if equals else next(iter(arguments[number + 1 :]), None)
    return None


def _with(arguments: list[str], wanted: Mapping[str, str]) -> list[str]:
    """Give options other values; those that are not there are put first."""
    missing = [f"{name}={value}" for name, value in wanted.items() if _value(arguments, name) is None]
    changed: list[str] = []
    words = iter(arguments)
    for word in words:
        name, equals, _ = word.partition("=")
        if name in wanted:
            if not equals:
                next(words, None)
            changed.append(f"{name}={wanted[name]}")
        else:
            changed.append(word)
    return [*missing, *changed]


def _changes(before: Sequence[str], after: Sequence[str]) -> list[tuple[str, str]]:
    """Pair each word that is another one now with what it was; empty where there was none."""
    named = {word.partition("=")[0]: word for word in before if word.startswith("--")}
    return [(named.get(word.partition("=")[0], ""), word) for word in after if word not in before]
