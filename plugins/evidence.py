"""Evidence: the newest Events and the Pods of the Namespaces of a test that did not pass."""

from __future__ import annotations

import pytest

EVENTS = 40


@pytest.hookimpl
def pytest_readiness_evidence(cluster, namespaces):
    """events.txt and pods.txt, newest Events last."""
    events, pods = [], []
    for namespace in namespaces:
        events += [(when(event), line(namespace, event)) for event in cluster.list("Event", namespace)]
        pods += [pod_line(pod) for pod in cluster.list("Pod", namespace)]
    newest = [text for _, text in sorted(events)][-EVENTS:]
    return {"events.txt": "\n".join(newest) + "\n", "pods.txt": "\n".join(pods) + "\n"}


def when(event):
    """The time of an Event's last sighting."""
    return event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp") or ""


def line(namespace, event):
    """One line an Event, as kubectl lists them."""
    about = event.get("involvedObject") or {}
    name = f"{about.get('kind', '?')} {namespace}/{about.get('name', '?')}"
    return f"{when(event)} {event.get('type', '')} {event.get('reason', '')} {name}: {event.get('message', '')}"


def pod_line(pod):
    """One line a Pod: where it runs, its addresses, readiness and restarts."""
    status, meta = pod["status"], pod["metadata"]
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions") or [])
    restarts = sum(c.get("restartCount", 0) for c in status.get("containerStatuses") or [])
    node = pod["spec"].get("nodeName", "no Node")
    facts = f"ready={ready} ip={status.get('podIP', '-')} {node} restarts={restarts}"
    return f"{meta['namespace']}/{meta['name']} {status.get('phase')} {facts}"
