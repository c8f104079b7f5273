"""Faults as data: what a file says, and how it changes the tables of the simulated world."""
