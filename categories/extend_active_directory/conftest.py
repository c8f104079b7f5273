"""What the readiness tests of Extend.ActiveDirectory are given."""

import pytest

from op_readiness.suite.subjects.active_directory import domain_identity as domain_identity_
from op_readiness.suite.subjects.active_directory import gmsa, refused_users, shares, users
from op_readiness.suite.subjects.active_directory import gmsa_admission as gmsa_admission_
from op_readiness.suite.subjects.active_directory import inline_specs as inline_specs_
from op_readiness.suite.subjects.active_directory import linux_fields as linux_fields_
from op_readiness.suite.subjects.active_directory import network_service as network_service_
from op_readiness.suite.subjects.active_directory import protected_folder as protected_folder_


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
        {"securityContext": context}, twin_is_judged=True,
    )  # fmt: skip
    made.start()
    return made


@pytest.fixture
def domain(workshop):
    """The domain that the run was told of, and the account of its credential spec."""
    return gmsa.read_domain(workshop)


@pytest.fixture
def domain_identity(workshop, asker, domain, windows_nodes):
    """Three Pods with the account on each Node that can use it, running, looked at."""
    nodes = gmsa.nodes_with_account(workshop, windows_nodes)
    pods = gmsa.GmsaPods(workshop, domain, nodes, replicas=3, judges_webhook=True)
    pods.start()
    return domain_identity_.DomainIdentity(workshop, asker, pods, domain)


@pytest.fixture
def storage(workshop, asker, domain, windows_nodes):
    """A Pod with the account on each Node, with volumes of its own and of its Node."""
    nodes = gmsa.nodes_with_account(workshop, windows_nodes)
    pods = gmsa.GmsaPods(
        workshop, domain, nodes, level="privileged", volumes=shares.LOCAL_VOLUMES, mounts=shares.LOCAL_MOUNTS
    )
    pods.start()
    return shares.Shares(workshop, asker, pods, domain)


@pytest.fixture
def no_credentials(workshop, asker, domain, windows_nodes):
    """On each Node a Pod without the account, and one with it that shows that the share is there."""
    nodes = gmsa.nodes_with_account(workshop, windows_nodes)
    pods = gmsa.GmsaPods(workshop, domain, nodes, judged=False, level="privileged")
    pods.start()
    return shares.Shares(workshop, asker, pods, domain)


@pytest.fixture
def protected_folder(workshop, asker, windows_nodes):
    """On each Node a folder that is SYSTEM's alone beside an open one, and a Pod of ContainerUser that has both."""
    made = protected_folder_.ProtectedFolder(workshop, asker, windows_nodes)
    made.start()
    return made


@pytest.fixture
def network_service(workshop, asker, windows_nodes):
    """A HostProcess Pod as NetworkService on each selected Windows Node, running."""
    made = network_service_.NetworkService(workshop, asker, windows_nodes)
    made.start()
    return made


@pytest.fixture
def gmsa_admission(workshop, domain, windows_nodes):
    """Pods with a credential spec, to be admitted or refused."""
    node = gmsa.nodes_with_account(workshop, windows_nodes)[0]
    return gmsa_admission_.GmsaAdmission(workshop, domain, node)


@pytest.fixture
def inline_specs(workshop, asker, windows_nodes):
    """A Pod on each Node with credential specs of its own, running."""
    made = inline_specs_.InlineSpecs(workshop, asker, windows_nodes)
    made.start()
    return made


@pytest.fixture
def linux_fields(workshop, asker, windows_nodes):
    """Windows Pods that name no operating system and have security fields of Linux, Ready."""
    made = linux_fields_.LinuxFields(workshop, asker, windows_nodes)
    made.start()
    return made
