"""The matrix: a run of the modes on the cases of its plan, and the coverage of a run."""
