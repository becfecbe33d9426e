"""The model moved by Pods of the cluster (transfer.where=cluster): no uplink, no one machine is the limit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from runbook.engine.errors import InterruptedRunError, PassingError
from runbook.steps.context import Context
from runbook.steps.model import worker_job
from runbook.steps.model.comparison import DIGEST
from runbook.steps.model.shares import orders, shared_out
from runbook.steps.model.worker_logs import follow
from runbook.transfer.files import Consignment
from runbook.transfer.session import StoredObject

_NO_ORDERS: Final = ("{}",)


def validate(context: Context) -> None:
    """Render the Job's template before the line begins, so that a mistake in it costs nothing.

    Raises:
        ManifestError: the template, or what it renders to, is wrong.
    """
    worker_job.objects(context, "model-transfer", _NO_ORDERS)


def move_in_cluster(context: Context, order: Consignment) -> Mapping[str, str]:
    """Move the files, or wait for the Job of an earlier run that does; give base64 of their CRC32C by path.

    Raises:
        RunbookError: hub or bucket refused, the Pods cannot run, or another Job is in the way.
    """
    job = worker_job.job(context, order)
    if worker_job.running(context, job):
        context.report.condition(f"joined {job}, which is running")
    elif not order.deliveries:
        return {}
    else:
        shares = shared_out(order, context.variables.transfer.workers)
        texts = orders(shares, context.connections.endpoints.storage)
        worker_job.begin(context, job, texts, order.token)
    try:
        told, failure = follow(context, job)
    except InterruptedRunError as error:
        stop = worker_job.deletion(context, job)
        remedy = f"the same line joins it; to end it: {stop}"
        raise InterruptedRunError(f"interrupted; {job} goes on in the cluster", remedy=remedy) from error
    worker_job.remove(context, job)
    if failure:
        raise failure
    return _arrived(context, order, told)


def _arrived(context: Context, order: Consignment, told: Mapping[str, StoredObject]) -> dict[str, str]:
    """List the objects again: a log may have been cut, and a Job that was joined had its own orders."""
    folder = context.variables.checkpoint.folder
    found = context.connections.storage.objects(order.bucket, f"{folder}/")
    held = {one.name: one for one in found}
    checksums = {}
    for delivery in order.deliveries:
        one, file = held.get(delivery.name), delivery.file
        if one is None or (one.size, one.metadata.get(DIGEST)) != (file.size, file.digest):
            raise PassingError(f"gs://{order.bucket}/{delivery.name} was not among what the Job moved")
        checksums[file.path] = told[file.path].crc32c if file.path in told else one.crc32c
    return checksums
