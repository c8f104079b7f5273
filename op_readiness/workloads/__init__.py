"""Manifests: the Pods, Services and workloads that readiness tests make, and the images they use."""
