"""Extend.HostProcess: containers that are processes of a Windows Node."""

from op_readiness.suite import ability
from op_readiness.suite.subjects.host_process.running import BINDS, BINDS_SOURCE


@ability("hp-node-ip")
def test_host_process_pods_share_the_nodes_address(basics):
    basics.must_share_the_address()


@ability("hp-run-as-process")
def test_a_container_is_a_process_of_its_node(basics):
    basics.must_run_as_a_process()


@ability("hp-users")
def test_containers_run_as_the_accounts_of_the_node(basics):
    basics.must_run_as()


@ability("hp-init-containers")
def test_init_containers_act_on_the_node_first(init_containers):
    init_containers.must_leave_their_effects()


@ability("hp-volume-mounts")
def test_volumes_of_each_kind_are_seen(volumes):
    volumes.must_be_seen(BINDS, BINDS_SOURCE)


@ability("hp-privileged-apis")
def test_privileged_interfaces_of_windows_can_be_called(privileged_apis):
    privileged_apis.must_be_open_to_host_processes()
    privileged_apis.must_be_closed_to_containers()


@ability("hp-termination")
def test_a_deleted_pod_leaves_no_process(termination):
    termination.trees_must_grow()
    termination.trees_must_end()


@ability("hp-admission-rejections")
def test_pods_that_are_declared_wrongly_are_refused(admission):
    admission.must_refuse()
