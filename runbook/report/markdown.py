"""The written runbook: pages, one for each step, as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from runbook.engine.manual import Argv, Manual
from runbook.engine.shell import shell_text


@dataclass(frozen=True)
class Page:
    """What is written about one step.

    Args:
        section: such as `2.2`.
        name: such as `Create the cluster`.
        playbook: the playbook's name.
        uses: the step module.
        why: its explanation, one paragraph.
        left_out: why the step is not done with these variables; None where it is.
        manual: how to do it by hand; None where its module does not tell.
        step: the line of `inv` that does it.
    """

    section: str
    name: str
    playbook: str
    uses: str
    why: str
    left_out: str | None
    manual: Manual | None
    step: Argv

    @property
    def title(self) -> str:
        """The heading."""
        return f"{self.section} {self.name}"


def document(title: str, preface: Sequence[str], pages: Sequence[Page]) -> str:
    """Write all pages, with a table of contents.

    Args:
        title: of the whole.
        preface: paragraphs before the contents.
        pages: in the order that people read, playbook after playbook.
    """
    paragraphs = [f"# {title}", *preface, _contents(pages)]
    for playbook, own in groupby(pages, key=lambda page: page.playbook):
        paragraphs.append(f"# Playbook {playbook}")
        for page in own:
            paragraphs.extend(_paragraphs(page))
    return "\n\n".join(paragraphs) + "\n"


def _contents(pages: Sequence[Page]) -> str:
    lines = []
    for playbook, own in groupby(pages, key=lambda page: page.playbook):
        lines.append(f"- [{playbook}](#{_anchor(f'Playbook {playbook}')})")
        lines += [f"  - [{page.title}](#{_anchor(page.title)})" for page in own]
    return "\n".join(lines)


def _anchor(heading: str) -> str:
    """Name a heading as GitHub's renderer does."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _paragraphs(page: Page) -> Iterator[str]:
    yield f"## {page.title}"
    yield page.why
    if page.left_out:
        yield f"Left out with these variables (`{page.left_out}`)."
        return
    if page.manual:
        yield from _by_hand(page.manual)
        yield f"The same, looked at before and after:\n\n{block([page.step])}"
    else:
        yield f"The module `{page.uses}` does not tell how to do it by hand. Instead:\n\n{block([page.step])}"


def _by_hand(manual: Manual) -> Iterator[str]:
    if manual.note:
        yield manual.note
    if manual.commands:
        yield block(manual.commands)
    if manual.check:
        yield f"Check:\n\n{block(manual.check)}"
    if manual.undo:
        yield f"Undo:\n\n{block(manual.undo)}"


def block(commands: Sequence[Argv]) -> str:
    """Write commands as a block to paste into a shell."""
    lines = "\n".join(shell_text(argv) for argv in commands)
    return f"```sh\n{lines}\n```"
