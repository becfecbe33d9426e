"""Ways to move a model from the hub to Cloud Storage, side by side: `python -m benchmarks.transfer`."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from benchmarks.transfer.place import ROOT, Place, clients, opened
from benchmarks.transfer.table import Measured, table
from benchmarks.transfer.usage import Usage, run
from benchmarks.transfer.ways import WAYS, Move, Way

_EMPTY = "rehearsal/made-1x4KiB"
"""What is moved to learn how large a client is when it has nothing to carry."""


def main() -> None:
    """Run all rounds, and print the table."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="transfer-") as folder, opened(Path(folder)) as place:
        measured = Rounds(place, Path(folder) / "disk", clients()).measure(
            options.ways.split(","), f"rehearsal/made-{options.model}", options.rounds
        )
        text = table(measured, options.model, options.rounds)
    print(text)
    if options.write:
        Path(options.write).write_text(text + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.transfer", description=__doc__)
    parser.add_argument("--model", default="8x256MiB", help="shards and their size")
    parser.add_argument("--rounds", type=int, default=3, help="how often each way is gone")
    parser.add_argument("--ways", default=",".join(WAYS), help=f"some of {','.join(WAYS)}")
    parser.add_argument("--write", help="a file that gets the table, too")
    return parser.parse_args()


class Rounds:
    """All ways in turn, round after round.

    Args:
        disk: a folder that ways may fill; it is emptied after each.
        programs: the folder of the clients' programs.
    """

    def __init__(self, place: Place, disk: Path, programs: Path) -> None:
        self._place = place
        self._disk = disk
        self._programs = programs

    def measure(self, chosen: Sequence[str], repository: str, rounds: int) -> list[Measured]:
        """Go the chosen ways; one whose program is missing is said, and left out."""
        size = sum(self._place.offered(repository).values())
        ways = {name: WAYS[name] for name in chosen}
        usable = {name: way for name, way in ways.items() if not way.missing}
        idle = {name: self._go(name, way, _EMPTY, "idle")[0] for name, way in usable.items()}
        usages: dict[str, list[Usage]] = defaultdict(list)
        left: dict[str, int] = defaultdict(int)
        for number in range(rounds):
            for name, way in usable.items():
                usage, kept = self._go(name, way, repository, f"round-{number}")
                usages[name].append(usage)
                left[name] = max(left[name], kept)
                print(f"round {number}: {name}: {size / usage.seconds / 1e6:.0f} MB/s", file=sys.stderr)
        return [Measured(way, size, usages[name], idle.get(name), left[name]) for name, way in ways.items()]

    def _go(self, name: str, way: Way, repository: str, run_name: str) -> tuple[Usage, int]:
        """Go one way once; return what it used, and how many bytes it left on the disk."""
        self._disk.mkdir()
        move = Move(repository, f"{name}-{run_name}", self._disk, self._programs)
        environ = {**self._place.environ, **move.environ, **way.environ}
        total = Usage()
        for command in way.commands(move):
            total = total.then(run(command, ROOT, environ))
        self._check(move)
        left = sum(path.stat().st_size for path in self._disk.rglob("*.safetensors"))
        shutil.rmtree(self._disk)
        return total, left

    def _check(self, move: Move) -> None:
        """See that the weights have arrived."""
        stored, offered = self._place.stored(move.folder), self._place.offered(move.repository)
        for path, size in offered.items():
            if path.endswith(".safetensors") and stored.get(path) != size:
                raise RuntimeError(f"{move.folder}/{path} has {stored.get(path)} bytes and not {size}")


if __name__ == "__main__":
    main()
