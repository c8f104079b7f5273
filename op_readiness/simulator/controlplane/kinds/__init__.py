"""What the API server knows of single kinds: the values it fills in, and the values it refuses."""
