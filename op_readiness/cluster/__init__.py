"""The one place that speaks to a Kubernetes API, the one importer of `kubernetes`: the official client made safe."""
