"""Inputs: cases given by text, by file or by a draw of Hypothesis, and the regimes they come from.

A regime is a kind of input for which the arithmetic goes wrong in its own way.
"""

from crosscheck.inputs.case import SHAPES_ELEMENTWISE, SHAPES_STACKED, Case, CaseError, Literal, parse, take
from crosscheck.inputs.sources import SOURCES

__all__ = ["SHAPES_ELEMENTWISE", "SHAPES_STACKED", "SOURCES", "Case", "CaseError", "Literal", "parse", "take"]
