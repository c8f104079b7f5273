"""Extend.Worker's subjects: what console programs and scripts say, and what follows from it."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

import pytest

from op_readiness.model.errors import AbilityNotMet, CouldNotTell, NotTested, SkipReason
from op_readiness.model.facts import NodeFact
from op_readiness.model.findings import Finding
from op_readiness.observe.kubelet import Answered
from op_readiness.observe.recorder import Recorder
from op_readiness.observe.targets import Exposed
from op_readiness.suite.subjects.worker.host_facts import Defender, Inventory, _foreign_address, _untold, _ways
from op_readiness.suite.subjects.worker.kubelet_figures import _missing
from op_readiness.suite.subjects.worker.log_files import LogFiles, names_of
from op_readiness.suite.subjects.worker.node_logs import _ROWS, HEAD, NodeLogs, _events
from op_readiness.suite.subjects.worker.node_paths import Way, _echoed, _pieces

ONE = NodeFact("win-1", "windows", "10.0.20348", internal_ips=("10.0.0.1",))
TWO = NodeFact("win-2", "windows", "10.0.20348", internal_ips=("fd00::2", "10.0.0.2"))
SERVICE = {
    "metadata": {"name": "srv-w", "namespace": "n"},
    "spec": {"ports": [{"name": "http", "nodePort": 30080}, {"name": "udp", "nodePort": 30081}]},
}
PODS = ({"metadata": {"name": "srv-w-0"}}, {"metadata": {"name": "srv-w-1"}})


def test_pieces_of_a_console_output_by_their_marks():
    """A blank behind the mark's key is cmd's own."""
    assert _pieces("x\n@@ a \none\n@@ b\ntwo\n") == {"a": "one\n", "b": "two\n"}


def test_echo_requests_are_counted_by_what_no_language_translates():
    """Three of four are enough; the control is agnhost's exit code."""
    reply = "Antwort von 10.0.0.2: Bytes=32 Zeit<1ms TTL=128\n"
    assert _echoed(ONE, TWO, reply * 3 + "tcp-open\n").good
    lost = _echoed(ONE, TWO, reply * 2 + "tcp-closed \n")
    assert (lost.good, lost.tcp, "does not answer either" in str(lost)) == (False, False, True)


def test_a_node_port_is_judged_by_names_and_by_answers():
    """TCP by the backends' names, UDP by answers; a stranger's name is no answer, and runs of loss fail."""
    tcp, udp = (Way(ONE, TWO, Exposed(SERVICE, PODS), protocol) for protocol in ("TCP", "UDP"))
    assert (tcp.port, udp.port, tcp.key) == (30080, 30081, "srv-w-win-2-tcp")
    assert tcp.judged("srv-w-0 \nsrv-w-1\n" * 5).good
    assert not tcp.judged("srv-w-0\nlost\nlost\nsrv-w-1\n").good
    assert not tcp.judged("stranger\n" * 10).good
    assert (udp.judged("answered\n" * 10).good, udp.judged("lost\n" * 10).good) == (True, False)
    assert "10.0.0.2:30081 --protocol=udp" in udp.command()


def test_a_way_speaks_against_the_nodes_of_backends_that_never_answered():
    """Of a way that is well it speaks for all of them; where nobody answered it cannot tell."""
    pods = [{"metadata": {"name": f"srv-w-{n}"}, "spec": {"nodeName": f"win-{n}"}} for n in range(2)]
    way = Way(ONE, TWO, Exposed(SERVICE, tuple(pods)), "TCP")
    assert way.homes("srv-w-0 \nlost\nsrv-w-0\n", good=False) == {"win-1"}
    assert way.homes("srv-w-0\n", good=True) == way.homes("lost\n", good=False) == {"win-0", "win-1"}


def test_administrators_need_a_service_that_runs_listens_and_is_not_denied():
    """One of the two is enough."""
    ssh, rdp = {"name": "sshd", "status": "Running"}, {"name": "TermService", "status": "Running"}
    assert _ways({"services": [ssh], "listening": [22], "rdpDenied": True}) == ["SSH"]
    assert _ways({"services": [rdp], "listening": [3389], "rdpDenied": True}) == []
    assert _ways({"services": [ssh, rdp], "listening": [3389], "rdpDenied": False}) == ["RDP"]


def test_an_inventory_needs_a_revision_and_an_address_of_the_nodes_own():
    """What is missing is named."""
    info = {"osImage": "w", "bootID": "1", "kernelVersion": "10.0.20348.3807", "kubeletVersion": "v1.37.2",
            "containerRuntimeVersion": "containerd://1.7.27"}  # fmt: skip
    labels = {"kubernetes.io/os": "windows", "kubernetes.io/arch": "amd64",
              "node.kubernetes.io/windows-build": "10.0.20348"}  # fmt: skip
    addresses = [{"type": "InternalIP", "address": "10.0.0.1"}]
    shown = {"metadata": {"labels": labels}, "status": {"nodeInfo": info, "addresses": addresses}}
    assert _untold(ONE, shown) == []
    info["kernelVersion"] = "10.0.20348"
    assert "kernelVersion with a revision" in _untold(ONE, shown)[0].seen
    assert _foreign_address(ONE, shown, {"addresses": ["10.0.0.1"]}) == []
    assert "InternalIP 10.0.0.1" in _foreign_address(ONE, shown, {"addresses": ["10.0.0.9"]})[0].seen


def shown_as(kernel: str, *addresses: str) -> dict[str, Any]:
    info = {"osImage": "w", "bootID": "7", "kernelVersion": kernel, "kubeletVersion": "v1.37.2",
            "containerRuntimeVersion": "containerd://1.7.27"}  # fmt: skip
    labels = {"kubernetes.io/os": "windows", "kubernetes.io/arch": "amd64",
              "node.kubernetes.io/windows-build": "10.0.20348"}  # fmt: skip
    told = [{"type": "InternalIP", "address": one} for one in addresses]
    return {"metadata": {"labels": labels}, "status": {"nodeInfo": info, "addresses": told}}


class NoPrivileges:
    """Nodes on which no HostProcess Pod may be made; `shown` is what the API says of them."""

    def __init__(self, shown: dict[str, Any]) -> None:
        self.nodes = [ONE]
        cluster: Any = SimpleNamespace(list=lambda kind: [], get=lambda kind, name: shown)
        self.workshop = SimpleNamespace(cluster=cluster)

    def ask(self, script: str) -> dict[str, Any]:
        raise NotTested("requires privileged Pods", reason=SkipReason.MISSING_RIGHT)

    def nothing_may_be_unknown(self) -> None:
        """Nothing was asked."""


def test_without_privileged_pods_an_inventory_is_what_the_api_says():
    """Only the adapters are left out, with the reason; the rest is judged, and shows the Node's own status."""
    recorder = Recorder()
    hosts: Any = NoPrivileges(shown_as("10.0.20348.3807", "10.0.0.1"))
    Inventory(hosts, recorder).must_be_told()
    assert [part.outcome for part in recorder.parts] == ["skipped", "passed"]
    assert "requires privileged Pods" in recorder.parts[0].reason


@pytest.mark.parametrize(("kernel", "addresses", "missing"), [
    ("10.0.20348", ["10.0.0.1"], "kernelVersion with a revision"), ("10.0.20348.3807", [], "an InternalIP"),
])  # fmt: skip
def test_without_privileged_pods_what_the_api_lacks_is_a_finding(kernel, addresses, missing):
    """It names the Node and what is missing."""
    hosts: Any = NoPrivileges(shown_as(kernel, *addresses))
    with pytest.raises(AbilityNotMet) as raised:
        Inventory(hosts, Recorder()).must_be_told()
    (finding,) = raised.value.findings
    assert finding.nodes == ("win-1",) and missing in finding.seen


def test_folded_events_are_joined():
    """PowerShell breaks lines at the console's width."""
    first = " 1/5/2024 11:36:45 PM 16384 Information  one\n     more\n"
    text = f"ProviderName: P\n\n{first} 1/5/2024 11:36:15 PM 1 Information two\n"
    assert [event.endswith(end) for event, end in zip(_events(text), ("onemore", "two"), strict=True)] == [True, True]


@pytest.mark.parametrize("time", [
    " 1/5/2024 11:36:45 PM", "05.01.2024 23:36:45", "2024-01-05 23:36:45", "5. 1. 2024 23:36:45", "05/01/2024 23:36:45",
    "2024. 01. 05. 23:36:45", "2024/01/05 23:36:45", "2024-01-05 \uc624\ud6c4 11:36:45", "05-01-2024 23.36.45",
])  # fmt: skip
def test_events_are_told_apart_in_every_language(time):
    """PowerShell writes their time as the Node's language does."""
    rows = f"{time} 16384 Information  at 2024-01-05T10:00:00Z\n     2024-01-06T10:00:00Z\n{time} 1 Information two\n"
    assert len(_events(f"ProviderName: P\n\nTimeCreated Id\n----------- --\n{rows}")) == 2


def test_an_answer_without_events_has_none():
    """As where the query is off and the folder is listed."""
    assert _events("<pre><a href=x>x</a></pre>") == []


def test_rows_of_no_known_form_are_not_taken_for_no_events():
    """What cannot be read accuses nobody; a table without rows is no such answer."""
    head = f"{HEAD}\n\nTimeCreated Id Message\n----------- -- -------\n"
    for body, known in ((f"{head}in the year 2024 16384 one\n", False), (head, True)):
        assert (_ROWS.search(body) is None) is known
    answer = Answered(200, f"{head}mmxxiv 1 one\n", 0.1)
    logs = NodeLogs(SimpleNamespace(any_answer=lambda *_, **__: answer), None, [], None)
    with pytest.raises(CouldNotTell) as told:
        logs._wrong(ONE)
    assert told.value.findings[0].nodes == (ONE.name,) and "mmxxiv 1 one" in told.value.findings[0].seen


def test_a_figure_of_zero_is_no_figure():
    """Missing and 0 are both named."""
    container = {"name": "main", "logs": {"availableBytes": 0}}
    figures = {"cpu": {"usageCoreNanoSeconds": 5}, "memory": {}, "containers": [container]}
    assert _missing(figures) == ["no memory.workingSetBytes", "no logs.availableBytes of main"]
    assert _missing(None) == ["not listed"]


@pytest.mark.parametrize(
    ("containerd", "processes", "good"),
    [
        (r"C:\Program Files\containerd\containerd.exe", [r"c:\program files\containerd\containerd.exe"], True),
        (r"C:\Program Files\containerd\containerd.exe", ["Containerd.exe"], True),
        (r"C:\Program Files\containerd\containerd.exe", [r"C:\other\containerd.exe"], False),
        (r"C:\k\nssm.exe", [r"C:\other\containerd.exe"], True),
        ("", ["kubelet.exe"], False),
    ],
)
def test_defender_leaves_containerd_out_by_path_or_name(containerd, processes, good):
    """Case does not count; a service that something else starts is told by the name alone."""
    said = {"realTime": True, "mode": "Normal", "processes": processes, "paths": [], "containerd": containerd}
    defender = Defender(None, Recorder())
    assert (defender._judge(ONE, said) is None) == good
    assert defender._judge(ONE, {**said, "realTime": False, "processes": []}) is None


LISTINGS = {
    "": '<pre>\n<a href="big.txt">big.txt</a>\n<a href="kubelet/">kubelet/</a>\n<a href="pods/">pods/</a>\n</pre>',
    "pods/": '<a href="kube-system_x_1/">.</a><a href="opr-1_y_2/">.</a><a href="../">..</a>',
    "pods/opr-1_y_2/": '<a href="main/">main/</a>',
    "pods/opr-1_y_2/main/": '<a href="0.log">0.log</a>',
    "pods/opr-1_y_2/main/0.log": "2026-01-01T00:00:00Z stdout F hello\nmore",
}
LOG = "pods/opr-1_y_2/main/0.log"


class Kubelet:
    """Answers of a kubelet: the tree above, and whatever a query is given."""

    def __init__(self, query: Callable[[dict[str, str]], tuple[int, str]], tree: dict[str, str] | None = None) -> None:
        self.query, self.tree = query, LISTINGS if tree is None else tree

    def any_answer(self, node: NodeFact, path: str, *, seconds: float = 0.0) -> Answered:
        """A listing, a file, or the answer to a query."""
        folder, _, query = path.removeprefix("logs/").partition("?")
        if query:
            return Answered(*self.query({name: values[0] for name, values in parse_qs(query).items()}), 0.1)
        return Answered(200, self.tree[folder], 0.1) if folder in self.tree else Answered(404, "", 0.1)


def files(answer: tuple[int, str], missing: int = 406, tree: dict[str, str] | None = None) -> tuple[str, list[str]]:
    kubelet: Any = Kubelet(lambda given: answer if given["query"] == LOG else (missing, ""), tree)
    return LogFiles(kubelet, ONE).judged()


def test_names_in_a_listing():
    """Nothing that leads outside; names are as they are on the disk."""
    assert list(names_of('<a href="a%20b.log">x</a><a href="../">x</a><a href="./c:d/">x</a>')) == ["a b.log", "c:d/"]


def test_a_file_is_what_the_folder_holds():
    """The log of our own Pod; it may have grown since the query."""
    assert files((200, LISTINGS[LOG][:20])) == (LOG, [])
    for answer in ((200, "something else"), (200, ""), (406, "cannot find the file"), (400, "")):
        path, (wrong,) = files(answer)
        assert path == LOG and wrong.startswith(f"query={LOG}: {answer[0] if answer[0] != 200 else ''}"), wrong


def test_a_file_that_is_not_there_is_refused():
    """Also where no file is listed, or the listed one has gone with its Pod."""
    assert files((200, LISTINGS[LOG]), 200)[1] == ["a file that is not there: 200 in place of 406"]
    assert files((200, ""), 406, {"": ""}) == ("", [])
    gone = {name: text for name, text in LISTINGS.items() if name != LOG}
    assert files((406, ""), 406, gone) == ("", [])


@pytest.mark.parametrize(("past", "future", "wrong"), [(2, 0, 0), (2, 2, 1), (0, 0, 1)])
def test_events_begin_with_the_time_that_is_asked_for(past, future, wrong):
    """All of them since long ago, none since a year from now."""
    event = "11/25/2026 10:00:00 AM  1 Information Health\n"

    def query(given: dict[str, str]) -> tuple[int, str]:
        return 200, event * (past if given["sinceTime"].startswith("2000") else future)

    kubelets, nobody = Kubelet(query), SimpleNamespace()
    assert len(NodeLogs(kubelets, Recorder(), [ONE], nobody)._wrong_since(ONE, 2)) == wrong


@pytest.mark.parametrize(("before", "own", "after", "wrong"), [(2, 2, 2, 0), (2, 3, 3, 0), (2, 3, 2, 1), (3, 2, 2, 0)])
def test_a_node_has_as_many_events_as_its_kubelet_tells(before, own, after, wrong):
    """Events may come meanwhile; a log that is shorter than before was cleared, and shows nothing."""
    logs = NodeLogs(Kubelet(None), Recorder(), [ONE], SimpleNamespace(), before={"win-1": (before, 1)})
    logs.told = {"win-1": {"total": own, "matching": 1}}
    event = "11/25/2026 10:00:00 AM  1 Information "
    body = f"{event}Health\n" + f"{event}other\n" * (after - 1)
    assert len(logs._not_the_nodes(ONE, Answered(200, body, 0.1))) == wrong


class Silent:
    """HostProcess Pods that may not be made, or whose log does not come."""

    def __init__(self, error=None):
        self.error, self.unknown, self.nodes = error, [], []

    def ask(self, script, given):
        if self.error:
            raise self.error
        self.unknown = [Finding("no log", "x", "y", "cut off", nodes=("win-1",))]
        return {}


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (NotTested("requires privileged Pods", reason=SkipReason.MISSING_RIGHT), "missing right: requires privileged"),
        (CouldNotTell(Finding("a", "b", "c", "d")), "not found out: "), (None, "cut off"),
    ],
)  # fmt: skip
def test_where_no_node_can_be_looked_into_its_kubelet_is_judged_alone(error, why):
    """With the reason as a part that was not tested."""
    recorder = Recorder()
    NodeLogs(Kubelet(None), recorder, [ONE], Silent(error))._ask_nodes([ONE])
    assert [part.reason.startswith(why) for part in recorder.parts] == [True]
