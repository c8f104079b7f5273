"""The proof that tests can fail: the matrix ability x fault, on simulated clusters, held against what is declared."""
