"""Values that the API server fills into Pods and Pod templates."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]
CONTAINER_LISTS = ("initContainers", "containers", "ephemeralContainers")
HANDLERS = ("readinessProbe", "livenessProbe", "startupProbe")
PROBE = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}


def pod_spec(spec: Object) -> None:
    """Fill a Pod's spec, or a template's."""
    for name in CONTAINER_LISTS:
        for container in spec.get(name) or ():
            _container(container)
    for volume in spec.get("volumes") or ():
        _volume(volume)
    spec.setdefault("containers", [])
    spec.setdefault("restartPolicy", "Always")
    if spec.setdefault("terminationGracePeriodSeconds", 30) < 0:
        spec["terminationGracePeriodSeconds"] = 1
    spec.setdefault("dnsPolicy", "ClusterFirst")
    if spec.get("serviceAccount") and not spec.get("serviceAccountName"):
        spec["serviceAccountName"] = spec["serviceAccount"]
    if spec.get("serviceAccountName"):
        spec["serviceAccount"] = spec["serviceAccountName"]
    spec.setdefault("securityContext", {})
    spec.setdefault("schedulerName", "default-scheduler")
    if spec.get("hostNetwork") is True:
        _host_ports(spec)
    for name in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(name) is False:
            del spec[name]
    for constraint in spec.get("topologySpreadConstraints") or ():
        constraint.setdefault("whenUnsatisfiable", "DoNotSchedule")


def pod(obj: Object) -> None:
    """Fill a Pod: its spec, and what templates do not get (requests from limits, enableServiceLinks)."""
    spec = obj.setdefault("spec", {})
    pod_spec(spec)
    for name in ("initContainers", "containers"):
        for container in spec.get(name) or ():
            limits = (container.get("resources") or {}).get("limits")
            if limits:
                requests = container["resources"].setdefault("requests", {})
                for resource, value in limits.items():
                    requests.setdefault(resource, value)
    spec.setdefault("enableServiceLinks", True)


def template(holder: Object) -> None:
    """Fill the Pod template of a workload's spec."""
    found = holder.setdefault("template", {})
    found.setdefault("metadata", {})
    pod_spec(found.setdefault("spec", {}))


def _host_ports(spec: Object) -> None:
    for name in ("initContainers", "containers"):
        for container in spec.get(name) or ():
            for port in container.get("ports") or ():
                if not port.get("hostPort") and port.get("containerPort"):
                    port["hostPort"] = port["containerPort"]


def _container(container: Object) -> None:
    for port in container.get("ports") or ():
        port.setdefault("protocol", "TCP")
    for entry in container.get("env") or ():
        reference = (entry.get("valueFrom") or {}).get("fieldRef")
        if reference is not None:
            reference.setdefault("apiVersion", "v1")
        resource = (entry.get("valueFrom") or {}).get("resourceFieldRef")
        if resource is not None:
            resource.setdefault("divisor", "0")
    container.setdefault("resources", {})
    for name in HANDLERS:
        if container.get(name) is not None:
            _probe(container[name])
    _stop_signal(container)
    for hook in (container.get("lifecycle") or {}).values():
        if isinstance(hook, dict):
            _http_get(hook.get("httpGet"))
    container.setdefault("terminationMessagePath", "/dev/termination-log")
    container.setdefault("terminationMessagePolicy", "File")
    if not container.get("imagePullPolicy"):
        container["imagePullPolicy"] = _pull_policy(container.get("image") or "")


def _stop_signal(container: Object) -> None:
    """The feature gate ContainerStopSignals is off by default, so the field is dropped without a word."""
    lifecycle = container.get("lifecycle")
    if lifecycle and "stopSignal" in lifecycle:
        del lifecycle["stopSignal"]
        if not lifecycle:
            del container["lifecycle"]


def _pull_policy(image: str) -> str:
    if "@" in image:
        return "IfNotPresent"
    _, colon, tag = image.rpartition("/")[2].partition(":")
    return "Always" if not colon or tag == "latest" else "IfNotPresent"


def _probe(probe: Object) -> None:
    _http_get(probe.get("httpGet"))
    if "grpc" in probe:
        probe["grpc"].setdefault("service", "")
    for field, value in PROBE.items():
        if not probe.get(field):
            probe[field] = value


def _http_get(action: Object | None) -> None:
    if action is not None:
        if not action.get("path"):
            action["path"] = "/"
        action.setdefault("scheme", "HTTP")


def _field_refs(items: list[Object]) -> None:
    for item in items:
        if item.get("fieldRef") is not None:
            item["fieldRef"].setdefault("apiVersion", "v1")
        if item.get("resourceFieldRef") is not None:
            item["resourceFieldRef"].setdefault("divisor", "0")


def _volume(volume: Object) -> None:
    if len(volume) <= 1:
        volume["emptyDir"] = {}
    for kind in ("configMap", "secret", "projected", "downwardAPI"):
        if volume.get(kind) is not None:
            volume[kind].setdefault("defaultMode", 420)
    _field_refs((volume.get("downwardAPI") or {}).get("items") or [])
    if volume.get("hostPath") is not None:
        volume["hostPath"].setdefault("type", "")
    for source in (volume.get("projected") or {}).get("sources") or ():
        _field_refs((source.get("downwardAPI") or {}).get("items") or [])
        if source.get("serviceAccountToken") is not None:
            source["serviceAccountToken"].setdefault("expirationSeconds", 3600)
    claim = (volume.get("ephemeral") or {}).get("volumeClaimTemplate")
    if claim is not None:
        claim.setdefault("spec", {}).setdefault("volumeMode", "Filesystem")
