"""All files of a consignment: several at once, the largest first; where one fails the others still arrive."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from runbook.engine.errors import CredentialsError, RunbookError
from runbook.transfer.move import Move
from runbook.transfer.session import StoredObject
from runbook.transfer.surroundings import Interrupted, Surroundings

LOOK_S = 0.05
T = TypeVar("T")


def move_all(around: Surroundings, pause: Callable[[float], object]) -> dict[str, StoredObject]:
    """Move all files. Where they replace a model that is in use, none appears before all have come.

    Args:
        around: what is moved, and what the files share.
        pause: waits some seconds, and raises when the operator interrupts.

    Returns:
        the objects by the files' paths.

    Raises:
        RunbookError: the first failure; the files that did arrive are kept.
    """
    order = around.consignment
    deliveries = sorted(order.deliveries, key=lambda delivery: -delivery.file.size)
    moves = {delivery.file.path: Move(around, delivery) for delivery in deliveries}
    for move in moves.values():
        move.announce()
    if order.together:
        _each(around, moves, Move.prepare, pause)
        _each(around, moves, Move.recheck, pause)
    return _each(around, moves, Move.commit, pause)


def _each(
    around: Surroundings, moves: dict[str, Move], act: Callable[[Move], T], pause: Callable[[float], object]
) -> dict[str, T]:
    with ThreadPoolExecutor(around.consignment.files_at_once, thread_name_prefix="transfer") as pool:
        acting = {path: pool.submit(_acted, around, act, move) for path, move in moves.items()}
        try:
            while not all(one.done() for one in acting.values()):
                pause(LOOK_S)
        except BaseException:
            around.stop.set()
            raise
    return _results(around, acting)


def _acted(around: Surroundings, act: Callable[[Move], T], move: Move) -> T:
    try:
        return act(move)
    except CredentialsError:
        around.stop.set()  # what is refused to one file is refused to all
        raise


def _results(around: Surroundings, acting: dict[str, Future[T]]) -> dict[str, T]:
    failures = [error for one in acting.values() if (error := one.exception())]
    told = [error for error in failures if isinstance(error, RunbookError)]
    for error in told[1:]:
        around.watcher.warning(f"{error.place}: {error.message}")
    if failures and all(isinstance(error, Interrupted) for error in failures):
        raise failures[0]
    for error in [*told, *failures]:
        raise error
    return {path: one.result() for path, one in acting.items()}
