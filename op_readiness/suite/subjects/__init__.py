"""What abilities are about, made and observed step by step: a Service over its life, a StatefulSet, names, slices."""
