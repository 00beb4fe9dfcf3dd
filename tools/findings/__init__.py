"""Findings: the ledger of an exhaustive sweep as a page of tables and pictures, `docs/findings.md`."""
