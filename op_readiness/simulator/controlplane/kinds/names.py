"""Names, labels and annotations: which texts the API server takes, and its words for the others."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from op_readiness.simulator.controlplane.wire.failures import FieldError, invalid_value, required

Object = dict[str, Any]
NameRule = Callable[[str], list[str]]
LABEL_RULE = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
SUBDOMAIN_RULE = rf"{LABEL_RULE}(\.{LABEL_RULE})*"
QUALIFIED_RULE = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
VALUE_RULE = r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?"
SERVICE_RULE = r"[a-z]([-a-z0-9]*[a-z0-9])?"
KEY_RULE = r"[-._a-zA-Z0-9]+"
TAIL = "regex used for validation is"
ENDS = "and must start and end with an alphanumeric character"
LABEL_TEXT = (
    f"a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', {ENDS} "
    f"(e.g. 'my-name',  or '123-abc', {TAIL} '{LABEL_RULE}')"
)
SUBDOMAIN_TEXT = (
    f"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', {ENDS} "
    f"(e.g. 'example.com', {TAIL} '{SUBDOMAIN_RULE}')"
)
QUALIFIED_TEXT = (
    f"name part must consist of alphanumeric characters, '-', '_' or '.', {ENDS} "
    f"(e.g. 'MyName',  or 'my.name',  or '123-abc', {TAIL} '{QUALIFIED_RULE}')"
)
VALUE_TEXT = (
    f"a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', {ENDS} "
    f"(e.g. 'MyValue',  or 'my_value',  or '12345', {TAIL} '{VALUE_RULE}')"
)
KEY_TEXT = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' "
    f"(e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', {TAIL} '{KEY_RULE}')"
)


def _too_long(limit: int) -> str:
    return f"must be no more than {limit} bytes"


def dns_label(text: str) -> list[str]:
    """What is wrong with a DNS-1123 label."""
    found = ["must be no more than 63 characters"] if len(text) > 63 else []
    return found if re.fullmatch(LABEL_RULE, text) else [*found, LABEL_TEXT]


def subdomain(text: str) -> list[str]:
    """What is wrong with a DNS-1123 subdomain."""
    found = ["must be no more than 253 characters"] if len(text) > 253 else []
    return found if re.fullmatch(SUBDOMAIN_RULE, text) else [*found, SUBDOMAIN_TEXT]


def path_segment(text: str) -> list[str]:
    """What is wrong with a name of an RBAC object."""
    if text in (".", ".."):
        return [f"may not be '{text}'"]
    return [f"may not contain '{bad}'" for bad in "/%" if bad in text]


def dots(text: str) -> list[str]:
    """Some labels say first that there are no dots in them."""
    return ["must not contain dots"] if "." in text else []


def service_name(text: str) -> list[str]:
    """What is wrong with the name of a Service."""
    if "." in text:
        return ["must not contain dots"]
    return dns_label(text)


def qualified_name(text: str) -> list[str]:
    """What is wrong with a key of a label or annotation."""
    prefix, slash, name = text.rpartition("/")
    found: list[str] = []
    if slash and not prefix:
        found.append("prefix part must be non-empty")
    elif slash:
        found += [f"prefix part {problem}" for problem in subdomain(prefix)]
    if not name:
        return [*found, "name part must be non-empty", QUALIFIED_TEXT]
    if len(name) > 63:
        found.append(f"name part {_too_long(63)}")
    return found if re.fullmatch(QUALIFIED_RULE, name) else [*found, QUALIFIED_TEXT]


def label_value(text: str) -> list[str]:
    """What is wrong with the value of a label."""
    found = [_too_long(63)] if len(text) > 63 else []
    return found if re.fullmatch(VALUE_RULE, text) else [*found, VALUE_TEXT]


def labels(found: Object | None, path: str) -> list[FieldError]:
    """What is wrong with labels or a node selector."""
    errors = []
    for key, value in sorted((found or {}).items()):
        errors += [invalid_value(path, key, why) for why in qualified_name(key)]
        errors += [invalid_value(path, value, why) for why in label_value(value)]
    return errors


def config_keys(found: Object | None, path: str) -> list[FieldError]:
    """What is wrong with the keys of a ConfigMap or Secret."""
    errors = []
    for key in sorted(found or {}):
        if not re.fullmatch(KEY_RULE, key):
            errors.append(invalid_value(f"{path}[{key}]", key, KEY_TEXT))
    return errors


def metadata(obj: Object, rule: NameRule) -> list[FieldError]:
    """What is wrong with the metadata of a new or changed object."""
    meta = obj["metadata"]
    if not meta.get("name"):
        errors = [required("metadata.name", "name or generateName is required")]
    else:
        errors = [invalid_value("metadata.name", meta["name"], why) for why in rule(meta["name"])]
    errors += labels(meta.get("labels"), "metadata.labels")
    for key in sorted(meta.get("annotations") or {}):
        errors += [invalid_value("metadata.annotations", key, why) for why in qualified_name(key.lower())]
    for finalizer in meta.get("finalizers") or ():
        errors += [invalid_value("metadata.finalizers", finalizer, why) for why in qualified_name(finalizer)]
    return errors
