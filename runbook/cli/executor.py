"""The executor of invoke.yaml: it makes one run of all the steps that a line's tasks queue."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from typing import Any

from invoke.exceptions import Exit
from invoke.executor import Executor
from invoke.tasks import Call

from runbook.cli.line import OPTION_NAMES, Line, Options


class LineExecutor(Executor):
    """Executes a line: gathers steps, runs them as one run, calls the other tasks in their place."""

    def execute(self, *tasks: Any) -> dict[Any, Any]:
        """Execute the tasks that invoke parsed off the command line.

        Raises:
            Exit: with the line's exit code, where that is not 0.
        """
        calls = self.normalize(tasks)
        options = Options.of((call.kwargs for call in calls), dry=bool(self.config.run.dry))
        line = Line.of(options, Path(self.collection.loaded_from or Path.cwd()))
        code = _guarded(calls, line)
        if code:
            raise Exit(code=code)
        return {}


def _guarded(calls: list[Call], line: Line) -> int:
    from runbook.engine.errors import RunbookError

    try:
        return _perform(calls, line)
    except RunbookError as error:
        from runbook.report.errors import print_error

        print_error(error, line.options.json)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
    except BrokenPipeError:
        sys.stderr.close()
    except OSError as error:
        _tell_operating_system(error)
    except Exception as bug:  # noqa: BLE001 - the operator gets one line, the maintainers the traceback
        _tell_defect(bug, line)
    return 1


def _tell_operating_system(error: OSError) -> None:
    named = f": {error.filename}" if error.filename else ""
    print(f"error: {(error.strerror or str(error)).lower()}{named}", file=sys.stderr)
    print("fix:   look at that path and whether you may write there", file=sys.stderr)


def _tell_defect(bug: Exception, line: Line) -> None:
    kept = line.runs / "defect.txt"
    line.runs.mkdir(parents=True, exist_ok=True, mode=0o700)
    kept.write_text(f"{line.arguments}\n{''.join(traceback.format_exception(bug))}")
    print(f"error: a defect of the runbook: {type(bug).__name__}: {bug}", file=sys.stderr)
    print(f"fix:   report it, with {kept}", file=sys.stderr)


def _perform(calls: list[Call], line: Line) -> int:
    code = 0
    for call in calls:
        own = {name: value for name, value in call.kwargs.items() if name not in OPTION_NAMES}
        if line.queued and not getattr(call.task, "queues", False):
            code = _run_queued(line) or code
            if code == 1:
                return code
        code = call.task.body(line, **own) or code
    return (_run_queued(line) or code) if line.queued else code


def _run_queued(line: Line) -> int:
    from runbook.cli.run import run_line

    try:
        code = run_line(line)
        return code if line.options.check else _judged(line, code)
    finally:
        line.gate = None
        line.sweeps = False
        line.rounds.clear()
        line.playbooks.clear()
        line.step_names.clear()


def _judged(line: Line, code: int) -> int:
    """Let a sweep, and a comparison, say the last word."""
    if line.sweeps:
        from runbook.cli.sweep import judge_sweep

        code = judge_sweep(line, code)
    if line.gate:
        from runbook.cli.comparison import judge_run

        code = judge_run(line, line.gate, code)
    return code
