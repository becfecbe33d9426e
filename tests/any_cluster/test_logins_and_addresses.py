"""A kubeconfig's login by token, file or certificate, and its words on the way to the API server."""

from __future__ import annotations

import base64
import os
import ssl
import stat
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import trustme

from runbook.clients.kube.client import KubeClient
from runbook.clients.kube.connection import by_kubeconfig
from runbook.clients.kube.watching import viewing
from runbook.engine.errors import CredentialsError, UserError
from runbook.engine.outcome import Outcome, Status
from tests.any_cluster.between import Guarded, Passage, Proxy
from tests.any_cluster.by_hand import Handwritten
from tests.any_cluster.conftest import Reader
from tests.steps_kube.deployment_place import Place


def in_base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def test_a_token_of_the_file_itself(reader: Reader, written: Handwritten) -> None:
    assert reader.by(written.file({"token": written.token})).status is Status.OK


def test_files_are_seen_from_the_kubeconfigs_folder(reader: Reader, written: Handwritten) -> None:
    (written.folder / "token").write_text(written.token + "\n")
    (written.folder / "ca.pem").write_bytes(written.authority)
    path = written.file(
        {"tokenFile": "token", "token": "is not used"},
        certificate_authority="ca.pem",
        certificate_authority_data=None,
    )
    assert reader.by(path).error is None


@pytest.mark.parametrize("inline", [True, False])
def test_a_certificate_logs_in(reader: Reader, written: Handwritten, inline: bool) -> None:
    authority = trustme.CA()
    login = authority.issue_cert("operator@lab")
    certificate, key = login.cert_chain_pems[0].bytes(), login.private_key_pem.bytes()
    user: dict[str, Any] = {"token": written.token}
    if inline:
        user |= {"client-certificate-data": in_base64(certificate), "client-key-data": in_base64(key)}
    else:
        (written.folder / "login.crt").write_bytes(certificate)
        (written.folder / "login.key").write_bytes(key)
        user |= {"client-certificate": "login.crt", "client-key": "login.key"}
    with Guarded(written, authority) as guarded:
        assert reader.by(written.file(user, **guarded.cluster)).error is None
        assert guarded.subjects == {"operator@lab"}


@pytest.mark.slow
def test_a_token_alone_does_not_pass_who_asks_for_certificates(reader: Reader, written: Handwritten) -> None:
    with Guarded(written, trustme.CA()) as guarded:
        assert reader.by(written.file({"token": written.token}, **guarded.cluster)).error is not None


def test_a_certificate_of_a_plug_in_logs_in(reader: Reader, written: Handwritten) -> None:
    authority = trustme.CA()
    login = authority.issue_cert("plugin@lab")
    status = {
        "token": written.token,
        "clientCertificateData": login.cert_chain_pems[0].bytes().decode(),
        "clientKeyData": login.private_key_pem.bytes().decode(),
    }
    with Guarded(written, authority) as guarded:
        user = written.plugin({"status": status})
        assert reader.by(written.file(user, **guarded.cluster)).error is None
        assert guarded.subjects == {"plugin@lab"}


@pytest.mark.parametrize(
    ("user", "complaint"),
    [
        (
            {"client-certificate": "none.pem", "client-key": "none.pem"},
            "client-certificate of the",
        ),
        ({"client-certificate-data": in_base64(b"x")}, "has a certificate without its key"),
        (
            {"client-certificate-data": in_base64(b"x"), "client-key-data": in_base64(b"x")},
            "the login's certificate cannot be used",
        ),
        ({"tokenFile": "none"}, "the login's token cannot be read"),
        ({"auth-provider": {"name": "oidc"}}, "logs in by the auth-provider oidc"),
    ],
)
def test_a_login_that_cannot_be_read_is_named(
    reader: Reader, written: Handwritten, user: dict[str, Any], complaint: str
) -> None:
    error = reader.by(written.file(user)).error
    assert isinstance(error, CredentialsError)
    assert complaint in error.message


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"\xff\xfe\x00", "the kubeconfig file is not YAML"),
        (b"contexts: lab", "contexts of the kubeconfig is not a list"),
        (b"contexts: [lab]", "an entry of contexts of the kubeconfig has no keys and values"),
        (b"users: [{name: lab, user: me}]", "user of the kubeconfig has no keys and values"),
    ],
)
def test_a_file_that_is_no_kubeconfig_is_named(
    reader: Reader, written: Handwritten, content: bytes, complaint: str
) -> None:
    path = written.folder / "lab.json"
    path.write_bytes(content)
    error = reader.by(path).error
    assert isinstance(error, UserError)
    assert error.message == complaint
    assert str(error.place) == str(path)


def test_a_folder_in_place_of_the_file_is_named(reader: Reader, written: Handwritten) -> None:
    error = reader.by(written.folder).error
    assert isinstance(error, UserError)
    assert error.message == "the kubeconfig file cannot be read: Is a directory"


@pytest.mark.parametrize(
    ("user", "cluster", "complaint"),
    [
        ({"exec": "kubelogin"}, {}, "exec of the kubeconfig has no keys and values"),
        ({"auth-provider": "gcp"}, {}, "auth-provider of the kubeconfig has no keys and values"),
        ({}, {"server": "https://lab:api"}, "the kubeconfig's server 'https://lab:api' is no address"),
        ({}, {"server": "https://[::1"}, "the kubeconfig's server 'https://[::1' is no address"),
        ({}, {"proxy_url": "http://[::1"}, "the kubeconfig's proxy-url is no address"),
    ],
)
def test_a_part_of_the_file_that_is_something_else_is_named(
    reader: Reader, written: Handwritten, user: dict[str, Any], cluster: dict[str, Any], complaint: str
) -> None:
    error = reader.by(written.file(user, **cluster)).error
    assert isinstance(error, UserError)
    assert error.message == complaint


@pytest.mark.parametrize("token", ["s3cret\nof two lines", "s3crét"])
def test_a_token_that_cannot_be_sent_is_refused_and_not_shown(
    reader: Reader, written: Handwritten, token: str
) -> None:
    error = reader.by(written.file({"token": token})).error
    assert isinstance(error, CredentialsError)
    assert error.message == "the login's token holds characters that cannot be sent"
    assert str(error.place).endswith("lab.json")


def test_an_authority_may_be_wrapped_over_lines(reader: Reader, written: Handwritten) -> None:
    wrapped = "\n".join(textwrap.wrap(in_base64(written.authority), 60))
    path = written.file({"token": written.token}, certificate_authority_data=wrapped)
    assert reader.by(path).error is None


def test_the_certificate_must_have_the_name_that_the_file_says(reader: Reader, written: Handwritten) -> None:
    user = {"token": written.token}
    assert reader.by(written.file(user, tls_server_name="kubernetes.default.svc")).error is None
    error = reader.by(written.file(user, tls_server_name="somebody.else.svc")).error
    assert isinstance(error, CredentialsError)
    assert "certificate is not trusted" in error.message


def test_an_authority_that_did_not_sign_is_not_believed(reader: Reader, written: Handwritten) -> None:
    other = in_base64(trustme.CA().cert_pem.bytes())
    with Passage(written) as passage:
        cluster = {"server": f"https://127.0.0.1:{passage.port}", "certificate_authority_data": other}
        error = reader.by(written.file({"token": written.token}, **cluster)).error
    assert isinstance(error, CredentialsError)
    assert "certificate is not trusted" in error.message
    assert passage.connections == 2, "4.1 and 5.3 ask once each"


def test_who_says_not_to_look_is_obeyed_and_warned(reader: Reader, written: Handwritten) -> None:
    path = written.file(
        {"token": written.token}, insecure_skip_tls_verify=True, certificate_authority_data=None
    )
    assert reader.by(path).error is None
    [warning] = reader.voice.warnings
    assert "insecure-skip-tls-verify" in warning


def test_not_to_look_beside_an_authority_is_refused_as_by_kubectl(
    reader: Reader, written: Handwritten
) -> None:
    error = reader.by(written.file({"token": written.token}, insecure_skip_tls_verify=True)).error
    assert isinstance(error, UserError)
    assert "insecure-skip-tls-verify beside a certificate-authority" in error.message


def test_requests_go_through_the_proxy_of_the_file(reader: Reader, written: Handwritten) -> None:
    with Proxy() as proxy:
        path = written.file(
            {"token": written.token}, proxy_url=f"http://me:pass%20word@127.0.0.1:{proxy.port}"
        )
        assert reader.by(path).error is None
        server = written.cluster["server"].removeprefix("https://")
        assert proxy.asked == {f"CONNECT {server}"}
        assert proxy.logins == {"me:pass word"}


def test_a_view_through_a_proxy_that_has_tls_itself_is_closed_at_once(
    written: Handwritten, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    authority.cert_pem.write_to_path(str(written.folder / "proxy.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(written.folder / "proxy.pem"))
    with Proxy(tls) as proxy:
        path = written.file({"token": written.token}, proxy_url=f"https://127.0.0.1:{proxy.port}")
        before = set(threading.enumerate())
        with viewing(KubeClient(by_kubeconfig([path], None), written.folder)) as view:
            assert view.list("v1", "Node", "")
            (watch,) = (found for found in set(threading.enumerate()) - before if "watch of" in found.name)
            time.sleep(0.5)  # the watch's own request is answered
        watch.join(5)
        assert not watch.is_alive()


def test_another_kind_of_proxy_is_refused(reader: Reader, written: Handwritten) -> None:
    error = reader.by(written.file({"token": written.token}, proxy_url="socks5://127.0.0.1:1080")).error
    assert isinstance(error, UserError)
    assert "proxy-url is a socks5 address" in error.message


@pytest.mark.parametrize(("wanted", "current"), [("far", None), (None, "far"), (None, "")])
def test_a_context_that_is_not_there_is_told_with_those_that_are(
    reader: Reader, written: Handwritten, wanted: str | None, current: str | None
) -> None:
    path = written.file({"token": written.token}, current=current)
    settings = [f"kube.context={wanted}"] if wanted else []
    error = reader.logs_in(f"kube.kubeconfig={path}", *settings).error
    assert isinstance(error, UserError)
    assert error.remedy == "set kube.context to one of lab"


def test_several_files_are_merged_as_kubectl_does(
    reader: Reader, written: Handwritten, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = written.file({"token": "unknown"}, "theirs")
    same = written.file({"token": "unknown"}, "mine").rename(written.folder / "same.json")
    first = written.file({"token": written.token}, "mine", current="")
    missing = written.folder / "missing"
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join(map(str, [missing, first, second, same])))
    assert reader.logs_in("kube.context=mine").error is None
    error = reader.logs_in().error  # the first file that names a current context names theirs
    assert isinstance(error, CredentialsError)
    assert error.message == "the cluster accepts no such login"


def test_no_secret_stays_behind(reader: Reader, written: Handwritten, prepared: Any) -> None:
    assert reader.by(written.file({"token": written.token})).error is None
    kept = [path for path in (prepared.home / ".runs").rglob("*") if path.is_file()]
    assert all(written.token not in path.read_text() for path in kept)
    assert all(stat.S_IMODE(path.stat().st_mode) & 0o077 == 0 for path in kept if path.name == "kubeconfig")


def first_step(prepared: Place, path: Path) -> Outcome:
    """Run 4.1 alone."""
    return prepared.with_settings("provider=kubeconfig", f"kube.kubeconfig={path}").check("kube.credentials")


def test_4_1_itself_tells_of_a_token_that_nobody_accepts(prepared: Place, written: Handwritten) -> None:
    path = written.file({"token": "unknown"})
    error = first_step(prepared, path).error
    assert isinstance(error, CredentialsError)
    assert error.message == "the cluster accepts no such login"
    assert str(error.remedy).startswith(f"put a token that the cluster accepts into user lab of {path}, or ")


def test_a_token_file_and_a_plug_in_are_named_where_their_tokens_are_refused(
    prepared: Place, written: Handwritten
) -> None:
    (written.folder / "token").write_text("unknown")
    by_file = first_step(prepared, written.file({"tokenFile": "token"})).error
    assert by_file is not None
    assert f"into {written.folder / 'token'}: user lab of " in str(by_file.remedy)
    by_plugin = first_step(prepared, written.file(written.plugin({"status": {"token": "unknown"}}))).error
    assert by_plugin is not None
    assert str(by_plugin.remedy).startswith("log in anew as the plug-in ./plugin wants it: user lab of ")


@pytest.mark.parametrize(("who", "known"), [("intern", True), ("system:anonymous", False)])
def test_a_login_with_few_rights_is_one_and_nobodys_is_none(
    prepared: Place, written: Handwritten, who: str, known: bool
) -> None:
    message = f'namespaces is forbidden: User "{who}" cannot list resource "namespaces"'
    refusal = {"method": "GET", "path": r"/api/v1/namespaces\?", "status": 403, "message": message}
    prepared.cloud.control("POST", "faults", refusal)
    outcome = first_step(prepared, written.file({"token": written.token}))
    assert (outcome.status is Status.OK) is known


GRANTED = {
    'pods is forbidden: User "a" cannot list resource "pods" in API group "" at the cluster scope': (
        "have somebody grant it: list on pods"
    ),
    'deployments.apps "b" is forbidden: User "a" cannot patch resource "deployments" in API group "apps" '
    'in the namespace "llm"': (
        "have somebody grant it: patch on deployments of API group apps in namespace llm"
    ),
    'pods is forbidden: User "a" cannot list resource "pods" in API group "" in the namespace "llm": '
    'requires one of ["container.pods.list"] permission(s).': (
        "container.pods.list is missing: have an owner run `gcloud projects add-iam-policy-binding PROJECT "
        "--member=user:YOUR_ACCOUNT --role=roles/container.developer`"
    ),
}


@pytest.mark.parametrize(("message", "remedy"), GRANTED.items(), ids=["everywhere", "namespace", "GKE's"])
def test_a_right_that_is_missing_is_named_as_the_clusters_own(
    prepared: Place, written: Handwritten, message: str, remedy: str
) -> None:
    refusal = {"method": "GET", "path": "/api/v1/nodes", "status": 403, "message": message}
    prepared.cloud.control("POST", "faults", refusal)
    cluster = KubeClient(by_kubeconfig([written.file({"token": written.token})], None), written.folder)
    with pytest.raises(CredentialsError) as refused:
        cluster.list("v1", "Node", "")
    prepared.cloud.control("DELETE", "faults")
    assert refused.value.remedy == remedy


def test_a_certificate_that_is_not_trusted_names_the_cluster_of_the_file(
    prepared: Place, written: Handwritten
) -> None:
    other = in_base64(trustme.CA().cert_pem.bytes())
    path = written.file({"token": written.token}, certificate_authority_data=other)
    error = first_step(prepared, path).error
    assert error is not None
    assert error.remedy == f"look at server and certificate-authority of cluster lab of {path}"
