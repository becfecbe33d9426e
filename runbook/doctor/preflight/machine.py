"""P15: this machine."""

from __future__ import annotations

import os
import shutil
import socket

from runbook.clients.kube.kubeconfig import PLUGIN, kubeconfig_path
from runbook.doctor.preflight.check import Answer, Answers, failed, ok, warning
from runbook.doctor.preflight.reads import of_kubeconfig
from runbook.steps.context import Context

GCLOUD_SITE = "https://cloud.google.com/sdk/docs/install"
INSTALL_PLUGIN = f"gcloud components install {PLUGIN}"
JOURNAL_BYTES = 100 * 1024 * 1024
"""Journals, manifests and results are all that is kept here: the model goes from hub to bucket in memory."""
MIB = 1024 * 1024


def this_machine(context: Context) -> Answers:
    """P15: programs that are needed, the port of the smoke test, disk for the journals."""
    yield _gcloud(context)
    yield _kubectl()
    yield _plugin(context)
    yield _port(context.variables.smoke.local_port)
    yield _disk(context)


def _gcloud(context: Context) -> Answer:
    found = shutil.which("gcloud")
    if found:
        return ok(found, about="gcloud")
    if context.variables.provider == "gke" and _logs_in_with_gcloud(context):
        return failed("is not on the PATH: it gives the tokens", f"install it: {GCLOUD_SITE}", about="gcloud")
    return ok("is not on the PATH; nothing here needs it", about="gcloud")


def _kubectl() -> Answer:
    found = shutil.which("kubectl")
    return ok(found or "is not on the PATH; only commands typed by hand need it", about="kubectl")


def _plugin(context: Context) -> Answer:
    found = shutil.which(PLUGIN)
    if found:
        return ok(found, about=PLUGIN)
    if of_kubeconfig(context) and _names_plugin(context):
        return failed("is not on the PATH, and the kubeconfig's login needs it", INSTALL_PLUGIN, about=PLUGIN)
    if context.variables.provider == "gke":
        return warning(
            "is not on the PATH: kubectl cannot log in with the kubeconfig of 4.1",
            INSTALL_PLUGIN,
            about=PLUGIN,
        )
    return ok("is not on the PATH; nothing here needs it", about=PLUGIN)


def _port(port: int) -> Answer:
    about = f"port {port}"
    if not port:
        return ok("4.4 takes any free port", about="port")
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError as error:
            reason = os.strerror(error.errno or 0).lower()
            return warning(f"cannot be had: {reason}", "4.4 takes another free one", about=about)
    return ok("is free for the port-forward of 4.4", about=about)


def _disk(context: Context) -> Answer:
    folder = next(path for path in (context.home, *context.home.parents) if path.exists())
    free = shutil.disk_usage(folder).free
    if free < JOURNAL_BYTES:
        return failed(
            f"{folder} has {free // MIB} MiB free, too few for the journals", "make room", about="disk"
        )
    return ok("enough for the journals; the model needs no room here", about="disk")


def _logs_in_with_gcloud(context: Context) -> bool:
    return context.variables.credentials.source == "gcloud"


def _names_plugin(context: Context) -> bool:
    path = kubeconfig_path(context.variables, context.home, context.environment)
    return path.exists() and PLUGIN in path.read_text(encoding="utf-8")
