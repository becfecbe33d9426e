"""What `inv` offers. The options of the line may follow any task and hold for all tasks of the line."""

import signal
import sys

sys.dont_write_bytecode = False  # invoke turns it off, and every start would compile the package anew

from collections.abc import Callable
from importlib import import_module
from typing import Any

from invoke.collection import Collection
from invoke.parser.argument import Argument
from invoke.tasks import Task, task

HELP_ASKED = not {"--help", "-h"}.isdisjoint(sys.argv)
"""Then no word of the line is an argument without a flag: a prompt would else be the text `--help`."""
if HELP_ASKED or not {"--list", "-l"}.isdisjoint(sys.argv):
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # invoke itself prints these, and `| head` ends the line


def line_options() -> list[Argument]:
    """Make the options that every task takes; the executor reads them off the whole line."""
    return [
        Argument("env", help="the environment, vars/envs/NAME.yml (or RUNBOOK_ENV; default: rehearsal)"),
        Argument("check", kind=bool, default=False, help="change nothing, show the plan; exit 2 if pending"),
        Argument("diff", kind=bool, default=False, help="show every difference in full"),
        Argument("set", kind=list, help="KEY=VALUE over all variable files; repeatable"),
        Argument("tags", help="only steps with one of these tags, comma-separated"),
        Argument("skip-tags", attr_name="skip_tags", help="no step with one of these tags"),
        Argument("start-at", attr_name="start_at", help="leave out the steps before this one"),
        Argument("yes", kind=bool, default=False, help="confirm every loss beforehand"),
        Argument("json", kind=bool, default=False, help="one JSON object a line on stdout, nothing else"),
        Argument("verbose", kind=bool, default=False, help="show every wait and condition as a line"),
    ]


class LineTask(Task[Any]):
    """A task with the options of the line, its own options, and at most one word that may be left out.

    invoke has no optional positional arguments, so the word is one only where the command line holds it.
    """

    word: str | None = None
    queues: bool = False

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    def get_arguments(self, ignore_unknown_help: bool | None = None) -> list[Argument]:
        """List the task's own arguments, then the options of the line."""
        own = super().get_arguments(ignore_unknown_help)
        if HELP_ASKED:
            for argument in own:
                argument.positional = False
        for argument in own:
            if argument.name == self.word and self._word_given([*own, *line_options()]):
                argument.positional, argument.default = True, None
        return [*own, *line_options()]

    def _word_given(self, options: list[Argument]) -> bool:
        names = {self.name, *self.aliases}
        words = iter(sys.argv[1:])
        if not any(word.rpartition(".")[2] in names for word in words):
            return False
        names_taking = [option.names[0] for option in options if option.takes_value]
        with_value = {f"--{name.replace('_', '-')}" for name in names_taking}
        for word in words:
            if word == "-" or not word.startswith("-"):
                return True
            if word in with_value:
                next(words, None)
        return False


class PlaybookTask(LineTask):
    """A task that adds steps to the line; the executor runs the steps of all of them as one run."""

    queues = True


def word_task(
    word: str, kind: type[LineTask] = LineTask, name: str | None = None, help: dict[str, str] | None = None
) -> Callable[[Callable[..., Any]], LineTask]:
    """Make a task of a function whose argument `word` may follow the task's name without a flag."""

    def decorate(body: Callable[..., Any]) -> LineTask:
        made = kind(body, name=name, auto_shortflags=False, help=help)
        made.word = word
        return made

    return decorate


def command(line: Any, target: str, **arguments: Any) -> Any:
    """Call `module.function` of runbook.cli; it is imported only now, so that `inv --list` stays quick."""
    module, _, function = target.partition(".")
    return getattr(import_module(f"runbook.cli.{module}"), function)(line, **arguments)


@task(klass=PlaybookTask)
def setup(line: Any) -> None:
    """Make the cluster, its features, the node pool, the bucket, the grant; move the model (1 to 3.3)."""
    line.add_playbook("setup")


@task(klass=PlaybookTask)
def deploy(line: Any) -> None:
    """Get credentials, render, apply, wait until the server answers (4.1 to 4.3)."""
    line.add_playbook("deploy")


@task(klass=PlaybookTask)
def smoke(line: Any) -> None:
    """Port-forward the Service, ask for a completion, judge it (4.4, 4.5)."""
    line.add_playbook("smoke")


@task(klass=LineTask)
def forward(line: Any) -> Any:
    """Lead a port of this machine to the server until Ctrl-C, whatever becomes of its Pods (4.4)."""
    return command(line, "forward.keep_open")


@task(
    klass=LineTask,
    auto_shortflags=False,
    help={
        "prompt": "what is to be completed; - reads it from stdin",
        "max-tokens": "tokens of the answer at most (default: 256)",
        "temperature": "0: always the likeliest token (default)",
        "model": "a name that the server answers to (default: its first)",
    },
)
def ask(line: Any, prompt: str, max_tokens: str = "256", temperature: str = "0", model: str = "") -> Any:
    """Stream the server's answer to a prompt, and tell how fast it came (4.5)."""
    return command(
        line, "ask.ask", prompt=prompt, max_tokens=max_tokens, temperature=temperature, model=model
    )


@task(
    klass=PlaybookTask,
    auto_shortflags=False,
    optional=["markdown"],
    help={
        "workload": "one of bench.workloads, such as chat (default: bench.workload)",
        "repeat": "measure so many times, one after the other (default: 1)",
        "baseline": "compare with: last, best, an id, its beginning, a file or a folder of files",
        "gate": "let the comparison decide: exit 1 at a regression, 2 where it cannot be judged",
        "allow": "KEY[,KEY] of the fingerprint that may differ beside the server's",
        "markdown": "write the comparison to this file (without one: to stdout)",
        "junit": "write the comparison to this file, as JUnit XML",
    },
)
def bench(
    line: Any,
    workload: str = "",
    repeat: str = "",
    baseline: str = "",
    gate: bool = False,
    allow: str = "",
    markdown: str = "",
    junit: str = "",
) -> None:
    """Run vllm bench serve in the cluster, follow it, keep the result (5.1, 5.2)."""
    line.add_playbook("bench")
    if workload:
        line.add_setting("bench.workload", workload)
    if repeat or baseline or gate or allow or markdown or junit:
        told = {"baseline": baseline, "allow": allow, "junit": junit}
        command(line, "gating.arrange", repeat=repeat, gate=gate, markdown=markdown, told=told)


@task(
    klass=PlaybookTask,
    auto_shortflags=False,
    help={
        "concurrency": "the series: requests at once that are measured first (default: sweep.concurrency)",
        "slo": "the objective in ms: ttft:MS,tpot:MS,e2el:MS, each may be left out (default: slo.*)",
        "fresh": "begin anew, where a sweep with the same parameters was interrupted",
    },
)
def sweep(line: Any, concurrency: str = "", slo: str = "", fresh: bool = False) -> None:
    """Find the highest load that keeps an objective: exit 0 found, 2 none does, 1 failed (7.2)."""
    line.add_playbook("sweep")
    command(line, "sweep.arrange", concurrency=concurrency, slo=slo, fresh=fresh)


@task(klass=PlaybookTask)
def cleanup(line: Any) -> None:
    """Delete what deploy and bench made (5.3)."""
    line.add_playbook("cleanup")


@task(klass=PlaybookTask)
def teardown(line: Any) -> None:
    """Delete also node pool, cluster, grant and, with --set teardown.bucket=NAME, the bucket; ask first."""
    line.add_playbook("teardown")


@task(klass=PlaybookTask)
def rollback(line: Any) -> None:
    """Take the server back to its last revision that was ready, and wait until it serves (7.1)."""
    line.add_playbook("rollback")


@word_task("name", PlaybookTask)
def play(line: Any, name: str = "") -> None:
    """Run playbooks/NAME.yml, such as one of your own."""
    line.add_playbook(name)


@task(klass=PlaybookTask, auto_shortflags=False)
def step(line: Any, ids: str) -> None:
    """Run steps alone, by section or name: ID[,ID...]."""
    line.add_steps(ids)


@task(klass=LineTask)
def steps(line: Any) -> Any:
    """List all steps: section, name, playbook, module, what it ensures."""
    return command(line, "steps.list_steps")


@word_task("module")
def doc(line: Any, module: str = "") -> Any:
    """Explain a step module and its arguments, or list the modules."""
    return command(line, "steps.explain", module=module)


@word_task("key", name="vars")
def variables(line: Any, key: str = "") -> Any:
    """Show the merged variables: value, file and line, what each overrode."""
    return command(line, "variables.show", key=key)


@task(klass=LineTask, auto_shortflags=False, help={"to": "a folder, or - for stdout (default)"})
def render(line: Any, to: str = "-") -> Any:
    """Write the manifests to a folder or to stdout (4.2)."""
    return command(line, "render.render", to=to)


@task(klass=LineTask)
def doctor(line: Any) -> Any:
    """Preflight before spending, diagnosis after trouble."""
    return command(line, "doctor.examine")


@task(klass=LineTask)
def runbook(line: Any) -> Any:
    """Print the runbook as Markdown: each step, why, the exact commands, how to check, how to undo."""
    return command(line, "guide.write")


@word_task("run")
def history(line: Any, run: str = "") -> Any:
    """List past runs and benchmark results, or show one."""
    return command(line, "history.show", run=run)


@word_task(
    "file",
    help={
        "prompts": "requests that were asked for, where the output does not tell",
        "output_len": "tokens that each answer must have, likewise",
    },
)
def parse(line: Any, file: str = "", prompts: str = "", output_len: str = "") -> Any:
    """Read the output of any vllm bench serve, a log or a saved JSON (- for stdin), and judge it."""
    return command(line, "measurement.parse", file=file, prompts=prompts, output_len=output_len)


@task(
    klass=LineTask,
    auto_shortflags=False,
    positional=["baseline", "candidate"],
    optional=["markdown"],
    help={
        "baseline": "an id, its beginning, last, best, a file or a folder of files",
        "candidate": "likewise, without best; an id stands for all rounds of its line",
        "allow": "KEY[,KEY] of the fingerprint that may differ beside the server's",
        "markdown": "as Markdown, to this file (without one: to stdout)",
    },
)
def compare(line: Any, baseline: str, candidate: str, allow: str = "", markdown: str = "") -> Any:
    """Compare two benchmarks: exit 0 no regression, 1 a regression, 2 not comparable or too few runs."""
    words = {"baseline": baseline, "candidate": candidate, "allow": allow}
    return command(line, "comparison.show", words=words, markdown=markdown)


@word_task("run", help={"to": "a folder, or a file that ends in .html (default: the run's own folder)"})
def report(line: Any, run: str = "", to: str = "") -> Any:
    """Write an HTML page of a run, with charts (default: the last one)."""
    return command(line, "history.page", run=run, to=to)


@task(klass=LineTask, auto_shortflags=False, help={"slow": "the suites that take minutes, instead"})
def test(line: Any, slow: bool = False) -> Any:
    """Run format, lint, types, layers and tests."""
    return command(line, "gate.check", slow=slow)


@task(klass=LineTask)
def up(line: Any) -> Any:
    """Start the stand-in (a run that needs it does so by itself)."""
    return command(line, "rehearsal.up")


@task(klass=LineTask)
def down(line: Any) -> Any:
    """Stop the stand-in; what it was told is kept."""
    return command(line, "rehearsal.down")


@task(klass=LineTask)
def status(line: Any) -> Any:
    """Tell what the stand-in holds."""
    return command(line, "rehearsal.status")


@task(klass=LineTask)
def env(line: Any) -> Any:
    """Print exports that point the real gcloud, kubectl and hf at the stand-in."""
    return command(line, "rehearsal.env")


@task(klass=LineTask, auto_shortflags=False, help={"clear": "forget the list"})
def requests(line: Any, clear: bool = False) -> Any:
    """List every request that the stand-in got."""
    return command(line, "rehearsal.requests", clear=clear)


@task(
    klass=LineTask,
    auto_shortflags=False,
    help={
        "api": "container, storage, hub, cdn, kubernetes ...",
        "method": "GET, POST ...",
        "path": "a regular expression over path and query",
        "after": "let this many matches pass first",
        "times": "then fail this many",
        "kind": "status, reset, stall, truncate, flip or operation_error",
        "status": "for kind status: the HTTP status",
        "message": "the error's text",
        "reason": "for kind status: ErrorInfo's reason",
        "retry_after": "for kind status: seconds in the Retry-After header",
        "seconds": "for kind stall: how long",
        "bytes": "for kinds truncate and flip: how much of the body is sent as it is",
        "clear": "take all faults back",
    },
)
def fault(
    line: Any,
    api: str = "",
    method: str = "",
    path: str = "",
    after: str = "0",
    times: str = "1",
    kind: str = "status",
    status: str = "",
    message: str = "",
    reason: str = "",
    retry_after: str = "",
    seconds: str = "",
    bytes: str = "",
    clear: bool = False,
) -> Any:
    """Make the n-th request that matches fail, or list the faults."""
    told = {"api": api, "method": method, "path": path, "after": after, "times": times, "kind": kind}
    detail = {"status": status, "message": message, "reason": reason, "retry_after": retry_after}
    return command(
        line, "rehearsal.fault", told=told | detail | {"seconds": seconds, "bytes": bytes}, clear=clear
    )


@word_task("name")
def scenario(line: Any, name: str = "") -> Any:
    """Put the stand-in into a named state, or list the names."""
    return command(line, "rehearsal.scenario", name=name)


namespace = Collection(
    setup, deploy, smoke, forward, ask, bench, sweep, cleanup, rollback, teardown, play, step, steps, doc,
    render, doctor, runbook, history, parse, compare, report, test, variables,
)  # fmt: skip
namespace.add_collection(Collection("rehearsal", up, down, status, env, requests, fault, scenario))
