"""Extend.ActiveDirectory: runAsUserName and runAsNonRoot, on each selected Windows Node."""

from op_readiness.suite import ability


@ability("ad-runasusername-volumes")
def test_run_as_user_name_is_supported_whatever_of_volumes(users_with_volumes):
    users_with_volumes.must_be_as_asked()
    users_with_volumes.record_volumes()


@ability("ad-runasusername-defaults")
def test_the_container_overrides_the_pod_and_the_pod_the_image(users_by_level):
    users_by_level.must_be_as_asked()


@ability("ad-runasusername-unknown")
def test_an_unknown_user_does_not_start(unknown_users):
    unknown_users.must_not_run("Containers of a user that does not exist are started")


@ability("ad-runasnonroot")
def test_run_as_non_root_keeps_administrators_out(administrators_under_non_root):
    administrators_under_non_root.must_not_run("runAsNonRoot lets ContainerAdministrator in")
