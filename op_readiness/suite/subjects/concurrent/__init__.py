"""What the readiness tests of Core.Concurrent act on: ten Pods at once or behind a Service, fifty replacements."""
