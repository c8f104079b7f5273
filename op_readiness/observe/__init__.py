"""Observations: each observes one fact of a cluster and gives a value; waiting is one function, used by all."""
