"""What the readiness tests of Extend.HostProcess act on: processes of the Node, their rights and ports."""
