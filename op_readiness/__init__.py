"""Windows operational readiness of a Kubernetes cluster (KEP-2578): abilities as tests, a verdict, its proof."""

__version__ = "0.1.0"
