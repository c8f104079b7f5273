"""A RunResult (or one Result) to text, JUnit and JSON: pure functions that ask no cluster and compute no verdict."""
