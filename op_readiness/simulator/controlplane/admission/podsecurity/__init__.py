"""Pod Security admission: the standards baseline and restricted, and the plugin that applies a Namespace's labels."""
