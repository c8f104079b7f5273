"""What Windows names as DNS servers where there are none is none."""

import pytest

from op_readiness.suite.subjects.active_directory.network_service import is_server


@pytest.mark.parametrize("address", ["10.240.0.3", "fd00::53", "fe80::1%8"])
def test_an_address_that_was_given_is_a_server(address):
    """Of either family, with or without a zone."""
    assert is_server(address)


@pytest.mark.parametrize("address", ["fec0:0:0:ffff::1", "fec0:0:0:ffff::3%1", "", "none"])
def test_site_local_addresses_and_words_are_none(address):
    """The three of an IPv6 side that was given none."""
    assert not is_server(address)
