"""What is in the folder already: of others, of an earlier commit, or no file of the model any more."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from runbook.engine.change import Change
from runbook.engine.errors import ConflictError, RefusedError
from runbook.engine.outcome import Outcome, Status
from tests.steps_gke.workplace import paths, variables_with
from tests.transfer.conftest import FIRST, FOLDER, LAST, MANIFEST, Shipment

Make = Callable[..., Shipment]


def at_revision(shipment: Shipment, revision: str) -> Shipment:
    """The same bucket and repository, at another revision."""
    settings = (
        f"bucket.name={shipment.bucket}",
        f"checkpoint.repository={shipment.work.variables.checkpoint.repository}",
        f"checkpoint.folder={FOLDER}",
        f"checkpoint.revision={revision}",
        "transfer.stall_s=1",
    )
    return Shipment(replace(shipment.work, variables=variables_with(*settings)))


def refusing(shipment: Shipment) -> Shipment:
    """The same, by an operator who says no to every loss."""

    def no(change: Change) -> bool:
        raise RefusedError(f"not confirmed: {change.loss}")

    return Shipment(replace(shipment.work, ask=no))


def test_an_object_of_others_is_named_and_asked_about(shipment: Shipment) -> None:
    shipment.write("config.json", b"of somebody else")
    planned = shipment.work.checked_without_a_write("model.upload")
    (change,) = planned.changes
    assert "config.json (16 B): not written by the runbook, and overwritten" in str(change.loss)
    assert isinstance(refusing(shipment).run().error, RefusedError)
    assert shipment.content("config.json") == b"of somebody else"
    assert shipment.run().status is Status.CHANGED
    assert shipment.all_right()


def test_an_own_object_with_other_bytes_is_mended_without_a_question(shipment: Shipment) -> None:
    shipment.run()
    shipment.write(FIRST, b"of somebody else")
    assert refusing(shipment).run().status is Status.CHANGED
    assert shipment.all_right()


def run_and_meanwhile(shipment: Shipment, write: bytes) -> Outcome:
    """Run the step; while the bytes of the first shard are on their way somebody writes it."""
    shipment.fault(api="cdn", kind="stall", seconds=0.8, times=2)
    ended: list[Outcome] = []
    moving = threading.Thread(target=lambda: ended.append(shipment.run()))
    moving.start()
    while moving.is_alive() and not shipment.requests(
        "storage", "POST", f"/{shipment.bucket}/o?name={FOLDER}/{FIRST}"
    ):
        time.sleep(0.02)
    shipment.write(FIRST, write)
    moving.join(60)
    return ended[0]


def test_an_object_that_appears_meanwhile_is_left_alone_and_its_generation_named(shipment: Shipment) -> None:
    outcome = run_and_meanwhile(shipment, b"of somebody else")
    assert isinstance(outcome.error, ConflictError)
    generation = shipment.objects()[FIRST]["generation"]
    assert f"generation {generation}, 16 bytes" in outcome.error.message
    assert shipment.content(FIRST) == b"of somebody else"
    assert MANIFEST not in shipment.objects()


def test_the_same_bytes_that_appear_meanwhile_are_as_good(shipment_with: Make, shipment: Shipment) -> None:
    shipment.run()
    other = shipment_with()
    run_and_meanwhile(other, shipment.content(FIRST))
    assert other.content(FIRST) == shipment.content(FIRST)
    assert MANIFEST in other.objects()


def test_after_a_change_upstream_only_changed_files_move(shipment: Shipment) -> None:
    shipment.run()
    before = shipment.objects()
    changed = at_revision(shipment, "v2")
    (change,) = changed.work.converges("model.upload")
    moved = {path.rpartition("/")[2] for path in paths([change])}
    assert FIRST in moved
    assert LAST not in moved
    after = changed.objects()
    assert after[LAST]["generation"] == before[LAST]["generation"]
    assert after[FIRST]["generation"] != before[FIRST]["generation"]
    assert changed.all_right()


def test_in_a_folder_that_is_in_use_nothing_appears_before_all_is_there(shipment: Shipment) -> None:
    shipment.run()
    before = {path: held["generation"] for path, held in shipment.objects().items()}
    shipment.work.cloud.ask("DELETE", f"/storage/v1/b/{shipment.bucket}/o/{FOLDER}%2FLICENSE")
    changed = at_revision(shipment, "v2")
    changed.fault(api="cdn", kind="flip", bytes=10, times=1000)
    assert changed.run().error is not None
    held = {path: held["generation"] for path, held in changed.objects().items()}
    assert held == {path: generation for path, generation in before.items() if path != "LICENSE"}
    changed.work.cloud.control("DELETE", "faults")
    assert changed.run().status is Status.CHANGED
    assert changed.all_right()


def test_what_is_no_file_of_the_model_any_more_is_asked_about_and_deleted(shipment_with: Make) -> None:
    shipment = shipment_with()
    shipment.run()
    narrower = shipment_with("checkpoint.exclude=[LICENSE]")
    narrower.work.variables = replace_bucket(narrower, shipment.bucket)
    (change,) = narrower.work.converges("model.upload")
    assert "LICENSE: deleted, being no file of the model any more" in str(change.loss)
    assert "gcloud storage rm" in change.command[-1]
    assert "LICENSE" not in narrower.objects()


def replace_bucket(shipment: Shipment, bucket: str):
    variables = shipment.work.variables
    return variables.model_copy(update={"bucket": variables.bucket.model_copy(update={"name": bucket})})


def test_what_others_keep_beside_the_model_is_left_alone(shipment: Shipment) -> None:
    shipment.write("notes.txt", b"mine")
    shipment.run()
    assert shipment.content("notes.txt") == b"mine"
    assert shipment.work.check("model.upload").status is Status.OK


def test_the_manifest_is_written_last(shipment: Shipment) -> None:
    shipment.run()
    generations = {path: int(held["generation"]) for path, held in shipment.objects().items()}
    assert max(generations, key=lambda path: generations[path]) == MANIFEST
    assert len(json.loads(shipment.content(MANIFEST))["files"]) == len(generations) - 1
