"""Which address a server sees: read from agnhost's answer, held against the client's own."""

import pytest

from op_readiness.model.findings import Place
from op_readiness.observe.client_ip import host_of, seen_by
from op_readiness.observe.shell import Answer, Client
from op_readiness.observe.traffic import Observer

POD = {
    "metadata": {"namespace": "n", "name": "server"},
    "spec": {"nodeName": "win-2"},
    "status": {"podIP": "10.244.2.3"},
}
CLIENT = Client("n", "client", Place("win-1", os="windows"), "10.244.1.3")


@pytest.mark.parametrize(
    ("text", "host"),
    [("10.244.1.3:49152", "10.244.1.3"), ("[fd00::3]:49152", "fd00::3"), ("10.244.1.3", "10.244.1.3"), ("", "")],
)
def test_the_port_is_left_out(text, host):
    """With brackets of IPv6 or without; what is no address and port stays as it is."""
    assert host_of(text) == host


@pytest.mark.parametrize(("seen", "good"), [("10.244.1.3", True), ("10.240.0.11", False)])
def test_only_the_clients_own_address_is_good(seen, good):
    """An address of the Node is a stranger, and the one expected is missing."""
    target = seen_by(POD, CLIENT)
    answers = {"first": [Answer(0, f"{seen}:49152")], "hold": [Answer(0, f"{seen}:49153")] * 10}
    judged = Observer._judged(target, answers)
    assert judged.good is good
    assert "curl.exe" in target.command(CLIENT) and target.command(CLIENT).endswith("10.244.2.3:8080/clientip")
    if not good:
        assert judged.missing == {"10.244.1.3"} and judged.strangers == {"10.240.0.11"}
