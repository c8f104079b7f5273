"""Self-tests of what the tests of networks judge."""
