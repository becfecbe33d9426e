"""Scenarios: named states of the stand-in, described by the files of rehearsal/scenarios/."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rehearsal.control.reset import reset
from rehearsal.front.errors import GoogleError
from rehearsal.front.faults import Fault
from rehearsal.gke import Gke
from rehearsal.gke.names import ClusterName
from rehearsal.world import World

FOLDER = Path(__file__).parent.parent / "scenarios"
PARAMETERS: dict[str, Any] = {
    "project": "rehearsal-project",
    "location": "us-central1",
    "zone": "us-central1-c",
    "cluster": "rehearsal",
    "node_pool": "tpu7x",
}
"""What a scenario is about where the request does not say it."""


class Scenarios:
    """The scenarios that can be played on one stand-in.

    Args:
        world: the stand-in.
        gke: its GKE.
    """

    def __init__(self, world: World, gke: Gke) -> None:
        self._world = world
        self._gke = gke

    def list(self) -> list[dict[str, str]]:
        """Return each scenario's name and description."""
        files = sorted(FOLDER.glob("*.yml"))
        return [{"name": file.stem, "description": _read(file)["description"]} for file in files]

    async def play(self, name: str, parameters: Mapping[str, Any]) -> None:
        """Put the stand-in into a scenario's state.

        Args:
            name: of a file of rehearsal/scenarios/, without .yml.
            parameters: project, location, zone, cluster, node_pool, and what the file has of its own.

        Raises:
            GoogleError: 404, there is no such scenario; 400, a parameter or a state does not fit.
        """
        file = FOLDER / f"{name}.yml"
        if file not in FOLDER.glob("*.yml"):
            known = ", ".join(scenario["name"] for scenario in self.list())
            raise GoogleError(404, f"There is no scenario {name}: there are {known}.")
        scenario = _read(file)
        values = PARAMETERS | scenario.get("parameters", {}) | dict(parameters)
        await self._play(_filled(scenario, values), values)

    async def _play(self, scenario: dict[str, Any], values: Mapping[str, Any]) -> None:
        name = ClusterName(values["project"], values["location"], values["cluster"])
        if scenario.get("reset"):
            await reset(self._world, self._gke)
        if "cluster" in scenario:
            operation = self._gke.create_cluster(name, scenario["cluster"])
            await self._gke.operations.end_now(operation)
        if "operation" in scenario:
            self._gke.occupy(name, **scenario["operation"])
        for fault in scenario.get("faults", []):
            self._world.faults.add(_fault(fault))


def _fault(document: Mapping[str, Any]) -> Fault:
    try:
        return Fault.from_document(document)
    except ValueError as error:
        raise GoogleError(400, f"fault: {error}") from error


def _read(file: Path) -> dict[str, Any]:
    from ruamel.yaml import YAML

    scenario: dict[str, Any] = YAML(typ="safe").load(file)
    return scenario


def _filled(value: Any, values: Mapping[str, Any]) -> Any:
    """Replace {parameter} in every string; a string that is nothing else becomes the parameter itself."""
    if isinstance(value, dict):
        return {key: _filled(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, values) for item in value]
    if not isinstance(value, str):
        return value
    name = value[1:-1]
    return values[name] if value == f"{{{name}}}" and name in values else value.format_map(values)
