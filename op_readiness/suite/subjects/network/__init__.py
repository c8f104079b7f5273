"""What the readiness tests of Core.Network and Extend.Network act on: Services, names, both families."""
