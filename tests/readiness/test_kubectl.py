"""kubectl against `simulate up`: what people type first works as on any cluster."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.product import PATIENCE, environment, wait_for

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(not shutil.which("kubectl"), reason="there is no kubectl here"),
]
IMAGE = "registry.k8s.io/e2e-test-images/agnhost:2.63.0"
WEB = f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  replicas: 2
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      nodeSelector: {{kubernetes.io/os: windows}}
      containers: [{{name: main, image: "{IMAGE}", args: [netexec, --http-port=80]}}]
---
apiVersion: v1
kind: Service
metadata: {{name: web}}
spec: {{selector: {{app: web}}, ports: [{{port: 80}}]}}
"""

Kubectl = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def environ(kubeconfig: str, tmp_path: Path) -> dict[str, str]:
    """kubectl keeps what it discovered under HOME."""
    return environment(KUBECONFIG=kubeconfig, HOME=str(tmp_path))


@pytest.fixture
def kubectl(environ: dict[str, str]) -> Kubectl:
    """Runs kubectl; an exit code other than `code` is a failure."""

    def call(*words: str, stdin: str = "", code: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            ["kubectl", *words], env=environ, input=stdin, capture_output=True, text=True, check=False, timeout=PATIENCE
        )
        assert done.returncode == code, f"kubectl {' '.join(words)}: {done}"
        return done

    return call


@pytest.fixture
def namespace(kubectl: Kubectl, request: pytest.FixtureRequest) -> str:
    """A Namespace of the test's own."""
    name = request.node.name.replace("_", "-")[:50].strip("-")
    kubectl("create", "namespace", name)
    return name


@pytest.fixture
def web(kubectl: Kubectl, namespace: str) -> str:
    """The Namespace of a Deployment of two Windows Pods that are ready, and its Service."""
    kubectl("-n", namespace, "apply", "-f", "-", stdin=WEB)
    kubectl("-n", namespace, "rollout", "status", "deployment/web", "--timeout=60s")
    return namespace


def rows(text: str) -> list[dict[str, str]]:
    """A table as kubectl prints it, cut where the columns of its head begin."""
    head, *lines = text.splitlines()
    starts = [n for n, letter in enumerate(head) if letter != " " and (n == 0 or head[n - 2 : n] == "  ")]
    cuts = list(zip(starts, [*starts[1:], None], strict=True))
    names = [head[start:end].strip() for start, end in cuts]
    return [dict(zip(names, (line[start:end].strip() for start, end in cuts), strict=True)) for line in lines]


def test_nodes(kubectl):
    """Every Node with its state, system, kernel and runtime."""
    nodes = {row["NAME"]: row for row in rows(kubectl("get", "nodes", "-o", "wide").stdout)}
    assert set(nodes) == {"win-1", "win-2", "linux-1", "linux-2"}
    assert {row["STATUS"] for row in nodes.values()} == {"Ready"}
    assert nodes["win-1"]["OS-IMAGE"] == "Windows Server 2022 Datacenter"
    assert nodes["win-2"]["KERNEL-VERSION"].startswith("10.0.26100.")
    assert "containerd://" in nodes["linux-1"]["CONTAINER-RUNTIME"]
    said = kubectl("describe", "node", "win-1").stdout
    for words in ("op-readiness.dev/simulated=true", "KubeletReady", "InternalIP:  10.240.0.11", "Starting kubelet."):
        assert words in said


def test_pods_of_all_namespaces(kubectl):
    """CoreDNS runs on Linux Nodes, with addresses."""
    pods = rows(kubectl("get", "pods", "-A", "-o", "wide").stdout)
    dns = [row for row in pods if row["NAME"].startswith("coredns-")]
    assert len(dns) == 2
    assert all((row["READY"], row["STATUS"], row["IP"][:7]) == ("1/1", "Running", "10.244.") for row in dns)


def test_api_resources(kubectl):
    """Kinds, short names and groups are those that the API server serves."""
    kinds = {row["KIND"]: row for row in rows(kubectl("api-resources").stdout)}
    assert kinds["Pod"]["SHORTNAMES"] == "po"
    assert (kinds["Deployment"]["APIVERSION"], kinds["Node"]["NAMESPACED"]) == ("apps/v1", "false")
    assert "discovery.k8s.io/v1" in kubectl("api-versions").stdout


def test_rights(kubectl):
    """`auth can-i` answers for oneself and for others."""
    assert kubectl("auth", "can-i", "create", "pods").stdout == "yes\n"
    other = "--as=system:serviceaccount:default:default"
    assert kubectl("auth", "can-i", "create", "pods", other, code=1).stdout == "no\n"
    assert "Forbidden" in kubectl("get", "pods", other, code=1).stderr
    assert "admin" in kubectl("auth", "whoami").stdout


def test_apply_and_what_it_made(kubectl, web):
    """Apply makes, and makes no change a second time; what it made is shown in tables and described."""
    again = kubectl("-n", web, "apply", "-f", "-", stdin=WEB).stdout
    assert again == "deployment.apps/web unchanged\nservice/web unchanged\n"
    pods = rows(kubectl("-n", web, "get", "pods", "-o", "wide").stdout)
    assert [(row["READY"], row["STATUS"]) for row in pods] == [("1/1", "Running")] * 2
    assert {row["NODE"] for row in pods} == {"win-1", "win-2"}
    (deployment,) = rows(kubectl("-n", web, "get", "deployment", "web").stdout)
    assert (deployment["READY"], deployment["AVAILABLE"]) == ("2/2", "2")
    described = kubectl("-n", web, "describe", "pod", pods[0]["NAME"]).stdout
    for words in ("Successfully assigned", "Pulled", "Container started", "Node-Selectors:", "@sha256:"):
        assert words in described, described
    addresses = ",".join(sorted(f"{row['IP']}:80" for row in pods))
    described = kubectl("-n", web, "describe", "service", "web").stdout
    shown = next(line.split()[1] for line in described.splitlines() if line.startswith("Endpoints:"))
    assert ",".join(sorted(shown.split(","))) == addresses


def test_logs_and_exec(kubectl, web):
    """stdout, stderr, exit code and stdin of a command in a Windows container; the log of its program."""
    assert "Started HTTP server on port 80" in kubectl("-n", web, "logs", "deployment/web").stdout
    ran = kubectl("-n", web, "exec", "deployment/web", "--", "cmd", "/c", "echo out & echo err 1>&2 & exit 7", code=7)
    assert (ran.stdout.split(), ran.stderr.split()[0]) == (["out"], "err")
    said = kubectl("-n", web, "exec", "-i", "deployment/web", "--", "findstr", "b", stdin="abc\r\nxyz\r\n")
    assert said.stdout.strip() == "abc"
    said = kubectl("-n", web, "exec", "deployment/web", "--", "nosuchprogram", code=1)
    assert "nosuchprogram" in said.stderr
    said = kubectl("-n", web, "exec", "deployment/web", "-c", "nosuch", "--", "hostname", code=1)
    assert "container nosuch is not valid" in said.stderr


def test_scale_wait_and_roll_out(kubectl, web):
    """Three replicas, waited for; a new template is rolled out and taken back; deletion is waited for."""
    kubectl("-n", web, "scale", "deployment/web", "--replicas=3")
    kubectl("-n", web, "wait", "--for=jsonpath={.status.readyReplicas}=3", "deployment/web", "--timeout=60s")
    said = kubectl("-n", web, "wait", "--for=condition=Ready", "pod", "-l", "app=web", "--timeout=60s").stdout
    assert said.count("condition met") == 3
    kubectl("-n", web, "rollout", "restart", "deployment/web")
    said = kubectl("-n", web, "rollout", "status", "deployment/web", "--timeout=60s").stdout
    assert 'deployment "web" successfully rolled out' in said
    kubectl("-n", web, "rollout", "undo", "deployment/web")
    kubectl("-n", web, "rollout", "status", "deployment/web", "--timeout=60s")
    said = kubectl("-n", web, "rollout", "history", "deployment/web").stdout
    assert [line.split()[0] for line in said.splitlines()[2:] if line] == ["2", "3"]
    kubectl("-n", web, "delete", "-f", "-", stdin=WEB)
    kubectl("-n", web, "wait", "--for=delete", "pod", "-l", "app=web", "--timeout=60s")
    assert "No resources found" in kubectl("-n", web, "get", "pods").stderr


def test_watch(kubectl, environ, namespace, tmp_path):
    """`get --watch` shows a Pod from Pending to Running to gone."""
    seen = tmp_path / "watched"
    with seen.open("w") as out:
        watching = subprocess.Popen(
            ["kubectl", "-n", namespace, "get", "pods", "--watch", "--no-headers"], env=environ, stdout=out,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            kubectl("-n", namespace, "run", "one", f"--image={IMAGE}", "--", "pause")
            kubectl("-n", namespace, "wait", "--for=condition=Ready", "pod/one", "--timeout=60s")
            wait_for("the Pod in the watch", lambda: "Running" in seen.read_text())
            kubectl("-n", namespace, "delete", "pod", "one", "--grace-period=1")
            wait_for("its end in the watch", lambda: "Terminating" in seen.read_text())
        finally:
            watching.kill()
            watching.wait()
    states = [line.split()[2] for line in seen.read_text().splitlines()]
    assert states.index("Running") < states.index("Terminating")


def test_create_and_delete(kubectl, namespace):
    """Objects of several kinds, made by their own commands; a Pod that ends; refusals in the API server's words."""
    kubectl("-n", namespace, "create", "configmap", "c", "--from-literal=a=b")
    kubectl("-n", namespace, "create", "secret", "generic", "s", "--from-literal=a=b")
    assert json.loads(kubectl("-n", namespace, "get", "cm", "c", "-o", "json").stdout)["data"] == {"a": "b"}
    assert kubectl("-n", namespace, "create", "token", "default").stdout.count(".") == 2
    kubectl("-n", namespace, "create", "job", "j", f"--image={IMAGE}", "--", "/agnhost", "help")
    kubectl("-n", namespace, "wait", "--for=condition=complete", "job/j", "--timeout=60s")
    pods = rows(kubectl("-n", namespace, "get", "pods", "-l", "job-name=j").stdout)
    assert [row["STATUS"] for row in pods] == ["Completed"]

    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: a, image: b, foo: 1}]}\n"
    said = kubectl("-n", namespace, "create", "-f", "-", stdin=pod, code=1).stderr
    assert 'unknown field "spec.containers[0].foo"' in said
    assert 'pods "nosuch" not found' in kubectl("-n", namespace, "delete", "pod", "nosuch", code=1).stderr
    said = kubectl("-n", namespace, "apply", "--server-side", "-f", "-", stdin=WEB).stdout
    assert "deployment.apps/web serverside-applied" in said

    kubectl("delete", "namespace", namespace)
    assert "NotFound" in kubectl("get", "namespace", namespace, code=1).stderr


def test_a_body_in_protobuf_keeps_what_json_has_no_level_for(kubectl):
    """`kubectl debug node` sends protobuf; its volume's source stands in the volume itself."""
    said = kubectl("debug", "node/linux-1", f"--image={IMAGE}", "--", "pause")
    assert "unknown field" not in said.stderr
    pods = json.loads(kubectl("get", "pods", "-o", "json").stdout)["items"]
    (made,) = [pod for pod in pods if pod["metadata"]["name"].startswith("node-debugger-linux-1")]
    assert {"name": "host-root", "hostPath": {"path": "/", "type": ""}} in made["spec"]["volumes"]
    kubectl("delete", "pod", made["metadata"]["name"], "--force")


def test_nodes_are_cordoned_and_drained(kubectl, web):
    """A cordoned Node takes no Pods and shows it; drain evicts; uncordon makes it as it was."""
    kubectl("cordon", "win-1")
    (node,) = rows(kubectl("get", "node", "win-1").stdout)
    assert node["STATUS"] == "Ready,SchedulingDisabled"
    kubectl("drain", "win-1", "--ignore-daemonsets", "--force", "--timeout=60s")
    kubectl("-n", web, "rollout", "status", "deployment/web", "--timeout=60s")
    pods = rows(kubectl("-n", web, "get", "pods", "-o", "wide", "--field-selector=status.phase=Running").stdout)
    assert {row["NODE"] for row in pods} == {"win-2"}
    kubectl("uncordon", "win-1")
    (node,) = rows(kubectl("get", "node", "win-1").stdout)
    assert node["STATUS"] == "Ready"


