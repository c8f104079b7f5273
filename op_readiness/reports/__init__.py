"""From a RunResult to text: terminal, JUnit, JSON. Pure functions; writing is a step of its own."""
