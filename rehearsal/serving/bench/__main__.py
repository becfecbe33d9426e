"""`python -m rehearsal.serving.bench`: vLLM's benchmark client, as a program."""

from __future__ import annotations

import asyncio
import sys
import traceback
from collections.abc import Sequence

from rehearsal.serving import container, real, release, tokenizer
from rehearsal.serving.bench import block, command_line, datasets, load, server_facts
from rehearsal.serving.bench.benchmark import Benchmark
from rehearsal.serving.console import complain, say


def main(arguments: Sequence[str]) -> int:
    """Run a benchmark; exits with 0 also when requests failed, as the real one does."""
    real.become("bench", arguments, container.current())
    played = release.played()
    try:
        options = command_line.parse(arguments, played)
        container.raise_open_file_limit()
        say(block.STAND_IN)
        say(options)
        asyncio.run(_until_parent_is_gone(Benchmark(options, container.current(), played)))
    except command_line.UnplayedError as error:
        complain(f"vllm bench serve: error: {error}")
        return 2
    except (tokenizer.TokenizerMissingError, datasets.DatasetError) as error:
        return _failed(error, getattr(error, "called", "OSError"))
    except server_facts.NoModelError as error:
        return _failed(error, "RuntimeError")
    except (load.NotReadyError, ValueError) as error:
        return _failed(error, "ValueError")
    return 0


async def _until_parent_is_gone(benchmark: Benchmark) -> None:
    run = asyncio.create_task(benchmark.run())
    alone = asyncio.create_task(container.current().outlive_nobody())
    await asyncio.wait({run, alone}, return_when=asyncio.FIRST_COMPLETED)
    alone.cancel()
    if not run.done():
        run.cancel()
        return
    run.result()


def _failed(error: BaseException, called: str) -> int:
    frames = "".join(traceback.format_tb(error.__traceback__))
    sys.stderr.write(f"Traceback (most recent call last):\n{frames}{called}: {error}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
