"""All deadlines of the harness, named by what they wait for, in cluster seconds; one factor, and floors.

`timeouts.real(name)` is what to wait on this machine: the figure times the factor, never below its floor. A floor
is what does not get quicker when the simulated cluster's clock runs faster. Figures are those of the Kubernetes
e2e framework (test/e2e/framework/timeouts.go, test/e2e/framework/service/const.go) unless said otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

FLOORS = {
    "api_call": 10.0,  # one HTTP round trip on a loaded machine
    "exec_answer": 10.0,  # as above, and the handshake
    "namespace_gone": 15.0,  # the real Namespace controller needs 5 s even for an empty one
    "node_lost": 60.0,  # 40 s Node monitor grace period of the real controller manager
    "node_back": 60.0,  # until then the real controller manager may show a Node that is down as Ready
    "pods_ready": 15.0,  # computing, not waiting: API round trips of a loaded machine
    "probed_ready": 10.0,
    "batch_started": 20.0,
    "object_deleted": 15.0,
    "object_seen": 10.0,
    "failed_scheduling": 10.0,
    "slices_listed": 15.0,
    "service_routed": 6.0,  # the simulated cluster's clock goes slower on a loaded machine
    "service_gone": 6.0,
    "endpoints_follow": 6.0,
    "warm_up": 6.0,
    "dns_answers": 9.0,
    "policy_enforced": 6.0,
    "domain_joined": 6.0,
    "call_ended": 6.0,
}
"""Real seconds below which a deadline never falls, by name."""


@dataclass(frozen=True)
class Timeouts:
    """Deadlines in cluster seconds. `scale` is real seconds per cluster second (`--timeout-scale`)."""

    scale: float = 1.0
    api_call: float = 30.0
    exec_answer: float = 60.0  # an exec that has not answered by then never will (kubernetes/kubernetes#98102)
    pods_ready: float = 300.0  # PodStart; the image is pre-pulled
    probed_ready: float = 120.0  # a Pod that runs; the framework's KubeProxyLagTimeout for lack of another figure
    batch_started: float = 600.0  # density.go: ten Pods, the image being there
    image_pulled: float = 900.0  # PodStartSlow: Windows layers are gigabytes
    object_seen: float = 60.0
    failed_scheduling: float = 180.0  # memory_limits.go
    object_deleted: float = 300.0  # PodDelete
    namespace_gone: float = 300.0
    service_routed: float = 120.0  # KubeProxyLagTimeout
    service_gone: float = 120.0  # KubeProxyLagTimeout
    endpoints_follow: float = 30.0  # KubeProxyEndpointLagTimeout
    slices_listed: float = 120.0  # endpointslice.go
    warm_up: float = 30.0  # hybrid_network.go
    hold: float = 10.0  # hybrid_network.go: one try a second
    dns_answers: float = 180.0
    policy_enforced: float = 60.0  # a policy agent on Windows may need tens of seconds
    domain_joined: float = 60.0  # gmsa_full.go: one minute, a try a second
    node_lost: float = 60.0
    node_back: float = 600.0  # reboot_node.go: ten minutes; KEP-2578 says a few
    call_ended: float = 60.0  # of a Pod that calls the API every ten seconds; three such calls, and a loaded machine
    service_gap: float = 60.0  # Node monitor grace period (40 s, 50 s from Kubernetes 1.32 on), and kube-proxy's lag
    ability: float = 900.0  # a worker silent past this is killed

    def real(self, name: str) -> float:
        """Real seconds to wait for `name`."""
        return max(float(getattr(self, name)) * self.scale, FLOORS.get(name, 0.0))

    def cluster(self, real_seconds: float) -> float:
        """Cluster seconds that went by while `real_seconds` did."""
        return real_seconds / self.scale

    def to_dict(self) -> dict[str, float]:
        """Name -> cluster seconds, `scale` included."""
        return {f.name: getattr(self, f.name) for f in fields(self)}
