"""/metrics/resource of a kubelet: the Summary's figures in Prometheus' words; what the runtime does not give is 0."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from op_readiness.simulator.nodes.channels import Channel
from op_readiness.simulator.nodes.stats import summary

if TYPE_CHECKING:
    from op_readiness.simulator.nodes.kubelet import Kubelet

Figures = dict[str, Any]


def resource_metrics(kubelet: Kubelet, channel: Channel) -> str:
    """The text of /metrics/resource."""
    stats, at = summary(kubelet, True, channel), int(kubelet.world.clock.time() * 1000)
    node, pods = stats["node"], stats["pods"]
    lines: list[str] = []
    for scope, rows in (("container", list(_containers(pods))), ("node", [({}, node)]), ("pod", list(_pods(pods)))):
        for name, kind, what, read in _METRICS:
            full = f"{scope}_{name}"
            lines += [f"# HELP {full} [STABLE] {what} of the {scope}", f"# TYPE {full} {kind}"]
            lines += [f"{full}{_labels(labels)} {read(figures):.10g} {at}" for labels, figures in rows]
    lines += [
        "# HELP resource_scrape_error [STABLE] 1 if there was an error while getting container metrics, 0 otherwise",
        "# TYPE resource_scrape_error gauge",
        "resource_scrape_error 0",
    ]
    return "\n".join(lines) + "\n"


def _cpu(figures: Figures) -> float:
    return float(figures["cpu"].get("usageCoreNanoSeconds") or 0) / 1e9


def _memory(figures: Figures) -> float:
    return float(figures["memory"].get("workingSetBytes") or 0)


_METRICS: tuple[tuple[str, str, str, Callable[[Figures], float]], ...] = (
    ("cpu_usage_seconds_total", "counter", "Cumulative cpu time consumed, in core-seconds,", _cpu),
    ("memory_working_set_bytes", "gauge", "Current working set, in bytes,", _memory),
)


def _containers(pods: list[Figures]) -> Iterator[tuple[dict[str, str], Figures]]:
    for pod in pods:
        for one in pod["containers"]:
            yield {"container": one["name"], **_of(pod)}, one


def _pods(pods: list[Figures]) -> Iterator[tuple[dict[str, str], Figures]]:
    for pod in pods:
        yield _of(pod), pod


def _of(pod: Figures) -> dict[str, str]:
    return {"namespace": pod["podRef"]["namespace"], "pod": pod["podRef"]["name"]}


def _labels(labels: dict[str, str]) -> str:
    return "{" + ",".join(f'{key}="{value}"' for key, value in labels.items()) + "}" if labels else ""
