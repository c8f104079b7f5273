"""What the readiness tests of Extend.NetworkPolicy act on: Namespaces under policies and their truth tables."""
