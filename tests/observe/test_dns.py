"""What dig and nslookup print, read by the addresses."""

from op_readiness.observe.dns import lookup, nslookup_addresses, records
from op_readiness.observe.shell import Answer


def test_only_records_of_the_kind_asked_for_are_read():
    """A CNAME on the way to an A record is no A record."""
    text = "a.example.\t30\tIN\tCNAME\tb.example.\nb.example.\t30\tIN\tA\t10.0.0.7\n"
    assert records(text, "A") == {"10.0.0.7"}
    assert records(text, "CNAME") == {"b.example"}


def test_srv_records_are_compared_by_port_and_target():
    """Priority and weight are not prescribed: CoreDNS and kube-dns say different ones of the same Service."""
    coredns = "_http._tcp.s.\t30\tIN\tSRV\t0 50 8080 a.s.\n_http._tcp.s.\t30\tIN\tSRV\t0 50 8080 b.s.\n"
    kube_dns = "_http._tcp.s.\t30\tIN\tSRV\t10 100 8080 b.s.\n_http._tcp.s.\t30\tIN\tSRV\t10 100 8080 a.s.\n"
    aim = lookup("_http._tcp.s", frozenset({"8080 a.s", "8080 b.s"}), kind="SRV")
    assert [{aim.read(Answer(0, text))} for text in (coredns, kube_dns)] == [aim.expected] * 2
    for wrong in (coredns.replace("8080 b", "80 b"), coredns.replace("b.s.", "c.s."), coredns.partition("\n")[0]):
        assert {aim.read(Answer(0, wrong))} != aim.expected


def test_nslookup_of_windows_and_of_bind_give_the_same():
    """The server's own address is not an answer."""
    windows = "Server:  UnKnown\r\nAddress:  10.96.0.10\r\n\r\nName:    k.default\r\nAddress:  10.96.0.1\r\n"
    bind = "Server:\t\t10.96.0.10\nAddress:\t10.96.0.10#53\n\nName:\tk.default\nAddress: 10.96.0.1\n"
    assert nslookup_addresses(windows.replace("\r\n", "\n")) == nslookup_addresses(bind) == {"10.96.0.1"}


def test_an_unknown_name_gives_no_address_though_nslookup_ends_well():
    """Exit code 0 is no answer."""
    assert nslookup_addresses("Server:  UnKnown\nAddress:  10.96.0.10\n\n*** UnKnown can't find x\n") == frozenset()
