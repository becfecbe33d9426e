"""How the durations that a manifest names pass in the stand-in's time."""

from __future__ import annotations

from rehearsal.world import Settings

_PATIENCE_SECONDS = 60.0
_SHORTEST_BACK_OFF_SECONDS = 0.5
_LONGEST_FAST_BACK_OFF_SECONDS = 10.0


def deadline_seconds(settings: Settings, seconds: float) -> float:
    """Say how long a deadline of a manifest lasts here.

    Scaled, but a minute at least (or what the manifest says, if less): programs start in real time.
    """
    return max(min(seconds, _PATIENCE_SECONDS), seconds * settings.starting_scale)


def back_off_seconds(settings: Settings, failures: int, first: float, longest: float) -> float:
    """Say how long to wait before a try after some failures: doubled each time, scaled.

    It grows from half a second even when time_scale is 0, so that a program that always fails
    does not keep the machine busy.

    Args:
        failures: how many there were, from 1.
        first: the real wait after the first failure.
        longest: the real wait that is never passed.
    """
    doubled = 2.0 ** min(failures - 1, 20)
    fast = min(_SHORTEST_BACK_OFF_SECONDS * doubled, _LONGEST_FAST_BACK_OFF_SECONDS)
    return max(fast, min(first * doubled, longest) * settings.time_scale)
