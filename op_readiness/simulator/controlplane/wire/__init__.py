"""What goes over the wire: recorded documents of a real API server, its refusals, YAML, protobuf, HTTP/1.1."""
