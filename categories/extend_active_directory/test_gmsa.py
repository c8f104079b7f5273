"""Extend.ActiveDirectory: Pods of a group Managed Service Account, and Pods without one."""

from op_readiness.suite import ability


@ability("ad-gmsa-domain-identity")
def test_a_pod_acts_as_the_account_and_reaches_what_it_may(domain_identity):
    domain_identity.must_hold()
    domain_identity.must_be_kept_out()


@ability("ad-gmsa-storage")
def test_pods_read_and_write_remote_and_local_storage(storage):
    storage.must_be_read_and_written()
    storage.local_must_be_read_and_written()


@ability("ad-no-credentials-denied")
def test_without_credentials_share_and_folder_are_closed(no_credentials, protected_folder):
    no_credentials.must_be_denied_without()
    no_credentials.identity_must_be_missing()

    protected_folder.must_be_closed_to_others()
