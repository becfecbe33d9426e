"""`inv runbook`: each step of every playbook, as a person would do it by hand. No cloud is asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

from runbook.cli.catalogue import load_playbooks, load_variables, module_library
from runbook.cli.line import Line
from runbook.cli.surroundings import contexts
from runbook.config.load import Loaded
from runbook.engine.events import StepFace
from runbook.engine.facts import Facts
from runbook.engine.interruption import Interruption
from runbook.engine.manual import Argv, Manual
from runbook.engine.notifier import Notifier, StepVoice
from runbook.engine.playbook import StepSpec, all_steps, bind
from runbook.engine.report import StepReport
from runbook.engine.shell import SHELL, shell_text
from runbook.report.markdown import Page, block, document
from runbook.steps.context import Context

NO_RUN = "by-hand"
"""Stands where a run's name would."""


def write(line: Line) -> None:
    """Print the runbook with this line's values: Markdown, or one JSON object a step.

    Raises:
        RunbookError: a variable, a playbook or a template is wrong.
    """
    loaded = load_variables(line)
    surroundings = contexts(line, loaded, NO_RUN, check=True, facts=Facts(), interruption=Interruption())
    with surroundings as make_context:
        author = _Author(line, loaded, make_context)
        pages = [author.page(step) for step in all_steps(load_playbooks(line.root))]
    if line.options.json:
        print("\n".join(json.dumps(asdict(page)) for page in pages))
    else:
        title = f"Runbook of the environment {line.options.environment}"
        print(document(title, list(author.preface()), pages), end="")


@dataclass(frozen=True)
class _Author:
    """Writes pages with the values of one line."""

    line: Line
    loaded: Loaded
    make_context: Callable[[StepReport], Context]

    def preface(self) -> Iterator[str]:
        variables = self.loaded.variables
        values = {
            "provider": variables.provider,
            "project": variables.project,
            "cluster": variables.cluster.name,
            "bucket": variables.bucket.name,
            "model": variables.checkpoint.repository,
        }
        yield "Here: " + ", ".join(f"{name} `{value}`" for name, value in values.items() if value) + "."
        yield (
            "Each section says why, what to type in the project's folder, how to check and undo it, and "
            "the line of `inv` that does it all. Numbers such as D4 are traps: docs/steps.md explains them."
        )
        if variables.provider == "rehearsal":
            yield "Nothing here is real: first point the clients of this shell at the rehearsal."
            exports = shell_text(self._typed(["inv", "rehearsal.env"]))
            yield block([[*SHELL, f'eval "$({exports})"']])

    def page(self, step: StepSpec) -> Page:
        bound = bind(step, module_library(), self.loaded.tree)
        tell = None if bound.skip_reason else bound.module.manual
        voice = StepVoice(StepFace(step.section, step.name, step.uses, ()), Notifier([]))
        return Page(
            section=step.section,
            name=step.name,
            playbook=step.playbook,
            uses=step.uses,
            why=" ".join(bound.module.document.split()),
            left_out=bound.skip_reason,
            manual=self._with_options(tell(bound.arguments, self.make_context(voice))) if tell else None,
            step=self._typed(["inv", "step", step.section]),
        )

    def _with_options(self, manual: Manual) -> Manual:
        return Manual(
            commands=[self._typed(argv) for argv in manual.commands],
            check=[self._typed(argv) for argv in manual.check],
            undo=[self._typed(argv) for argv in manual.undo],
            note=manual.note,
        )

    def _typed(self, argv: Argv) -> Argv:
        """Give a command of `inv` the options of this line that choose the values."""
        if argv[0] != "inv":
            return argv
        options = self.line.options
        settings = [word for setting in options.settings for word in ("--set", setting)]
        return [*argv, "--env", options.environment, *settings]
