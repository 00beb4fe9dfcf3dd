"""Explain a disagreement: which adapter is wrong, at which number, in which equation, on a small input."""

from crosscheck.explain.equation import first_equation, outliers

__all__ = ["first_equation", "outliers"]
