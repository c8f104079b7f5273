"""Reading nltest and klist by numbers and names, whatever language their sentences have."""

import pytest

from op_readiness.observe import domains

WELL = "Flags: b0 HAS_IP\nTrusted DC Name \\\\dc1\nTrusted DC Connection Status Status = 0 0x0 NERR_Success"
DONE = "\nThe command completed successfully"


@pytest.mark.parametrize(
    ("code", "text", "well"),
    [
        (0, WELL + DONE, True),
        (0, WELL + "\nDer Befehl wurde ausgeführt.", True),
        (0, "Trusted DC Connection Status Status = 1311 0x51f ERROR_NO_LOGON_SERVERS" + DONE, False),
        (0, WELL + "\nTrust Verification Status = 1787 0x6fb ERROR_NO_TRUST_SAM_ACCOUNT" + DONE, False),
        (1, "I_NetLogonControl failed: Status = 1722 0x6ba RPC_S_SERVER_UNAVAILABLE", False),
        (0, "The command completed successfully", False),
        (0, "", False),
    ],
)
def test_a_channel_is_well_by_its_status_alone(code, text, well):
    """A line of success shows nothing, neither beside an error nor alone."""
    assert domains.channel_is_well(code, text) is well


def test_the_parent_domain_is_the_first_word():
    """With or without its last dot, in any case."""
    assert domains.parent_domain("K8sGMSA.lan. (1)\nThe command completed successfully") == "k8sgmsa.lan"
    assert domains.parent_domain("Getting parent domain failed: Status = 1722 0x6ba") == ""


def test_a_ticket_is_the_accounts_or_it_is_not():
    """Of another account it shows nothing of this one."""
    text = "#0>\tClient: webapp01$ @ CORP.EXAMPLE\n\tServer: krbtgt/CORP.EXAMPLE @ CORP.EXAMPLE"
    assert domains.is_client(text, "WebApp01", "corp.example")
    assert not domains.is_client(text, "app01", "other.example")


def test_a_share_that_was_not_met_refuses_nobody():
    """Access denied is an answer of who serves it; a missing path is none."""
    assert domains.not_reached("The network path was not found.")
    assert not domains.not_reached("Access is denied.")
