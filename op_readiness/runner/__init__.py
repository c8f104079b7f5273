"""A run from connecting to verdict: facts, plan, standing objects, pytest as a child, event log, clean-up, prove."""
