"""Nodes as a kubelet shows them: registration, Leases, Pods and their life cycle, volumes, the kubelet's HTTPS face."""
