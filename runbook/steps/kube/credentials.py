"""kubectl reaches the cluster: a kubeconfig file has its address, certificate and login.

Section 4.1 of the guide. The file is `kube.kubeconfig`, or .runs/ENVIRONMENT/kubeconfig; other entries in
it stay as they are. With provider kubeconfig the file is only read.
"""

from __future__ import annotations

import hashlib
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from runbook.clients.kube import kubeconfig
from runbook.clients.kube.kubeconfig import Config, Entry
from runbook.clients.ssh_forward import by_hand
from runbook.engine.change import Change, Difference, FactKey, StepResult
from runbook.engine.manual import Manual
from runbook.steps.context import Context, StepArguments
from runbook.steps.gke import reads
from runbook.steps.kube.cluster import behind_bastion, client, kubectl, shown

_ENDPOINT_FLAGS = {"ip": (), "dns": ("--dns-endpoint",), "private": ("--internal-ip",)}

_PLUGIN_SETTINGS = {
    "application-default": ("CLOUDSDK_CONTAINER_USE_APPLICATION_DEFAULT_CREDENTIALS=true",),
}
"""What makes gcloud write the plug-in's flag for another login than its own."""


class Arguments(StepArguments):
    """What `with:` may say: nothing."""


def run(arguments: Arguments, context: Context) -> StepResult:  # noqa: ARG001 - every step has the two
    """Compare the file's entry of the cluster with the cluster."""
    path = kubeconfig.kubeconfig_path(context.variables, context.home, context.environment)
    if context.variables.provider == "kubeconfig":
        return _as_it_is(context)
    entry = _entry(context)
    key: FactKey = ("kubeconfig", str(path))
    present = context.facts.read(key, lambda: kubeconfig.read(path))
    wanted = kubeconfig.merged(present, entry)
    found = list(_differences(path, present, entry))
    if entry.token_file is None and not shutil.which(kubeconfig.PLUGIN):
        context.report.warning(
            f"kubectl will need {kubeconfig.PLUGIN}: gcloud components install {kubeconfig.PLUGIN}"
        )
    if found:
        yield Change(found, _command(context), lambda: kubeconfig.write(path, wanted), {key: wanted})
    return f"context {entry.name} in {shown(path)}"


def _as_it_is(context: Context) -> str:
    """Log in once, so that a login that does not work is told here."""
    kube = client(context)
    kube.require_login()
    access = kube.access
    if not access.verified:
        context.report.warning(
            "the kubeconfig says insecure-skip-tls-verify: whoever answers there is believed, "
            "and gets the login"
        )
    files = kubeconfig.kubeconfig_files(context.variables, context.home, context.environment)
    return f"{', '.join(map(shown, files))} leads to {access.server}"


def manual(arguments: Arguments, context: Context) -> Manual:  # noqa: ARG001 - every step takes its arguments
    """Tell how to get the credentials by hand."""
    check = [kubectl(context, "get", "nodes")]
    bastion = _bastion_note(context)
    if context.variables.provider == "kubeconfig":
        note = "Nothing is to be made, or undone: the kubeconfig file is only read."
        return Manual(check=check, note=f"{note}{bastion}")
    parts = ("delete-context", "delete-cluster", "delete-user")
    return Manual(
        commands=[_command(context)],
        check=check,
        undo=[kubectl(context, "config", part, _name(context)) for part in parts],
        note=f"kubectl then needs the plug-in {kubeconfig.PLUGIN} in the PATH.{bastion}",
    )


def _bastion_note(context: Context) -> str:
    bastion = context.variables.bastion
    if not bastion.host:
        return ""
    typed = shlex.join(by_hand(bastion, bastion.local_port, "ADDRESS", 443))
    return (
        f" The API is behind {bastion.host}: leave `{typed}` running, with the cluster's address, and have "
        f"kubectl ask https://127.0.0.1:{bastion.local_port} with that address as its tls-server-name."
    )


def _entry(context: Context) -> Entry:
    access = reads.access(context)
    server, server_name = behind_bastion(context, f"https://{access.endpoint}", None)
    return Entry(
        _name(context),
        server,
        access.ca_certificate,
        _token_file(context),
        _plugin_flags(context),
        server_name,
    )


def _token_file(context: Context) -> Path | None:
    chosen = context.variables.credentials
    if chosen.source == "token-file" and chosen.token_file:
        return Path(chosen.token_file).expanduser().absolute()
    return context.connections.endpoints.token_file


def _plugin_flags(context: Context) -> tuple[str, ...]:
    """Have kubectl ask in the same name as the runbook."""
    chosen = context.variables.credentials
    return (
        *(["--use_application_default_credentials"] if chosen.source == "application-default" else []),
        *([f"--impersonate_service_account={chosen.impersonate}"] if chosen.impersonate else []),
    )


def _name(context: Context) -> str:
    variables = context.variables
    return kubeconfig.context_name(variables.project, reads.location(context), variables.cluster.name)


def _command(context: Context) -> list[str]:
    variables = context.variables
    path = kubeconfig.kubeconfig_path(variables, context.home, context.environment)
    return [
        *("env", f"KUBECONFIG={shown(path)}", *_PLUGIN_SETTINGS.get(variables.credentials.source, ())),
        *("gcloud", "container", "clusters", "get-credentials", variables.cluster.name),
        f"--location={reads.location(context)}",
        f"--project={variables.project}",
        *_ENDPOINT_FLAGS[variables.cluster.endpoint],
    ]


def _differences(path: Path, present: Config, entry: Entry) -> Iterator[Difference]:
    for section, wanted in entry.sections().items():
        found = next((item for item in present.get(section) or [] if item.get("name") == entry.name), None)
        if found != wanted:
            yield Difference(
                f"{shown(path)} {section}[{entry.name}]", found and _brief(found), _brief(wanted)
            )
    current = present.get("current-context")
    if current != entry.name:
        yield Difference(f"{shown(path)} current-context", current, entry.name)


def _brief(item: dict[str, Any]) -> str:
    """Tell an entry in one line, without what is secret or long."""
    cluster = item.get("cluster", {})
    if "server" in cluster:
        authority = cluster.get("certificate-authority-data", "")
        return f"{cluster['server']}, authority {hashlib.sha256(authority.encode()).hexdigest()[:8]}"
    if "user" in item and isinstance(item["user"], dict):
        login = item["user"]
        return str(login.get("exec", {}).get("command") or login.get("tokenFile") or "another login")
    inner = item.get("context", {})
    return f"cluster {inner.get('cluster')}, user {inner.get('user')}"
