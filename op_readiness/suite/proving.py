"""From witnesses to a proof: what the API says of the Pods that answered."""

from __future__ import annotations

from op_readiness.cluster.api import Cluster
from op_readiness.model.facts import Facts
from op_readiness.model.findings import PodProof, Proof
from op_readiness.observe.recorder import Recorder, Witness


def proof_of(kind: str, recorder: Recorder, cluster: Cluster, facts: Facts) -> Proof:
    """The proof of kind `kind`; Pods that the API does not show (any more) prove nothing."""
    if kind == "node":
        return Proof(kind, nodes=tuple(recorder.node_answers))
    if kind == "api":
        return Proof(kind, api=recorder.api_answer)
    shown = {}
    for namespace in sorted({witness.namespace for witness in recorder.witnesses}):
        for pod in cluster.list("Pod", namespace):
            shown[namespace, pod["metadata"]["name"]] = pod
    proofs = [_pod_proof(witness, shown.get((witness.namespace, witness.pod)), facts) for witness in recorder.witnesses]
    return Proof(kind, pods=tuple(proof for proof in proofs if proof is not None))


def _pod_proof(witness: Witness, pod: dict | None, facts: Facts) -> PodProof | None:  # type: ignore[type-arg]
    if pod is None or not pod["spec"].get("nodeName"):
        return None
    node = next((node for node in facts.nodes if node.name == pod["spec"]["nodeName"]), None)
    status = (pod["status"].get("containerStatuses") or [{}])[0]
    return PodProof(
        uid=pod["metadata"]["uid"],
        namespace=witness.namespace,
        pod=witness.pod,
        node=pod["spec"]["nodeName"],
        os=node.os if node else "",
        build=node.build if node else "",
        image=status.get("image", ""),
        image_id=status.get("imageID", ""),
        channel=witness.channel,
        answer=witness.answer,
    )
