"""What the readiness tests of Extend.ActiveDirectory are given."""

import pytest

from op_readiness.suite.subjects import refused_users, users


@pytest.fixture
def users_with_volumes(workshop, asker, windows_nodes):
    """Pods that name their user at the Pod or at the container, with volumes, running."""
    made = users.Users(workshop, asker, windows_nodes, users.BOTH_LEVELS, volumes=True)
    made.start()
    return made


@pytest.fixture
def users_by_level(workshop, asker, windows_nodes):
    """Pods whose user the image, the Pod or the container names, running."""
    made = users.Users(workshop, asker, windows_nodes, users.DEFAULTS)
    made.start()
    return made


@pytest.fixture
def unknown_users(workshop, asker, windows_nodes):
    """Pods with a user that does not exist, beside Pods that run."""
    made = refused_users.RefusedUsers(
        workshop, asker, windows_nodes, refused_users.unknown(), refused_users.unknown_shows,
        users.windows_options(runAsUserName=users.USER),
    )  # fmt: skip
    made.start()
    return made


@pytest.fixture
def administrators_under_non_root(workshop, asker, windows_nodes):
    """Pods of ContainerAdministrator with runAsNonRoot, beside Pods of ContainerUser with it."""
    context = users.windows_options(runAsUserName=users.USER)["securityContext"] | {"runAsNonRoot": True}
    made = refused_users.RefusedUsers(
        workshop, asker, windows_nodes, refused_users.administrators(), refused_users.root_shows,
        {"securityContext": context},
    )  # fmt: skip
    made.start()
    return made
