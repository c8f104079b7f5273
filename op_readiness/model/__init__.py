"""What the other packages speak of: abilities, findings, proofs, results, verdicts, time. Standard library only."""
