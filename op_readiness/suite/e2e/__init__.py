"""Specs of e2e.test in place of a native test: how it is called, what it reported, which Nodes took part."""
