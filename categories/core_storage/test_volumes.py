"""Core.Storage: what Windows Pods mount, read, write and share."""

from op_readiness.suite import ability


@ability("sto-hostpath-write")
def test_a_windows_pod_writes_to_a_folder_of_its_node(host_paths):
    host_paths.must_be_written()


@ability("sto-hostpath-read")
def test_a_windows_pod_reads_a_folder_of_its_node(host_paths):
    host_paths.must_be_read()


@ability("sto-config-volumes")
def test_windows_pods_see_config_maps_and_secrets(config_volumes):
    config_volumes.must_show_every_byte()
    config_volumes.must_follow_changes()


@ability("sto-three-containers-share")
def test_three_windows_containers_share_files(shared_files):
    shared_files.must_share()
