"""`crosscheck releases`: the same plan under many releases of a framework, and what changes between them."""
