"""What EndpointSlices a Service is to have."""

from typing import Any

from op_readiness.simulator.controlplane.controllers.slices import MOST, desired_slices, packed, slice_labels


def service(**spec: Any) -> dict[str, Any]:
    ports = [{"port": 80, "protocol": "TCP", "targetPort": "http"}]
    base = {"clusterIP": "10.96.0.7", "ipFamilies": ["IPv4"], "selector": {"app": "web"}, "ports": ports}
    return {"metadata": {"name": "web", "namespace": "t", "labels": {"team": "a"}}, "spec": base | spec}


def pod(name: str, ip: str = "10.244.1.5", *, port: int = 8080, ready: str = "True", **fields: Any) -> dict[str, Any]:
    container = {"name": "c", "ports": [{"name": "http", "containerPort": port, "protocol": "TCP"}]}
    meta = {"name": name, "namespace": "t", "uid": f"uid-{name}", **fields.pop("meta", {})}
    conditions = [{"type": "Ready", "status": ready}]
    status = {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}], "conditions": conditions}
    spec = {"nodeName": "win-1", "containers": [container], **fields}
    return {"metadata": meta, "spec": spec, "status": status}


def test_a_named_port_with_two_numbers_makes_two_slices():
    groups = desired_slices(service(), [pod("a", port=8080), pod("b", port=9090), pod("c", port=8080)])
    assert [[port["port"] for port in group["ports"]] for group in groups] == [[8080], [9090]]
    assert [[each["targetRef"]["name"] for each in group["endpoints"]] for group in groups] == [["a", "c"], ["b"]]


def test_a_service_without_pods_has_one_empty_slice_a_family():
    groups = desired_slices(service(ipFamilies=["IPv4", "IPv6"]), [])
    assert [(group["addressType"], group["endpoints"], group["ports"]) for group in groups] == [
        ("IPv4", [], []), ("IPv6", [], []),
    ]


def test_conditions_tell_ready_serving_and_terminating_apart():
    going = pod("going", meta={"deletionTimestamp": "2026-01-01T00:00:00Z"})
    (group,) = desired_slices(service(), [pod("up"), pod("down", ready="False"), going])
    assert {each["targetRef"]["name"]: each["conditions"] for each in group["endpoints"]} == {
        "up": {"ready": True, "serving": True, "terminating": False},
        "down": {"ready": False, "serving": False, "terminating": False},
        "going": {"ready": False, "serving": True, "terminating": True},
    }


def test_addresses_of_unready_pods_are_ready_when_the_service_publishes_them():
    (group,) = desired_slices(service(publishNotReadyAddresses=True), [pod("down", ready="False")])
    assert group["endpoints"][0]["conditions"] == {"ready": True, "serving": False, "terminating": False}


def test_finished_pods_and_pods_without_that_family_are_no_endpoints():
    done = pod("done")
    done["status"]["phase"] = "Succeeded"
    groups = desired_slices(service(ipFamilies=["IPv4"]), [done, pod("six", "fd00::5")])
    assert [group["endpoints"] for group in groups] == [[]]


def test_a_headless_service_says_host_names_and_carries_its_label():
    headless = service(clusterIP="None")
    (group,) = desired_slices(headless, [pod("web-0", hostname="web-0", subdomain="web"), pod("x", hostname="x")])
    assert [each.get("hostname") for each in group["endpoints"]] == ["web-0", None]
    assert slice_labels(headless)["service.kubernetes.io/headless"] == ""
    assert slice_labels(service()) == {
        "team": "a", "kubernetes.io/service-name": "web",
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
    }


def test_endpoints_stay_in_their_slice_and_none_holds_over_a_hundred():
    wanted = [{"targetRef": {"uid": str(number)}} for number in range(MOST + 5)]
    first = packed(wanted, [])
    assert [len(each) for each in first] == [MOST, 5]
    again = packed(wanted[1:], first)
    assert [len(each) for each in again] == [MOST - 1, 5]
    assert again[1] == first[1]
