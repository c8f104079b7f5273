"""Objects as they are kept and found again: versions, watches, selectors, and what a request names."""
