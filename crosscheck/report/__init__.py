"""The report: a ledger as one page for a browser, without a network."""
