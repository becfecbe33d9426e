"""How long trouble with Pods may last: a wait ends on what does not pass, and on what did not in its time."""

from __future__ import annotations

import time
from typing import Final

from runbook.engine.errors import FailedError
from runbook.steps.context import Context
from runbook.steps.kube.remedies import reaching
from runbook.steps.kube.trouble import Diagnosis
from runbook.steps.symptoms.known import symptom
from runbook.steps.symptoms.values import remedy

_SHORTEST_SECONDS: Final = 3.0
_SETTLING_SECONDS: Final = 0.5
"""Objects are seen one after another: what does not pass is believed when it is still so after a moment."""


class Patience:
    """Compares diagnoses with how long they have been so.

    Trouble that comes and goes, as with a container that crashes again and again, counts from its beginning;
    another Pod begins anew.

    Args:
        context: gives the scale of time, and the values of remedies.
    """

    def __init__(self, context: Context) -> None:
        variables = context.variables
        self._context = context
        self._scale = variables.rehearsal.time_scale if variables.provider == "rehearsal" else 1.0
        self._pod = ""
        self._since: dict[tuple[str, bool], float] = {}

    def judge(self, found: Diagnosis) -> None:
        """End the wait where it is in vain.

        Raises:
            FailedError: the trouble is final, or has lasted too long.
        """
        if found.pod != self._pod:
            self._pod = found.pod
            self._since.clear()
        if found.patience_seconds is None:
            return
        patience = max(found.patience_seconds * self._scale, _SHORTEST_SECONDS)
        key = found.cause, bool(found.patience_seconds)
        if not found.patience_seconds:
            patience = _SETTLING_SECONDS
        if time.monotonic() - self._since.setdefault(key, time.monotonic()) >= patience:
            raise self._error(found)

    def _error(self, found: Diagnosis) -> FailedError:
        """Name cause and remedy."""
        if not found.symptom:
            told = found.remedy and reaching(self._context, found.remedy)
            return FailedError(found.evidence, remedy=told)
        known = symptom(found.symptom)
        return FailedError(f"{known.cause}: {found.evidence}", remedy=remedy(self._context, known))
