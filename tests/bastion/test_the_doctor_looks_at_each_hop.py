"""P17: the doctor logs in to the bastion, and has it connect to the API server."""

from __future__ import annotations

import pytest

from runbook.doctor.finding import Finding
from tests.bastion.conftest import through
from tests.bastion.private import PrivateApi
from tests.doctor_preflight.patient import Patient
from tests.over_ssh.sshd import Sshd
from tests.steps_kube.deployment_place import Place


def finding(place: Place, *settings: str) -> Finding:
    patient = Patient(place.cloud).with_settings(*settings)
    found: Finding = patient.finding("P17")
    return found


def settings(place: Place, sshd: Sshd) -> list[str]:
    file = place.loaded.variables.kube.kubeconfig
    return ["provider=kubeconfig", "project=", f"kube.kubeconfig={file}", *through(sshd)]


def test_both_hops_are_told(behind: Place, sshd: Sshd, api: PrivateApi) -> None:
    found = finding(behind, *settings(behind, sshd))
    assert (found.verdict, found.fact) == (
        "ok",
        f"127.0.0.1 lets us in, and connects to localhost:{api.port}",
    )


@pytest.mark.slow
def test_the_first_hop_may_fail(behind: Place, sshd: Sshd) -> None:
    sshd.down()
    found = finding(behind, *settings(behind, sshd))
    assert (found.verdict, found.fact) == ("failed", "nothing listens there, or it refuses")
    assert "bastion.host" in found.remedy


@pytest.mark.slow
def test_the_second_hop_may_be_forbidden(behind: Place, sshd: Sshd, api: PrivateApi) -> None:
    sshd.down()
    sshd.rules = "PermitOpen 192.0.2.1:443"
    sshd.up()
    found = finding(behind, *settings(behind, sshd))
    assert (found.verdict, found.fact) == (
        "failed",
        f"the bastion may not connect to localhost:{api.port} for you",
    )
