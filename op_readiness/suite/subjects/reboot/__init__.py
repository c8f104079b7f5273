"""Windows Nodes restarted on purpose, and what is the same afterwards."""
