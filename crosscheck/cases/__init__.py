"""Cases: stacks of problems that are given by a line of text, by a file or by a draw of Hypothesis."""

from crosscheck.cases.case import SHAPES_ELEMENTWISE, SHAPES_STACKED, Case, CaseError, Literal, parse, take
from crosscheck.cases.sources import SOURCES

__all__ = ["SHAPES_ELEMENTWISE", "SHAPES_STACKED", "SOURCES", "Case", "CaseError", "Literal", "parse", "take"]
