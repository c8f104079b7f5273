"""Self-tests of what Core.Concurrent judges."""
