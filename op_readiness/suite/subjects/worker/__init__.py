"""What the readiness tests of Extend.Worker act on: Nodes seen from within, their kubelets' logs and figures."""
