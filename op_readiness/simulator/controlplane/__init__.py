"""The embedded stand-in for kube-apiserver, scheduler and controller manager, held against the real ones."""
