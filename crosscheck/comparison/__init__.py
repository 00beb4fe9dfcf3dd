"""The plans of a comparison: which adapter evaluates which case."""
