"""Core.Storage: service accounts of Windows Pods, and what they hold while Services come and go."""

from op_readiness.suite import ability


@ability("sto-service-account-rotation")
def test_tokens_of_running_windows_pods_are_renewed(token_rotation):
    token_rotation.must_rotate()


@ability("sto-service-recreate")
def test_pods_keep_what_they_hold_while_their_service_is_made_again(held_recreation):
    held_recreation.turn(watch_sibling=True)
    held_recreation.turn(same_address=True, new_pods=True)
    held_recreation.turn(new_pods=True, watch_sibling=True)
