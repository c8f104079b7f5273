"""Self-tests of what readiness tests judge."""
