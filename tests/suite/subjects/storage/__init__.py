"""Self-tests of what Core.Storage judges: each statement holds for what it promises, and for nothing less."""
