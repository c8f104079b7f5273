"""Scripts that record facts from a real kube-apiserver into package data; run by hand when the version changes."""
