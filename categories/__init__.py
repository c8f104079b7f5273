"""The readiness tests and their catalogue, a folder a category; discovered, never imported."""
