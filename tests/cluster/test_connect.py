"""Which cluster is taken, who we are there, and what is said when neither can be found out."""

from __future__ import annotations

import base64
import datetime
import json
import os
import stat
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from op_readiness.cluster.api import Cluster
from op_readiness.cluster.connect import connect
from op_readiness.cluster.transport import Limits
from op_readiness.model.errors import OpReadinessError, UsageError

from .hostile import HostileServer, certificate, reply, status

VERSION = reply({"gitVersion": "v1.37.2"})
ONE = "http://one.example:1"


def test_the_flag_comes_first_then_the_list_then_home(tmp_path, write_kubeconfig):
    """kubectl's order; the source is said."""
    flag, listed = write_kubeconfig(ONE, file="flag"), write_kubeconfig("http://two.example:1", file="listed")
    home = tmp_path / ".kube" / "config"
    home.parent.mkdir()
    home.write_text(flag.read_text().replace("one.example", "home.example"))
    environ = {"HOME": str(tmp_path), "KUBECONFIG": str(listed)}

    assert connect(str(flag), environ=environ).server == ONE
    assert connect(environ=environ).source == f"KUBECONFIG={listed}"
    assert connect(environ={"HOME": str(tmp_path)}).server == "http://home.example:1"


def test_a_list_is_merged_as_kubectl_does(write_kubeconfig, tmp_path):
    """The first current-context and the first entry of a name win; files that are not there are left out."""
    first, second = write_kubeconfig(ONE, file="a"), write_kubeconfig("http://x.example:1", file="b", context="two")
    environ = {"KUBECONFIG": os.pathsep.join([str(tmp_path / "absent"), str(first), str(second)])}

    assert connect(environ=environ).context == "one"
    assert connect(context="two", environ=environ).server == "http://x.example:1"


def test_files_are_relative_to_the_kubeconfig_that_names_them(tmp_path, write_kubeconfig, monkeypatch):
    """Wherever the command is run."""
    (tmp_path / "ca.crt").write_bytes(certificate("kubernetes")[0])
    (tmp_path / "token").write_text("from-file\n")
    path = write_kubeconfig("http://one.example:1", {"tokenFile": "token"}, **{"certificate-authority": "ca.crt"})
    monkeypatch.chdir("/")

    connection = connect(str(path))

    assert "BEGIN CERTIFICATE" in connection.certificate_authority
    assert connection.credentials.current().authorization == "Bearer from-file"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty; name another"),
        ("[1]", "is no kubeconfig"),
        ("a: [", "is no YAML: .*mend the file"),
        ("contexts: [{context: {}}]", "an entry of contexts has no name"),
        ("current-context: x\ncontexts: [{name: x, context: {cluster: y}}]", "'x' names cluster 'y', not there"),
        ("current-context: x\ncontexts: [{name: x, context: {cluster: y}}]\nclusters: [{name: y}]", "has no server"),
        (
            "current-context: x\ncontexts: [{name: x, context: {cluster: y}}]\n"
            "clusters: [{name: y, cluster: {server: 'one.example'}}]",
            "server 'one.example' is no URL",
        ),
        (
            "current-context: x\ncontexts: [{name: x, context: {cluster: y}}]\n"
            "clusters: [{name: y, cluster: {server: 'https://one', certificate-authority: /absent}}]",
            "certificate-authority cannot be read: .*No such file",
        ),
    ],
)
def test_a_broken_kubeconfig_is_one_line_that_names_the_file_or_entry(tmp_path, text, said):
    """No traceback, no guess."""
    path = tmp_path / "kubeconfig"
    path.write_text(text)

    with pytest.raises(OpReadinessError, match=said) as caught:
        connect(str(path))

    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_missing_kubeconfig_is_named(tmp_path):
    """By flag, by KUBECONFIG, and nowhere at all."""
    with pytest.raises(OpReadinessError, match=r"absent: No such file or directory; name one that exists"):
        connect(str(tmp_path / "absent"))
    with pytest.raises(OpReadinessError, match=r"KUBECONFIG names no file that exists \(/absent\)"):
        connect(environ={"KUBECONFIG": "/absent"})
    with pytest.raises(OpReadinessError, match=r"no cluster: .*\.kube/config does not exist.*--provider simulated"):
        connect(environ={"HOME": str(tmp_path)})


def test_an_unreadable_kubeconfig_is_named(tmp_path):
    """With what to do; a folder is one that root cannot read either."""
    with pytest.raises(OpReadinessError, match=r"kubeconfig .*; make it readable"):
        connect(str(tmp_path))


def test_an_unknown_context_is_a_usage_error_with_the_nearest_name(write_kubeconfig):
    """Exit code 2."""
    path = write_kubeconfig(ONE, context="production")

    with pytest.raises(UsageError, match=r"--context producton: .*did you mean 'production'\?") as caught:
        connect(str(path), "producton")

    assert caught.value.exit_code == 2
    with pytest.raises(UsageError, match=r"known: production"):
        connect(str(path), "x")


def test_in_cluster_comes_last_and_rereads_its_token(tmp_path, monkeypatch):
    """A projected token is replaced by the kubelet; the new one is used at the next call."""
    monkeypatch.setattr("op_readiness.cluster.kubeconfig.SERVICE_ACCOUNT_FOLDER", tmp_path)
    (tmp_path / "token").write_text("first")
    (tmp_path / "ca.crt").write_bytes(certificate("kubernetes")[0])
    connection = connect(environ={"HOME": "/absent", "KUBERNETES_SERVICE_HOST": "fd00::1"})

    assert (connection.server, connection.source) == ("https://[fd00::1]:443", "in-cluster ServiceAccount")
    assert connection.credentials.current().authorization == "Bearer first"
    (tmp_path / "new").write_text("second")
    os.replace(tmp_path / "new", tmp_path / "token")
    assert connection.credentials.current().authorization == "Bearer second"


# -- what the API server says ------------------------------------------------------------------------------------------


def check(path: Path) -> str:
    return Cluster(connect(str(path)), Limits(connect=1.0, read=1.0, tries=1)).check()


def test_nobody_listening_is_one_line(write_kubeconfig):
    """Server, context, source, what came back, what to do."""
    server = HostileServer()
    server.stop()
    path = write_kubeconfig(server.url)

    with pytest.raises(OpReadinessError, match=r"127.0.0.1:\d+ \(context 'one' of .*refused; is the cluster up"):
        check(path)


def test_a_wrong_ca_is_named(tls_server, write_kubeconfig):
    """It is not tried again and again."""
    ca = base64.b64encode(certificate("another")[0]).decode()
    path = write_kubeconfig(tls_server.url, **{"certificate-authority-data": ca})

    with pytest.raises(OpReadinessError, match=r"CERTIFICATE_VERIFY_FAILED.*fetch the kubeconfig again"):
        check(path)


def test_a_refused_token_is_named(server, write_kubeconfig):
    """Not as a missing right, and not as an unreachable server."""
    server.on("/version", status(401, "Unauthorized", "Unauthorized"))

    with pytest.raises(OpReadinessError, match=r"refused the credentials: 401 Unauthorized; log in again"):
        check(write_kubeconfig(server.url))


def test_insecure_skip_tls_verify_is_heeded(tls_server, write_kubeconfig):
    """As the kubeconfig says, without a warning at every call."""
    tls_server.on("/version", VERSION)
    path = write_kubeconfig(
        tls_server.url, **{"insecure-skip-tls-verify": True, "certificate-authority-data": ""}
    )

    assert check(path) == "v1.37.2"


def test_a_password_becomes_basic_authentication(server, write_kubeconfig):
    """Also after a handover."""
    server.on("/version", VERSION)
    path = write_kubeconfig(server.url, {"username": "me", "password": "a:b"})
    handed = connect(str(path)).handover(path.with_name("handed"))

    check(handed)

    assert server.requests[0].headers["authorization"] == "Basic " + base64.b64encode(b"me:a:b").decode()


# -- credentials that end ----------------------------------------------------------------------------------------------


@pytest.fixture
def plugin(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """An exec plugin that counts its calls in a file; its tokens live `life` seconds from `now` (a file) on."""

    def user(life: float = 20.0, exit_code: int = 0) -> dict[str, Any]:
        script = tmp_path / "plugin.py"
        script.write_text(
            "import datetime, json, pathlib, sys\n"
            f"folder = pathlib.Path({str(tmp_path)!r})\n"
            "calls = len((folder / 'calls').read_text()) if (folder / 'calls').exists() else 0\n"
            "(folder / 'calls').write_text('x' * (calls + 1))\n"
            f"now = datetime.datetime.fromtimestamp(float((folder / 'now').read_text()) + {life}, datetime.UTC)\n"
            "end = now.isoformat().replace('+00:00', 'Z')\n"
            "print(json.dumps({'apiVersion': 'client.authentication.k8s.io/v1', 'kind': 'ExecCredential',\n"
            "    'status': {'token': f'token-{calls + 1}', 'expirationTimestamp': end}}))\n"
            f"print('please log in', file=sys.stderr)\nsys.exit({exit_code})\n"
        )
        (tmp_path / "now").write_text(str(time.time()))
        spec = {"apiVersion": "client.authentication.k8s.io/v1", "command": sys.executable, "args": [str(script)]}
        return {"exec": spec}

    return user


def calls(folder: Path) -> int:
    return len((folder / "calls").read_text())


def test_a_plugin_whose_tokens_live_20_s_is_asked_once_a_life(server, write_kubeconfig, plugin, tmp_path):
    """A hundred calls, one login; it is asked again only when a third of the life is left."""
    server.on("/version", VERSION)
    times = [time.time()]
    connection = connect(str(write_kubeconfig(server.url, plugin())), now=lambda: times[0])
    cluster = Cluster(connection)
    for _ in range(100):
        cluster.server_version()
    assert calls(tmp_path) == 1

    times[0] += 14
    (tmp_path / "now").write_text(str(times[0]))
    threads = [threading.Thread(target=cluster.server_version) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert calls(tmp_path) == 2
    assert server.requests[-1].headers["authorization"] == "Bearer token-2"


def test_a_refused_plugin_token_is_renewed_and_the_call_repeated(server, write_kubeconfig, plugin, tmp_path):
    """A token may be revoked before it ends; a write is repeated too, since nothing was done."""
    pods = "/api/v1/namespaces/ns/pods"
    server.on(pods, status(401, "Unauthorized"), reply({"metadata": {"name": "p"}}))
    cluster = Cluster.open(str(write_kubeconfig(server.url, plugin())))

    cluster.create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "ns"}})

    assert [r.headers["authorization"] for r in server.requests] == ["Bearer token-1", "Bearer token-2"]


def test_a_plugin_that_fails_is_no_anonymous_run(write_kubeconfig, plugin):
    """The client's loader would log the failure and go on without credentials."""
    with pytest.raises(OpReadinessError, match=r"exec plugin .* gave no credential: .*please log in"):
        connect(str(write_kubeconfig(ONE, plugin(exit_code=1))))


def test_a_plugin_that_is_not_installed_is_named_with_its_hint(write_kubeconfig):
    """installHint is what the kubeconfig's author wrote for this moment."""
    spec = {"apiVersion": "client.authentication.k8s.io/v1", "command": "no-such-login", "installHint": "Get it\n at x"}
    with pytest.raises(OpReadinessError, match=r"exec plugin 'no-such-login' .*not on this machine: Get it at x"):
        connect(str(write_kubeconfig(ONE, {"exec": spec})))


def test_a_renewal_that_fails_keeps_what_still_holds(server, write_kubeconfig, plugin, tmp_path):
    """Until it ends; after that the plugin's words are reported."""
    server.on("/version", VERSION)
    times = [time.time()]
    path = write_kubeconfig(server.url, plugin())
    cluster = Cluster(connect(str(path), now=lambda: times[0]))
    plugin(exit_code=1)

    times[0] += 14
    cluster.server_version()
    cluster.server_version()
    assert calls(tmp_path) == 2

    times[0] += 10
    with pytest.raises(OpReadinessError, match=r"please log in"):
        cluster.server_version()


def test_workers_read_the_renewed_credential(server, write_kubeconfig, plugin, tmp_path):
    """The handed-over file holds a plain token, is ours alone, and a worker's next call uses its new content."""
    server.on("/version", VERSION)
    times = [time.time()]
    runner = connect(str(write_kubeconfig(server.url, plugin())), now=lambda: times[0])
    handed = runner.handover(tmp_path / "handed")
    worker = Cluster.open(str(handed))
    worker.server_version()

    times[0] += 14
    (tmp_path / "now").write_text(str(times[0]))
    runner.handover(handed)
    worker.server_version()

    assert [r.headers["authorization"] for r in server.requests] == ["Bearer token-1", "Bearer token-2"]
    assert stat.S_IMODE(handed.stat().st_mode) == 0o600
    assert "exec" not in handed.read_text()
    assert calls(tmp_path) == 2


def test_the_handed_over_file_is_kept_fresh(server, write_kubeconfig, plugin, tmp_path):
    """A token that lives 0.6 s is renewed in the file by itself."""
    path = write_kubeconfig(server.url, plugin(life=0.6))
    with connect(str(path)).keep_handed_over(tmp_path / "handed") as handed:
        ends = time.monotonic() + 5
        while "token-2" not in handed.read_text() and time.monotonic() < ends:
            (tmp_path / "now").write_text(str(time.time()))
            time.sleep(0.02)

    assert "token-" in handed.read_text()
    assert calls(tmp_path) >= 2


def test_client_certificates_are_handed_over_and_leave_no_file(tls_server, write_kubeconfig, tmp_path, monkeypatch):
    """The key is in memory and in the kubeconfig, nowhere else."""
    tls_server.on("/version", VERSION)
    cert, key = (base64.b64encode(pem).decode() for pem in certificate("kubernetes"))
    path = write_kubeconfig(tls_server.url, {"client-certificate-data": cert, "client-key-data": key})
    (tmp_path / "t").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "t"))

    handed = connect(str(path)).handover(tmp_path / "handed")

    assert json.loads(handed.read_text())["users"][0]["user"]["client-key-data"] == key
    assert check(handed) == "v1.37.2"
    assert list((tmp_path / "t").iterdir()) == []


def test_secrets_are_not_printed(write_kubeconfig):
    """Tracebacks print arguments."""
    assert "secret" not in repr(connect(str(write_kubeconfig(ONE))).credentials.current())


def test_oidc_tokens_are_read_from_the_auth_provider(write_kubeconfig):
    """Through the client's loader."""
    end = datetime.datetime.now(datetime.UTC).timestamp() + 3600
    parts = [base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in ({}, {"exp": end})]
    user = {"auth-provider": {"name": "oidc", "config": {"id-token": ".".join([*parts, "sig"])}}}
    credential = connect(str(write_kubeconfig(ONE, user))).credentials.current()

    assert credential.authorization.startswith("Bearer ")
    assert credential.expires == end
