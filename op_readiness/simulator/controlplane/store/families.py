"""IP families of a Service: which it gets, as the API server decides from its policy, families, addresses and ranges.

The order of the steps is that of the real one, because it decides which of several mistakes is named.
"""

from __future__ import annotations

from typing import Any

from op_readiness.simulator.controlplane.wire.failures import FieldError, duplicate, invalid_value, not_supported

Object = dict[str, Any]
FAMILIES = ("IPv4", "IPv6")
POLICIES = ("PreferDualStack", "RequireDualStack", "SingleStack")
FIELDS = ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy")
NEEDS_TWO = "must be 'RequireDualStack' or 'PreferDualStack' when multiple {} are specified"


def family_of(ip: str) -> str:
    """IPv4 or IPv6."""
    return "IPv6" if ":" in ip else "IPv4"


def addresses_asked(spec: Object) -> list[str]:
    """The ClusterIPs that a spec names, in their order; `None` is one of them."""
    return [ip for ip in spec.get("clusterIPs") or [spec.get("clusterIP")] if ip]


def decide(spec: Object, old: Object | None, served: tuple[str, ...]) -> list[FieldError]:
    """Fill in ipFamilies and ipFamilyPolicy, in place. `served` are the families that the API server has ranges of."""
    if old is not None:
        _shrink(spec, old)
    headless = spec.get("clusterIP") == "None"
    errors = _words(spec) + _addresses(spec, headless=headless)
    if errors:
        return errors
    anything = headless and not spec.get("selector")
    families = list(spec.get("ipFamilies") or [])
    if not headless:
        families = families or [family_of(ip) for ip in addresses_asked(spec)][:1]
    if not anything and (errors := _not_served(spec, families, served)):
        return errors
    if anything and old is None and spec.get("ipFamilyPolicy") is None:
        spec["ipFamilyPolicy"], served = "RequireDualStack", FAMILIES
    spec.setdefault("ipFamilyPolicy", "SingleStack")
    if anything:
        served = (*served, *(family for family in families if family not in served))
    first = next((family for family in families if family in served), served[0])
    two = spec["ipFamilyPolicy"] != "SingleStack"
    spec["ipFamilies"] = [first, *(family for family in served if family != first and two)]
    return []


def _shrink(spec: Object, old: Object) -> None:
    """A policy that changes to SingleStack takes the second family and address away, if nobody else touched them."""
    single = spec.get("ipFamilyPolicy") == "SingleStack" != old.get("ipFamilyPolicy", "SingleStack")
    for name in ("clusterIPs", "ipFamilies"):
        if single and len(spec.get(name) or ()) > 1 and spec[name] == old.get(name):
            spec[name] = spec[name][:1]


def _words(spec: Object) -> list[FieldError]:
    errors: list[FieldError] = []
    families = spec.get("ipFamilies") or []
    for index, family in enumerate(families):
        if family not in FAMILIES:
            errors.append(not_supported(f"spec.ipFamilies[{index}]", family, FAMILIES))
        elif family in families[:index]:
            errors.append(duplicate(f"spec.ipFamilies[{index}]", family))
    policy = spec.get("ipFamilyPolicy")
    if policy is not None and policy not in POLICIES:
        errors.append(not_supported("spec.ipFamilyPolicy", policy, POLICIES))
    return errors


def _addresses(spec: Object, *, headless: bool) -> list[FieldError]:
    asked, families = addresses_asked(spec), spec.get("ipFamilies") or []
    errors: list[FieldError] = []
    single = spec.get("ipFamilyPolicy") in (None, "SingleStack")
    if len({family_of(ip) for ip in asked}) < len(asked):
        errors.append(invalid_value("spec.clusterIPs", asked, "may specify no more than one IP for each IP family"))
    for index, (ip, family) in enumerate(zip(asked, families, strict=False)):
        if not headless and family_of(ip) != family:
            why = f"expected an {family} value as indicated by `ipFamilies[{index}]`"
            errors.append(invalid_value(f"spec.clusterIPs[{index}]", ip, why))
    if single and not headless and len(asked) > 1:
        errors.append(invalid_value("spec.ipFamilyPolicy", "SingleStack", NEEDS_TWO.format("cluster IPs")))
    elif single and len(families) > 1 and (not headless or spec.get("selector")):
        errors.append(invalid_value("spec.ipFamilyPolicy", "SingleStack", NEEDS_TWO.format("IP families")))
    return errors


def _not_served(spec: Object, families: list[str], served: tuple[str, ...]) -> list[FieldError]:
    policy = spec.get("ipFamilyPolicy")
    if policy == "RequireDualStack" and len(served) < len(FAMILIES):
        why = "this cluster is not configured for dual-stack services"
        return [invalid_value("spec.ipFamilyPolicy", policy, why)]
    if families and families[0] not in served:
        return [invalid_value("spec.ipFamilies[0]", families[0], "not configured on this cluster")]
    return []


