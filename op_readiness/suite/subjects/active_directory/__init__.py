"""What the readiness tests of Extend.ActiveDirectory act on: identities of the domain and of the container."""
