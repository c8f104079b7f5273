"""Scripts around the product: what CI jobs call."""
