"""Self-tests of what readiness tests are made of."""
