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


@ability("sto-emptydir-modes")
def test_windows_containers_may_do_with_a_volume_what_their_mounts_say(mount_modes):
    mount_modes.must_be_kept()


@ability("sto-subpath-cleanup")
def test_a_windows_pod_with_many_subpath_mounts_goes_away(sub_paths):
    sub_paths.must_be_read()
    sub_paths.must_go()


@ability("sto-downward-api")
def test_windows_pods_are_told_of_themselves(downward):
    downward.must_be_told()
