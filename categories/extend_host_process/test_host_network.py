"""Extend.HostProcess: the Node's network and the API server from HostProcess Pods."""

from op_readiness.suite import ability


@ability("hp-api-server-access")
def test_the_api_server_knows_the_service_account(api_access):
    api_access.must_be_known()


@ability("hp-bind-host-interface")
def test_ports_of_the_node_can_be_opened(binding):
    binding.must_answer()
    binding.second_must_be_refused()
    binding.must_close()


@ability("hp-hcn-rules")
def test_rules_of_hns_can_be_managed(hns_rules):
    hns_rules.must_be_managed()
