"""Explain a disagreement: which adapter has which number wrong, on the smallest input, at which equation."""

from crosscheck.explain.equation import first_equation, outliers

__all__ = ["first_equation", "outliers"]
