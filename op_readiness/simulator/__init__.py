"""A simulated cluster of Windows and Linux Nodes that breaks the way real ones do; it knows nothing of the rest."""
