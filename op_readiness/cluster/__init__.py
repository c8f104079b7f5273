"""The one place that speaks to a Kubernetes API, and the one importer of the official client, made safe."""
