"""Scripts that `make` needs, and scripts that write pages and records: pins, combinations, digests, findings.

No other package imports these modules, and a wheel does not contain them.
"""
