"""Extend.ActiveDirectory: NT AUTHORITY\\NetworkService and the host's network."""

from op_readiness.suite import ability


@ability("ad-network-service-host-objects")
def test_network_service_interacts_with_host_network_objects(network_service):
    network_service.must_read_the_host()
    network_service.record_the_domain()
