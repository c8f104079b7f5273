"""Core.Network: names from Windows Pods: the cluster's own, those outside, those that a Pod's spec brings along."""

from op_readiness.suite import ability


@ability("net-dns-cluster")
def test_windows_pods_resolve_names_of_the_cluster(cluster_names, canary, windows_servers):
    first = cluster_names.ask_new_pods(windows_servers)
    cluster_names.settings_must_be_the_clusters()
    cluster_names.must_resolve(canary)
    first.must_hold(cluster_names.reach)
    cluster_names.unknown_names_must_be_absent()
    cluster_names.api_must_be_met_by_name()


@ability("net-dns-external")
def test_windows_pods_resolve_and_reach_names_outside(outside_names):
    outside_names.external_name_must_follow()
    outside_names.outside_must_be_reached()


@ability("net-dns-custom-records")
def test_windows_pods_use_dns_settings_of_their_spec(custom_records):
    custom_records.settings_of_the_spec_must_be_in_force()
    custom_records.records_of_a_server_of_ones_own_must_resolve()
    custom_records.search_list_must_be_used()
    custom_records.host_aliases_must_resolve()
    custom_records.hostname_and_subdomain_must_resolve()
