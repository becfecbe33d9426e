"""Whether two benchmarks may be compared: the server is what is compared, all else must be equal."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from runbook.engine.errors import UserError
from runbook.measurement.document import FINGERPRINT, Document, Scalar

SUBJECT: Final = frozenset({"server_image", "server_digest", "server_flags", "server_env"})
"""What a comparison is about: another image, other flags, another environment."""
_IN_ONE_STRING: Final = frozenset({"server_flags", "server_env"})
INSTRUMENT: Final = frozenset({"client_image", "client_version"})
"""The client. It may change where the server's image does, as both come from one image."""


@dataclass(frozen=True)
class Unlike:
    """A key of the fingerprint, or one of the server's flags or environment, in which two benchmarks differ.

    Args:
        key: such as `server_image`, or `server_flags: max-num-seqs`.
        baseline: its value there; None where there is none.
        candidate: likewise.
    """

    key: str
    baseline: Scalar
    candidate: Scalar


@dataclass(frozen=True)
class Likeness:
    """In what two benchmarks differ.

    Args:
        compared: differences that the comparison is about.
        refused: differences that make it meaningless.
        instrument: whether the client differs too.
    """

    compared: tuple[Unlike, ...]
    refused: tuple[Unlike, ...]
    instrument: bool


def allowed_keys(words: str) -> frozenset[str]:
    """Read the keys that may differ beside the server's.

    Args:
        words: keys of a fingerprint, comma-separated.

    Raises:
        UserError: one of them is no such key.
    """
    keys = frozenset(word.strip() for word in words.split(",") if word.strip())
    for key in sorted(keys - set(FINGERPRINT)):
        nearest = get_close_matches(key, FINGERPRINT, n=1)
        hint = f"did you mean {nearest[0]}?" if nearest else f"keys: {', '.join(FINGERPRINT)}"
        raise UserError(f"--allow {key}: a fingerprint has no such key", remedy=hint)
    return keys


def likeness(baseline: Document, candidate: Document, allowed: Collection[str]) -> Likeness:
    """Tell in what two benchmarks differ, and whether they may.

    Args:
        allowed: keys that may differ beside the server's.
    """
    before, after = configuration(baseline), configuration(candidate)
    keys = [key for key in before if key in after and before[key] != after[key]]
    may = _may_differ(baseline, candidate, allowed)
    found = {key: tuple(_unlike(key, baseline, candidate)) for key in keys}
    return Likeness(
        compared=tuple(item for key in keys if key in may for item in found[key]),
        refused=tuple(item for key in keys if key not in may for item in found[key]),
        instrument=bool(INSTRUMENT & set(keys) & may),
    )


def configuration(document: Document) -> dict[str, Scalar]:
    """Give all that was measured: runs in which it agrees are repeats of each other."""
    # `rehearsal` is no key of a fingerprint, so that nobody can allow it to differ
    return {"rehearsal": document.rehearsal, **document.fingerprint}


def agree(one: Mapping[str, Scalar], other: Mapping[str, Scalar]) -> bool:
    """Tell whether two configurations are the same; a key that an older document has not is no difference."""
    return all(one[key] == other[key] for key in one.keys() & other.keys())


def _may_differ(baseline: Document, candidate: Document, allowed: Collection[str]) -> frozenset[str]:
    together = all(
        _value(side, "client_image") == _value(side, "server_image") for side in (baseline, candidate)
    )
    instrument = INSTRUMENT if together and _moved(baseline, candidate) else frozenset()
    return SUBJECT | instrument | frozenset(allowed)


def _moved(baseline: Document, candidate: Document) -> bool:
    """Tell whether the server's image is another one: by its name, or behind a tag such as `latest`."""
    if _value(baseline, "server_image") != _value(candidate, "server_image"):
        return True
    digests = {_value(side, "server_digest") for side in (baseline, candidate)}
    return len(digests) > 1 and None not in digests


def _value(document: Document, key: str) -> Scalar:
    return configuration(document).get(key)


def _unlike(key: str, baseline: Document, candidate: Document) -> Iterator[Unlike]:
    before, after = _value(baseline, key), _value(candidate, key)
    flags = (_flags(before), _flags(after))
    if key not in _IN_ONE_STRING or flags[0] is None or flags[1] is None:
        yield Unlike(key, before, after)
        return
    for flag in sorted({*flags[0], *flags[1]}):
        if flags[0].get(flag) != flags[1].get(flag):
            yield Unlike(f"{key}: {flag}", _text(flags[0].get(flag)), _text(flags[1].get(flag)))


def _flags(text: Scalar) -> Mapping[str, Any] | None:
    try:
        found = json.loads(str(text))
    except ValueError:
        return None  # written by hand, or by another tool: it is shown whole
    return found if isinstance(found, dict) else None


def _text(value: Any) -> Scalar:
    return value if value is None or isinstance(value, str | int | float | bool) else json.dumps(value)
