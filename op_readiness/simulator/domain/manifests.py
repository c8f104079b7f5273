"""What an administrator has applied to the cluster: the kind GMSACredentialSpec, one of it, and the webhook's hooks.

The hooks are those of the windows-gmsa Helm chart, by address instead of by Service: the webhook is a part of the
simulator and no Pod. kube-system is left out as the chart's own Namespace is.
"""

from __future__ import annotations

from typing import Any

from op_readiness.simulator.domain.directory import ACCOUNT, CREDENTIAL_SPEC, GUID, SID, Directory

Object = dict[str, Any]
GROUP, VERSION, PLURAL, KIND = "windows.k8s.io", "v1", "gmsacredentialspecs", "GMSACredentialSpec"
CRD_NAME = f"{PLURAL}.{GROUP}"
SPECS = f"/apis/{GROUP}/{VERSION}/{PLURAL}"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
HOOKS = "/apis/admissionregistration.k8s.io/v1"
WEBHOOK, RELEASE = "admission-webhook.windows-gmsa.sigs.k8s.io", "windows-gmsa"
OWN_NAMESPACE, DISABLED = "kube-system", "windows.k8s.io/disabled"
PATIENCE = 30
"""Seconds that an API server waits for the webhook: the most there is, as all Nodes share its event loop."""
APPROVED = "https://github.com/kubernetes/enhancements/tree/master/keps/sig-windows/689-windows-gmsa"


def kind() -> Object:
    """The CustomResourceDefinition; cluster-wide, and without a `spec`: the credential spec stands at the top."""
    credspec = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    schema = {"type": "object", "properties": {"credspec": credspec}}
    names = {"kind": KIND, "listKind": f"{KIND}List", "plural": PLURAL, "singular": KIND.lower()}
    version = {"name": VERSION, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": CRD_NAME, "annotations": {"api-approved.kubernetes.io": APPROVED}},
        "spec": {"group": GROUP, "names": names, "scope": "Cluster", "versions": [version]},
    }


def credential_spec(directory: Directory) -> Object:
    """The GMSACredentialSpec of the domain's one account."""
    groups = [{"Name": ACCOUNT, "Scope": scope} for scope in (directory.name, directory.netbios)]
    joined = {
        "DnsName": directory.name, "DnsTreeName": directory.name, "Guid": GUID, "MachineAccountName": ACCOUNT,
        "NetBiosName": directory.netbios, "Sid": SID,
    }  # fmt: skip
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": KIND,
        "metadata": {"name": CREDENTIAL_SPEC},
        "credspec": {
            "CmsPlugins": ["ActiveDirectory"],
            "DomainJoinConfig": joined,
            "ActiveDirectoryConfig": {"GroupManagedServiceAccounts": groups},
        },
    }


def hooks(url: str, ca_bundle: str) -> list[tuple[str, Object]]:
    """(path of the collection, configuration) of both hooks; `ca_bundle` is base64."""
    found = []
    for plural, word, path, operations in (
        ("mutatingwebhookconfigurations", "Mutating", "mutate", ["CREATE"]),
        ("validatingwebhookconfigurations", "Validating", "validate", ["CREATE", "UPDATE"]),
    ):
        hook = {
            "name": WEBHOOK, "clientConfig": {"url": f"{url}/{path}", "caBundle": ca_bundle},
            "rules": [{"operations": operations, "apiGroups": [""], "apiVersions": ["*"], "resources": ["pods"]}],
            "failurePolicy": "Fail", "admissionReviewVersions": ["v1"], "sideEffects": "None",
            "timeoutSeconds": PATIENCE,
            "namespaceSelector": {"matchExpressions": [
                {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": [OWN_NAMESPACE]},
                {"key": DISABLED, "operator": "NotIn", "values": ["true"]},
            ]},
        }  # fmt: skip
        meta = {"name": RELEASE}
        kind_ = f"{word}WebhookConfiguration"
        found.append(
            (f"{HOOKS}/{plural}", {"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind_, "metadata": meta,
                                   "webhooks": [hook]})
        )  # fmt: skip
    return found
