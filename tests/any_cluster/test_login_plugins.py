"""A kubeconfig's login by a plug-in (exec): it is run, its answer kept, and its failure told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from runbook.engine.errors import CredentialsError
from runbook.engine.outcome import Status
from tests.any_cluster.by_hand import V1, V1BETA1, Handwritten
from tests.any_cluster.conftest import Reader


def in_seconds(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize("version", [V1, V1BETA1])
def test_a_plug_in_gives_the_token_and_is_run_once(
    reader: Reader, written: Handwritten, version: str
) -> None:
    user = written.plugin(
        {"status": {"token": written.token}},
        version=version,
        args=["get-token", "--cluster", "lab"],
        env=[{"name": "FLAVOUR", "value": "sweet"}],
    )
    assert reader.by(written.file(user)).status is Status.OK
    [run] = written.runs()
    assert (run["args"], run["flavour"], run["stdin"]) == (["get-token", "--cluster", "lab"], "sweet", "")
    assert run["info"] == {"apiVersion": version, "kind": "ExecCredential", "spec": {"interactive": False}}


def test_a_plug_in_that_wants_to_is_told_of_the_cluster(reader: Reader, written: Handwritten) -> None:
    user = written.plugin({"status": {"token": written.token}}, provideClusterInfo=True)
    extension = {"name": "client.authentication.k8s.io/exec", "extension": {"audience": "lab"}}
    assert reader.by(written.file(user, extensions=[extension])).error is None
    told = written.runs()[0]["info"]["spec"]["cluster"]
    assert told == {**written.cluster, "config": {"audience": "lab"}}


def test_a_token_is_kept_until_it_expires(reader: Reader, written: Handwritten) -> None:
    lasting = {"status": {"token": written.token, "expirationTimestamp": in_seconds(600)}}
    assert reader.by(written.file(written.plugin(lasting))).error is None
    assert len(written.runs()) == 1


def test_a_token_that_has_expired_is_asked_for_again(reader: Reader, written: Handwritten) -> None:
    expired = {"status": {"token": "stale", "expirationTimestamp": in_seconds(-1)}}
    fresh = {"status": {"token": written.token}}
    assert reader.by(written.file(written.plugin(expired, fresh))).error is None
    assert len(written.runs()) == 2


def test_a_token_that_is_refused_is_asked_for_again_once(reader: Reader, written: Handwritten) -> None:
    revoked, fresh = {"status": {"token": "revoked"}}, {"status": {"token": written.token}}
    assert reader.by(written.file(written.plugin(revoked, fresh))).error is None
    assert len(written.runs()) == 2


def test_a_login_that_is_refused_twice_is_an_error(reader: Reader, written: Handwritten) -> None:
    error = reader.by(written.file(written.plugin({"status": {"token": "unknown"}}))).error
    assert isinstance(error, CredentialsError)
    assert error.message == "the cluster accepts no such login"


def test_a_plug_in_that_is_missing_is_installed_as_it_says_itself(
    reader: Reader, written: Handwritten
) -> None:
    user = written.plugin({}, command="kubelogin-of-nobody", installHint="kubectl krew install oidc-login")
    error = reader.by(written.file(user)).error
    assert isinstance(error, CredentialsError)
    assert error.message == "the kubeconfig's login needs kubelogin-of-nobody, which is not on the PATH"
    assert error.remedy == "kubectl krew install oidc-login"
    assert str(error.place).endswith("lab.json")


@pytest.mark.parametrize(
    ("answer", "spec", "complaint"),
    [
        (
            {"code": 3, "error": "Token has been revoked.\nLog in again.\n", "out": ""},
            {},
            "ended with exit code 3: Token has been revoked. Log in again.",
        ),
        ({"out": "Welcome! token: s3cret"}, {}, "did not print an ExecCredential"),
        ({"status": {}}, {}, "gave no token and no certificate"),
        ({"status": "s3cret"}, {}, "did not print an ExecCredential"),
        ({"status": {"token": "s3cret\nof two lines"}}, {}, "token holds characters that cannot be sent"),
        ({"status": {"token": "x"}}, {"args": "get-token"}, "has args that are not a list"),
        ({"status": {"token": "x"}}, {"env": [{"name": "A"}]}, "has an env that is not a list of names"),
        ({"status": {"token": "x"}}, {"env": "A=1"}, "has an env that is not a list of names"),
        ({"status": {"clientCertificateData": "x"}}, {}, "gave a certificate without its key"),
        ({"status": {"token": "x"}, "version": V1BETA1}, {}, f"answered {V1BETA1} ExecCredential, not {V1}"),
        ({"status": {"token": "x"}}, {"interactiveMode": None}, "has no interactiveMode"),
        (
            {"status": {"token": "x"}},
            {"interactiveMode": "Always"},
            "asks somebody, and nobody is at a terminal",
        ),
        ({"status": {"token": "x"}}, {"apiVersion": f"{V1[:-1]}1alpha1"}, "v1alpha1"),
        (
            {"status": {"token": "x", "expirationTimestamp": "tomorrow"}},
            {},
            "expirationTimestamp 'tomorrow' is not a time",
        ),
    ],
)
def test_a_plug_in_that_fails_is_told_and_nobody_goes_on_as_nobody(
    reader: Reader, written: Handwritten, answer: dict[str, Any], spec: dict[str, Any], complaint: str
) -> None:
    error = reader.by(written.file(written.plugin(answer, **spec))).error
    assert isinstance(error, CredentialsError)
    assert complaint in error.message
    assert "s3cret" not in f"{error.message} {error.remedy}"
