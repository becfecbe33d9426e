"""Step modules: found by the name that a playbook uses."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from types import ModuleType
from typing import Any

from pydantic import BaseModel

from runbook.engine.bill import Bill
from runbook.engine.change import StepResult
from runbook.engine.errors import Place, PlaybookError
from runbook.engine.manual import Manual


@dataclass(frozen=True)
class StepModule:
    """One kind of step.

    Args:
        name: as playbooks use it, such as `gke.cluster`.
        summary: what it ensures, one line.
        document: the whole explanation.
        arguments: the pydantic model of `with:`.
        run: the generator function.
        validate: looks, without reading the cloud, whether the step could be run at all; called for all steps
            of a line before the first one begins. None where there is nothing to look at.
        manual: tells, from the variables alone, how to do the step by hand. None where nobody wrote it down.
        bills: names what costs money of what the step looks after, as the line leaves it; reads facts that
            the step has read. None where the step makes nothing that costs.
    """

    name: str
    summary: str
    document: str
    arguments: type[BaseModel]
    run: Callable[[Any, Any], StepResult]
    validate: Callable[[Any, Any], None] | None = None
    manual: Callable[[Any, Any], Manual] | None = None
    bills: Callable[[Any, Any], Sequence[Bill]] | None = None


class ModuleLibrary:
    """The step modules below one package.

    Args:
        package: its import name, such as `runbook.steps`.
    """

    def __init__(self, package: str) -> None:
        self._package = package

    def load(self, name: str, place: Place | None = None) -> StepModule:
        """Import the module that `uses: name` means.

        Args:
            name: such as `gke.cluster`.
            place: where the playbook says so, for the error.

        Raises:
            PlaybookError: there is no such module.
        """
        found = self._import(name)
        if found is None or not hasattr(found, "Arguments"):
            nearest = get_close_matches(name, self.names(), n=1)
            remedy = f"did you mean {nearest[0]}?" if nearest else "see: inv steps"
            raise PlaybookError(f"there is no step module {name!r}", place=place, remedy=remedy)
        document = inspect.getdoc(found) or ""
        return StepModule(
            name=name,
            summary=document.split("\n")[0].rstrip("."),
            document=document,
            arguments=found.Arguments,
            run=found.run,
            validate=getattr(found, "validate", None),
            manual=getattr(found, "manual", None),
            bills=getattr(found, "bills", None),
        )

    def names(self) -> list[str]:
        """List all modules by the names that playbooks use."""
        package = importlib.import_module(self._package)
        found = (module.name for module in pkgutil.walk_packages(package.__path__, f"{self._package}."))
        names = [name.removeprefix(f"{self._package}.") for name in found]
        return [name for name in names if "." in name and hasattr(self._import(name), "Arguments")]

    def _import(self, name: str) -> ModuleType | None:
        path = f"{self._package}.{name}"
        try:
            return importlib.import_module(path)
        except ModuleNotFoundError as error:
            if error.name and path.startswith(error.name):
                return None
            raise
