"""Commands in what an operator is told: pasted, they must reach the environment's cluster."""

from __future__ import annotations

import re
from typing import Final

_VERBS: Final = (
    "annotate|config|cordon|create|delete|describe|drain|edit|exec|get|label|logs(?! in )|patch|port-forward"
    "|rollout|scale|taint|uncordon"
)
_COMMAND: Final = re.compile(rf"(?<!as `)\bkubectl (?:--|(?:{_VERBS})\b)[^;]*")


def bare_commands(text: str) -> list[str]:
    """Find the kubectl commands of a text that would go to whatever cluster the operator's context means."""
    return [found[0] for found in _COMMAND.finditer(text) if "--kubeconfig=" not in found[0]]
