"""Tables as `kubectl get` shows them: recorded columns, and a cell for each from an object."""
