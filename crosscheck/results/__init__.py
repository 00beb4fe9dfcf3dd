"""The results of a run: summaries, coverage, claims, known differences, and the ledger that stores them."""
