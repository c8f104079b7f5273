"""The virtual network: tables a Node, the keepers that write them, and what a packet meets on its way."""

from op_readiness.simulator.network.namespace import Namespace, PodNetwork
from op_readiness.simulator.network.network import AttachFailed, DetachFailed, Network

__all__ = ["AttachFailed", "DetachFailed", "Namespace", "Network", "PodNetwork"]
