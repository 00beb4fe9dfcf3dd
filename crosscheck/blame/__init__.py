"""Blame: who is wrong about which number, on the smallest input, and at which equation of the document."""

from crosscheck.blame.equation import first_equation, outliers

__all__ = ["first_equation", "outliers"]
