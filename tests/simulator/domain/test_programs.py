"""nltest, klist, net use and cmd on a share: as whom they speak, and what they say when way or account is bad."""

from __future__ import annotations

import pytest

from tests.simulator.domain.site import SPEC, Site
from tests.simulator.programs.containers import Net, play

APPS, FINANCE = r"\\files.corp.example\apps", r"\\files.corp.example\finance"
OTHER_DOMAIN = '{"DomainJoinConfig": {"DnsName": "acme.com", "MachineAccountName": "webapp01"}}'


def said(scene_of, *argv, spec=SPEC, **changes):
    """How a program ends in a container of a site that `scene_of` has changed."""
    found = []

    async def scene(net: Net) -> None:
        site = Site(net)
        scene_of(site)
        found.append(await site.container(spec, **changes).run(*argv))

    play(scene)
    return found[0]


def healthy(_: Site) -> None:
    """Nothing is changed."""


@pytest.mark.parametrize("word", ["/query", "/sc_verify:corp.example", "/sc_query:CORP", "/sc_reset:corp.example"])
def test_a_secure_channel_that_is_well_has_status_zero(word):
    """Every line with a status says 0, and the command says that it is over."""
    ran = said(healthy, "nltest", word)
    assert ran.code == 0
    assert "= 0 0x0 NERR_Success\r\n" in ran.out and ran.out.endswith("The command completed successfully\r\n")


def test_the_success_line_stands_beside_an_error():
    """What microsoft/SDN#339 shows: exit code 0, a line of success, and status 1311."""
    ran = said(lambda site: site.breaks("channel", status=1311), "nltest", "/sc_verify:corp.example")
    assert (ran.code, ran.out.count("1311 0x51f ERROR_NO_LOGON_SERVERS")) == (0, 2)
    assert "The command completed successfully" in ran.out


def test_the_parent_domain_is_the_credential_specs():
    """Also of a domain that is not there: nothing is asked for it."""
    assert said(healthy, "nltest", "/parentdomain").out.startswith("corp.example. (1)\r\n")
    assert said(healthy, "nltest", "/PARENTDOMAIN", spec=OTHER_DOMAIN).out.startswith("acme.com. (1)\r\n")


@pytest.mark.parametrize(("word", "error"), [("/query", 1722), ("/parentdomain", 1722), ("/dsgetdc:a.example", 1355)])
def test_without_an_account_or_a_domain_there_is_an_error(word, error):
    """An error on stderr and an exit code."""
    ran = said(healthy, "nltest", word, spec="")
    assert ran.code == 1 and f"Status = {error} " in ran.err


def test_a_controller_is_found_by_dns_and_by_its_port():
    """The list of controllers is longer than a datagram; the nearest that answers is taken."""
    assert r"DC: \\dc1.corp.example" in said(healthy, "nltest", "/dsgetdc:corp.example").out
    ran = said(lambda site: site.cut_off("10.240.0.4"), "nltest", "/dsgetdc:corp.example")
    assert r"DC: \\dc2.corp.example" in ran.out


def test_without_any_controller_there_are_no_logon_servers():
    """Neither channel nor ticket."""

    def cut(site: Site) -> None:
        site.cut_off("10.240.0.4")
        site.cut_off("10.240.0.5")

    assert "1311" in said(cut, "nltest", "/query").out
    ran = said(cut, "klist", "get", "cifs/files.corp.example")
    assert ran.code == 1 and "0xc000005e" in ran.out


def test_a_ticket_is_the_accounts():
    """klist shows who got it, in the realm's capitals."""
    ran = said(healthy, "klist", "get", "cifs/files.corp.example")
    assert ran.code == 0
    assert "Client: webapp01$ @ CORP.EXAMPLE" in ran.out and "Server: cifs/files.corp.example @ CORP.EXAMPLE" in ran.out
    assert "Cached Tickets: (0)" in said(healthy, "klist", spec="").out


def test_an_account_that_the_domain_does_not_know_gets_nothing():
    """No trust with the account, and no ticket."""
    spec = SPEC.replace('"MachineAccountName": "webapp01"', '"MachineAccountName": "stranger"')
    assert "1787" in said(healthy, "nltest", "/query", spec=spec).out
    assert said(healthy, "klist", "get", "cifs/files.corp.example", spec=spec).code == 1


def test_a_share_takes_what_its_account_writes():
    """Written, read, listed and removed by cmd."""
    line = rf"echo hello> {APPS}\a.txt & type {APPS}\a.txt & dir /b {APPS} & del {APPS}\a.txt & dir /b {APPS}"
    ran = said(healthy, "cmd", "/S", "/C", line)
    assert (ran.code, ran.out) == (0, "hello\r\na.txt\r\n")


@pytest.mark.parametrize(
    ("change", "spec", "share", "words"),
    [
        (healthy, SPEC, FINANCE, "Access is denied."),
        (healthy, "", APPS, "The user name or password is incorrect."),
        (healthy, SPEC, r"\\files.corp.example\nothing", "The network name cannot be found."),
        (healthy, SPEC, r"\\nowhere.corp.example\apps", "The network path was not found."),
        (lambda site: site.cut_off("10.240.0.6"), SPEC, APPS, "The network path was not found."),
        (lambda site: site.breaks("ticket", state="lost"), SPEC, APPS, "There are currently no logon servers"),
        (lambda site: site.breaks("share", state="refused"), SPEC, APPS, "Access is denied."),
    ],
)
def test_a_share_that_is_not_open_says_why(change, spec, share, words):
    """In Windows' words, with an exit code; net use has its number beside them."""
    ran = said(change, "cmd", "/S", "/C", f"dir /b {share}", spec=spec)
    assert ran.code == 1 and ran.err.startswith(words)
    used = said(change, "net", "use", share, spec=spec)
    assert used.code == 2 and "System error " in used.err and words in used.err


def test_by_address_no_ticket_is_needed():
    """A server that is named by its address is spoken to without Kerberos."""
    ran = said(lambda site: site.breaks("ticket", state="lost"), "cmd", "/S", "/C", r"dir /b \\10.240.0.6\apps")
    assert ran.code == 0


def test_a_mapping_of_the_node_opens_a_share_to_everybody():
    """Who has no account of his own is taken for the one that mapped it (microsoft/Windows-Containers#604)."""
    ran = said(lambda site: site.breaks("share", account="webapp01"), "cmd", "/S", "/C", f"dir /b {APPS}", spec="")
    assert ran.code == 0


def test_every_account_of_the_domain_reads_sysvol_and_nobody_writes_it():
    """The share by which a look-up as somebody is tried without any input."""
    assert said(healthy, "cmd", "/S", "/C", r"dir /b \\corp.example\SYSVOL").code == 0
    assert said(healthy, "cmd", "/S", "/C", r"echo x> \\corp.example\SYSVOL\x.txt").code == 1


def test_a_container_without_credentials_has_no_identity():
    """The runtime started it although the host got none (Azure/AKS#3849)."""
    assert said(healthy, "nltest", "/query", without_domain=True).code == 1
