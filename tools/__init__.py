"""What `make` needs, and what makes pages and records of our own: pins, combinations, digests, findings.

Nothing of the product imports it, and no wheel holds it.
"""
