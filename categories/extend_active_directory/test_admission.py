"""Extend.ActiveDirectory: what is refused and what is handed on of credential specs, and fields of Linux."""

from op_readiness.suite import ability


@ability("ad-gmsa-webhook-rbac")
def test_the_webhook_refuses_who_may_not(gmsa_admission):
    gmsa_admission.must_refuse()


@ability("ad-gmsa-kubelet-inline")
def test_inline_credential_specs_reach_the_containers(inline_specs):
    inline_specs.must_be_handed_on()


@ability("ad-linux-fields-ignored")
def test_fields_of_linux_do_not_break_windows_pods(linux_fields):
    linux_fields.must_be_ignored()
    linux_fields.must_be_refused_with_an_os()
