"""Scenarios: named states of the stand-in, described by the files of rehearsal/scenarios/."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rehearsal.control.callers import Callers
from rehearsal.control.verbs import Verbs
from rehearsal.front.errors import GoogleError
from rehearsal.gke import Gke
from rehearsal.projects import project_number
from rehearsal.world import World

FOLDER = Path(__file__).parent.parent / "scenarios"
PARTS = FOLDER / "parts"
PARAMETERS: dict[str, Any] = {
    "project": "rehearsal-project",
    "location": "us-central1",
    "region": "us-central1",
    "zone": "us-central1-c",
    "cluster": "rehearsal",
    "node_pool": "tpu7x-pool",
    "bucket": "rehearsal-models",
    "folder": "gpt-oss-tiny",
    "namespace": "default",
    "service_account": "default",
    "server": "vllm-tpu",
    "service": "vllm-service",
    "claim": "vllm-pvc",
    "bench": "vllm-bench",
}
"""What a scenario is about where the request does not say it."""
ABOUT = ("description", "parameters", "injected")
"""What a file says of itself; all its other keys are verbs, done in the order in which they stand."""


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
        kubeconfig = {"kubeconfig": str(self._world.home / "kubeconfig")}
        async with Callers(self._world) as callers:
            await self._play(file, kubeconfig | dict(parameters), callers)

    async def _play(self, file: Path, parameters: Mapping[str, Any], callers: Callers) -> None:
        scenario = _read(file)
        own = _filled(scenario.get("parameters", {}), PARAMETERS | dict(parameters))
        values = PARAMETERS | own | dict(parameters)
        values["project_number"] = project_number(values["project"])
        verbs = Verbs(self._world, self._gke, values, callers)
        for verb, told in scenario.items():
            if verb == "parts":
                for part in told:
                    await self._play(PARTS / f"{part}.yml", values, callers)
            elif verb not in ABOUT:
                await verbs.do(verb, _filled(told, values))


def _read(file: Path) -> dict[str, Any]:
    from ruamel.yaml import YAML

    scenario: dict[str, Any] = YAML(typ="safe").load(file)
    return scenario


def _filled(value: Any, values: Mapping[str, Any]) -> Any:
    """Replace {parameter} in every string; a string that is nothing else becomes the parameter itself."""
    if isinstance(value, dict):
        return {_filled(key, values): _filled(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, values) for item in value]
    if not isinstance(value, str):
        return value
    name = value[1:-1]
    return values[name] if value == f"{{{name}}}" and name in values else value.format_map(values)
