"""From a connection to a verb: the HTTPS server, who asks, streams to kubelets and Pods, subresources."""
