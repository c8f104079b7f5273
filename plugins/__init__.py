"""pytest plugins of the readiness run, one file each; discovered, never imported."""
