"""The ways in which a run is started besides a terminal, and what each leaves for its reader: Sonobuoy, Prow, GitHub.

Each is chosen by the environment that its starter gives, or by a flag. None of them may fail a run or slow it.
"""
