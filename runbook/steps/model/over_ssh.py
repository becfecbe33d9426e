"""The model moved by another host, whose way to hub and bucket is better; this machine only follows.

The transfer there goes on when the connection is lost or this process dies; the next run joins it. Its upload
sessions are opened here, so the host needs no Google login.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runbook.clients.ssh_transfer import SshTransfer
from runbook.engine.errors import ConflictError, InterruptedRunError, PassingError, Place
from runbook.steps.context import Context
from runbook.steps.model.following import Following
from runbook.transfer.orders import Orders
from runbook.transfer.session import PreconditionFailed

if TYPE_CHECKING:
    from runbook.clients.mount import Mount
    from runbook.transfer.detached import State
    from runbook.transfer.files import Consignment, Delivery


def moved_over_ssh(context: Context, mount: Mount, order: Consignment) -> Mapping[str, str]:
    """Have the files moved by the host of `transfer.ssh`; give base64 of their CRC32C by path.

    Raises:
        ConflictError: another model is on its way to the same folder there.
        PassingError: the transfer there died, or the host is not reached any more.
        RunbookError: the host, the hub or the bucket refused.
    """
    transfer = SshTransfer(context.connections.ssh, context.variables.transfer.ssh, _name(context))
    state = _Dispatch(context, mount, order, transfer).running()
    following = Following(context, transfer, state)
    try:
        return {path: made.crc32c for path, made in following.follow().items()}
    except (InterruptedRunError, KeyboardInterrupt):
        following.stop()
        raise


@dataclass(frozen=True)
class _Dispatch:
    """Sees to it that the files are on their way.

    Args:
        context: of the step.
        mount: opens the upload sessions.
        order: what is to be moved.
        transfer: on the host.
    """

    context: Context
    mount: Mount
    order: Consignment
    transfer: SshTransfer

    def running(self) -> State:
        """Join the transfer that runs there, or start one.

        Raises:
            ConflictError: the one that runs there moves something else.
        """
        state = self.transfer.look()
        if state.running:
            self.context.report.warning(
                f"{self.transfer.host}: a transfer runs there already (process {state.pid}); it is joined"
            )
        else:
            state = self.transfer.start(self._orders())
        if not (state.running and state.orders):
            raise PassingError(f"{self.transfer.host}: another run starts or looks there at this moment")
        self._refuse_another(state)
        return state

    def _refuse_another(self, state: State) -> None:
        found = Orders.read(state.orders).consignment
        known = _origin(found) == _origin(self.order)
        if not known or any(delivery not in found.deliveries for delivery in self.order.deliveries):
            raise ConflictError(
                f"another model ({found.repository} at {found.commit[:12]}) is on its way to this folder",
                place=Place(f"{self.transfer.host}, process {state.pid}"),
                remedy=f"wait for it and run the same line again, or end it there: kill {state.pid}",
            )

    def _orders(self) -> Orders:
        """Open a session for each file; one that the host's journal has already stays unused and expires."""
        with ThreadPoolExecutor(self.order.files_at_once) as pool:
            opened = pool.map(self._session, self.order.deliveries)
            sessions = {
                delivery.name: uri for delivery, uri in zip(self.order.deliveries, opened, strict=True)
            }
        return Orders(self.order, sessions, self.context.connections.endpoints.storage)

    def _session(self, delivery: Delivery) -> str:
        try:
            return self.mount.open(delivery)
        except PreconditionFailed as error:
            place = Place(f"gs://{self.order.bucket}/{delivery.name}")
            raise PassingError("the object was written since it was listed", place=place) from error


def _origin(order: Consignment) -> tuple[str, ...]:
    return order.hub, order.repository, order.commit, order.bucket


def _name(context: Context) -> str:
    """Name the transfer by where it goes: there is one for each folder of a bucket."""
    bucket, folder = context.variables.bucket.name, context.variables.checkpoint.folder
    address = f"{context.connections.endpoints.storage}/{bucket}/{folder}"
    return f"{bucket}-{hashlib.sha256(address.encode()).hexdigest()[:12]}"
