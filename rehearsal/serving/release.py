"""The vLLM release that the programs play: what is known to differ between two measured ones."""

from __future__ import annotations

import os
import re

VARIABLE = "REHEARSAL_VLLM_VERSION"
GUIDE_IMAGE = "0.13.0"


class Release:
    """One vLLM release.

    Known at first hand are 0.13.2 and 0.32.0 (0.31.0 for the sonnet dataset); a release between them is
    played as the older one.

    Args:
        version: such as "0.13.0"; what follows the numbers is ignored.

    Raises:
        ValueError: when the text does not start with two numbers.
    """

    def __init__(self, version: str) -> None:
        numbers = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", version)
        if numbers is None:
            raise ValueError(f"{VARIABLE}={version!r} is not a vLLM version such as {GUIDE_IMAGE}")
        self.version = version
        self._numbers = tuple(int(number or 0) for number in numbers.groups())

    @property
    def is_current(self) -> bool:
        """0.32 and later: no sonnet dataset, no ready check unless asked, output clamped to the context."""
        return self._numbers >= (0, 32, 0)

    @property
    def total_label(self) -> str:
        """How the result block names input and output tokens together."""
        word = "token" if self._numbers >= (0, 13, 2) else "Token"
        return f"Total {word} throughput (tok/s):"


def played() -> Release:
    """The release of this process: that of the guide's image unless the environment says otherwise."""
    return Release(os.environ.get(VARIABLE) or GUIDE_IMAGE)
