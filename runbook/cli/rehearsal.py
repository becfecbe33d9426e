"""`inv rehearsal.*`: the stand-in as a background process."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from runbook.cli.line import Line
from runbook.clients.rehearsal import StandIn

if TYPE_CHECKING:
    from runbook.config.schema import Rehearsal, Variables


FAULT_NUMBERS = {"after", "times", "status", "seconds", "bytes", "retry_after"}


def stand_in(line: Line) -> StandIn:
    """Name the stand-in that the line's home folder holds."""
    return StandIn(line.home, line.root)


def renew(line: Line) -> bool:
    """Start the stand-in again where it runs code of before, and tell whether it did."""
    there = stand_in(line)
    if not there.outdated:
        return False
    there.down()
    there.up()
    return True


def prepare(line: Line, wanted: Rehearsal, *, check: bool = False) -> None:
    """Have the stand-in run and behave as the variables say, before a run begins.

    A check leaves its behaviour alone, as another line may be running.
    """
    settings = wanted.model_dump()
    there = stand_in(line)
    if there.ask("GET", "settings") != settings and not check:
        there.ask("PUT", "settings", settings)


def up(line: Line) -> None:
    """Start the stand-in."""
    stand_in(line).up()
    status(line)


def down(line: Line) -> None:
    """Stop the stand-in."""
    stand_in(line).down()
    _tell(line, {"running": False}, "the rehearsal is down; what it was told is kept")


def status(line: Line) -> None:
    """Tell what the stand-in holds; it is not started for that."""
    there = stand_in(line)
    if there.endpoints is None:
        _tell(line, {"running": False}, "the rehearsal is down (inv rehearsal.up starts it)")
        return
    found = there.ask("GET", "status")
    _tell(line, {"running": True} | found, _table(found))


def requests(line: Line, clear: bool) -> None:
    """List the requests that the stand-in got, or forget them."""
    if clear:
        stand_in(line).ask("DELETE", "requests")
        return
    for request in stand_in(line).ask("GET", "requests"):
        text = "{api:<20} {method:<6} {status} {ms:>8.1f} ms  {path}".format_map(request)
        print(json.dumps(request) if line.options.json else text)


def fault(line: Line, told: Mapping[str, str], clear: bool) -> None:
    """Add a fault, take all back, or list them where none is described."""
    there = stand_in(line)
    if clear:
        there.ask("DELETE", "faults")
    elif told["api"] or told["path"] or told["method"]:
        there.ask("POST", "faults", _fault(told))
    for known in there.ask("GET", "faults"):
        print(json.dumps(known) if line.options.json else _table(known))


def scenario(line: Line, name: str) -> None:
    """Put the stand-in into a named state, or list the names."""
    there = stand_in(line)
    if not name:
        for known in there.ask("GET", "scenarios"):
            print(json.dumps(known) if line.options.json else "{name:<22} {description}".format_map(known))
        return
    there.ask("POST", f"scenarios/{name}", _parameters(line, _variables(line)))
    _tell(line, {"scenario": name}, f"the rehearsal is now: {name}")


def env(line: Line) -> None:
    """Print `export NAME=VALUE` lines for the real clients: eval "$(inv rehearsal.env)"."""
    from runbook.cli.real_clients import exports
    from runbook.clients.kube.kubeconfig import kubeconfig_path

    variables = _variables(line)
    there = stand_in(line)
    prepare(line, variables.rehearsal)
    kubeconfig = kubeconfig_path(variables, line.home, line.options.environment)
    for name, value in exports(there, variables, kubeconfig).items():
        print(json.dumps({"name": name, "value": value}) if line.options.json else _export(name, value))


def _export(name: str, value: str) -> str:
    return f"export {name}={shlex.quote(value)}"


def _variables(line: Line) -> Variables:
    from runbook.cli.catalogue import load_variables

    return load_variables(line).variables


def _parameters(line: Line, variables: Variables) -> dict[str, Any]:
    """Name what a scenario is about, as this environment names it."""
    from runbook.clients.kube.kubeconfig import kubeconfig_path

    named = {
        "project": variables.project,
        "region": variables.region,
        "location": variables.cluster.location,
        "cluster": variables.cluster.name,
        "node_pool": variables.node_pool.name,
        "zone": variables.zone,
        "reservation": variables.node_pool.reservation,
        "bucket": variables.bucket.name,
        "folder": variables.checkpoint.folder,
        "namespace": variables.kube.namespace,
        "service_account": variables.kube.service_account,
        "server": variables.server.name,
        "service": variables.server.service,
        "claim": variables.volume.claim,
        "bench": variables.bench.name,
        "kubeconfig": str(kubeconfig_path(variables, line.home, line.options.environment)),
    }
    return {name: value for name, value in named.items() if value}


def _fault(told: Mapping[str, str]) -> dict[str, Any]:
    from runbook.engine.errors import VariableError

    fault: dict[str, Any] = {name: value for name, value in told.items() if value}
    for name in FAULT_NUMBERS & fault.keys():
        try:
            fault[name] = json.loads(told[name])
        except ValueError as error:
            flag = name.replace("_", "-")
            raise VariableError(f"--{flag} wants a number, not {told[name]!r}") from error
    return fault


def _table(found: Mapping[str, Any]) -> str:
    return "\n".join(f"{key:<12} {value}" for key, value in found.items())


def _tell(line: Line, record: Mapping[str, Any], text: str) -> None:
    print(json.dumps(record) if line.options.json else text)
