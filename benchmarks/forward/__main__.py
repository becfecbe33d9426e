"""Throughput of one connection, and 200 connections at once: `python -m benchmarks.forward`.

This project's forward beside `kubectl port-forward` and the Python client's `stream.portforward`, in turn,
through the stand-in's Kubernetes API to one and the same source of bytes, each as a process of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.forward.place import PORT, SERVICE

ROOT = Path(__file__).parents[2]
CONNECTIONS = 200
ANSWER = 64 * 1024
LIMIT_SECONDS = 60.0


@dataclass(frozen=True)
class Figures:
    """What one round gave.

    Args:
        rate: of one connection, in MB/s.
        seconds: until all of the parallel connections had their answers, or gave up.
        answered: how many had.
    """

    rate: float
    seconds: float
    answered: int


def main() -> None:
    """Measure all forwarders, round after round, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.forward", description=__doc__)
    parser.add_argument("--megabytes", type=int, default=256, help="that the one connection carries")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured; one more warms up")
    options = parser.parse_args()
    found: dict[str, list[Figures]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as name, _served(Path(name)) as kubeconfig:
        for number in range(options.rounds + 1):
            for contender, command in _contenders(kubeconfig).items():
                with _forwarding(command) as port:
                    figures = _measure(port, options.megabytes * 1_000_000)
                if number:
                    found[contender].append(figures)
    print(_table(found))


def _contenders(kubeconfig: Path) -> dict[str, list[str]]:
    python = [sys.executable, "-m", "benchmarks.forward.contenders"]
    kubectl = ["kubectl", f"--kubeconfig={kubeconfig}", f"--cache-dir={kubeconfig.parent / 'cache'}"]
    return {
        "kubectl port-forward": [*kubectl, "port-forward", f"service/{SERVICE}", f":{PORT}"],
        "Python client, stream.portforward": [*python, "client", str(kubeconfig)],
        "this project": [*python, "ours", str(kubeconfig)],
    }


@contextmanager
def _served(folder: Path) -> Iterator[Path]:
    with _running([sys.executable, "-m", "benchmarks.forward.place", str(folder)]) as (process, line):
        assert line == "ready\n", process.returncode
        yield folder / "kubeconfig"


@contextmanager
def _forwarding(command: Sequence[str]) -> Iterator[int]:
    with _running(command) as (_, line):
        match = re.search(r"127\.0\.0\.1:(\d+) -> ", line)
        assert match is not None, line
        yield int(match[1])


@contextmanager
def _running(command: Sequence[str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start a program, and read its first line; it is interrupted at the end."""
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline()
        finally:
            process.terminate()
            process.wait(20)


def _measure(port: int, size: int) -> Figures:
    started = time.perf_counter()
    received = _read(port, size)
    rate = received / (time.perf_counter() - started) / 1e6
    assert received == size, f"{received} of {size} bytes"
    started = time.perf_counter()
    answered = asyncio.run(_parallel(port))
    return Figures(rate, time.perf_counter() - started, answered)


def _read(port: int, size: int) -> int:
    with socket.create_connection(("127.0.0.1", port), timeout=LIMIT_SECONDS) as connection:
        connection.sendall(f"{size}\n".encode())
        received = 0
        while received < size and (data := connection.recv(1024 * 1024)):
            received += len(data)
        return received


async def _parallel(port: int) -> int:
    """Open all connections at once, and hold each open until all have their answers."""
    done = asyncio.Barrier(CONNECTIONS)

    async def one() -> bool:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(f"{ANSWER}\n".encode())
            await reader.readexactly(ANSWER)
            await done.wait()
        except (OSError, asyncio.IncompleteReadError):
            await done.abort()
            return False
        except asyncio.BrokenBarrierError:
            return True
        finally:
            writer.close()
        return True

    tasks = [asyncio.create_task(one()) for _ in range(CONNECTIONS)]
    ended, late = await asyncio.wait(tasks, timeout=LIMIT_SECONDS)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    return sum(task.exception() is None and task.result() for task in ended)


def _table(found: dict[str, list[Figures]]) -> str:
    lines = [
        "| forwarder | one connection, MB/s | ratio | 200 at once, s | ratio | answered |",
        "|---|---|---|---|---|---|",
    ]
    rates = {name: statistics.median(item.rate for item in items) for name, items in found.items()}
    times = {name: statistics.median(item.seconds for item in items) for name, items in found.items()}
    first = next(iter(found))
    for name, items in found.items():
        answered = min(item.answered for item in items)
        lines.append(
            f"| {name} | {rates[name]:.0f} | {rates[name] / rates[first]:.2f} | {times[name]:.2f} "
            f"| {times[name] / times[first]:.2f} | {answered} of {CONNECTIONS} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
