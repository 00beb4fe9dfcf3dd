"""The report: a ledger as one page for a browser, which needs no network."""
