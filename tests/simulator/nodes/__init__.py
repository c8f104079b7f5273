"""Self-tests of the simulated Nodes."""
