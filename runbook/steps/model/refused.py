"""Pods that are refused: for good, or until a grant that was just made counts everywhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from runbook.engine.errors import CredentialsError, FailedError
from runbook.steps.auth.reads import project_number
from runbook.steps.context import Context
from runbook.steps.kube.patience import Patience
from runbook.steps.kube.trouble import Diagnosis
from runbook.steps.storage.iam_member import principal
from runbook.steps.storage.reads import members

_GRANT_SECONDS: Final = 300.0


@dataclass
class Refusals:
    """The refusals that the Pods of one Job have told of.

    Args:
        context: of the step.
    """

    context: Context
    _last: CredentialsError | None = None
    _patience: Patience = field(init=False)
    _seconds: float = 0.0

    def __post_init__(self) -> None:
        self._patience = Patience(self.context)

    def take(self, error: CredentialsError) -> CredentialsError:
        """Take what a Pod was told: by the hub, by Cloud Storage, or by the metadata server.

        Returns:
            the same, with what mends it here.
        """
        place = str(error.place)
        self._last = error
        if " gs://" in place:
            self._seconds = _GRANT_SECONDS if self._granted() else 0.0
            self._last = CredentialsError(error.message, place=error.place, remedy=self._remedy())
        else:
            self._seconds = _GRANT_SECONDS if "computeMetadata" in place else 0.0
        return self._last

    def over(self) -> None:
        """Forget them: bytes move."""
        self._last = None

    def final(self) -> CredentialsError | None:
        """Give the refusal that will not pass; None where there is none, or it may."""
        if self._last is None:
            return None
        self.context.report.condition(self._last.message)
        try:
            self._patience.judge(Diagnosis(self._last.message, "refused", self._seconds, self._last.message))
        except FailedError:
            return self._last
        return None

    def _granted(self) -> bool:
        """Tell whether the bucket's policy lets the Pods' ServiceAccount in as 3.3 does."""
        variables = self.context.variables
        if not variables.project:
            return False
        wanted = (variables.bucket.role, principal(self.context, project_number(self.context)))
        return wanted in members(self.context)

    def _remedy(self) -> str:
        role = self.context.variables.bucket.role
        return f"bucket.role must be roles/storage.objectUser (it is {role}), and granted: inv step 3.3"
