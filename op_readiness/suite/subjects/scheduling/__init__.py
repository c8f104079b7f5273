"""What the readiness tests of Core.Scheduling act on: limits over time, full Nodes, Pods that must wait."""
