"""Sonobuoy: the plugin's definition, what a run started by it hands over, and verdicts from what came of it."""
