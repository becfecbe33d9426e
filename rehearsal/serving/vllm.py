"""`python -m rehearsal.serving.vllm`: the `vllm` command, for scripts that call it."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rehearsal.serving import container, real, release
from rehearsal.serving.console import complain, say

USAGE = "usage: vllm [-h] [-v] {serve,bench} ..."


def main(arguments: Sequence[str]) -> int:
    """Run `vllm serve ...`, `vllm bench serve ...` or `vllm --version`."""
    match [*arguments]:
        case ["serve", *_]:
            from rehearsal.serving.server.__main__ import main as serve

            return serve(arguments)
        case ["bench", "serve", *rest]:
            from rehearsal.serving.bench.__main__ import main as bench

            return bench(rest)
        case ["-v" | "--version"]:
            real.tell_version(container.current())
            say(release.played().version)
            return 0
        case ["-h" | "--help"]:
            say(USAGE)
            return 0
        case _:
            complain(f"{USAGE}\nvllm: error: the rehearsal plays serve and bench serve only")
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
