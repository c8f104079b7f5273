"""The kubelet's own metrics, as far as readiness tests read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from op_readiness.simulator.nodes.kubelet import Kubelet


def metrics(kubelet: Kubelet) -> str:
    """The text of /metrics."""
    running = [one for worker in kubelet.workers.values() for one in worker.containers if one.running]
    pods = sum(1 for worker in kubelet.workers.values() if not worker.ended)
    lines = [
        "# HELP kubelet_node_name [ALPHA] The node's name. The count is always 1.",
        "# TYPE kubelet_node_name gauge",
        f'kubelet_node_name{{node="{kubelet.node.name}"}} 1',
        "# HELP kubelet_running_containers [ALPHA] Number of containers currently running",
        "# TYPE kubelet_running_containers gauge",
        f'kubelet_running_containers{{container_state="running"}} {len(running)}',
        "# HELP kubelet_running_pods [ALPHA] Number of pods that have a running pod sandbox",
        "# TYPE kubelet_running_pods gauge",
        f"kubelet_running_pods {pods}",
    ]
    return "\n".join([*lines, *_host_process(kubelet)]) + "\n"


def _host_process(kubelet: Kubelet) -> list[str]:
    """Starts of HostProcess containers; a start that failed counts in both."""
    total = "kubelet_started_host_process_containers_total"
    errors = "kubelet_started_host_process_containers_errors_total"
    started, failed = [], []
    for (kind, failure), count in sorted(kubelet.host_process_starts.items()):
        if failure:
            failed.append(f'{errors}{{code="{failure}",container_type="{kind}"}} {count}')
        else:
            started.append(f'{total}{{container_type="{kind}"}} {count}')
    lines, only = [], "This metric will only be collected on Windows."
    if started:
        what = f"Cumulative number of hostprocess containers started. {only}"
        lines += [f"# HELP {total} [ALPHA] {what}", f"# TYPE {total} counter", *started]
    if failed:
        what = f"Cumulative number of errors when starting hostprocess containers. {only}"
        lines += [f"# HELP {errors} [ALPHA] {what}", f"# TYPE {errors} counter", *failed]
    return lines
