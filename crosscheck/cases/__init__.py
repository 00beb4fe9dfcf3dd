"""Cases: a line of text, a file or a draw of Hypothesis stands for one stack of problems."""

from crosscheck.cases.case import SHAPES_ELEMENTWISE, SHAPES_STACKED, Case, CaseError, Literal, parse, take
from crosscheck.cases.sources import SOURCES

__all__ = ["SHAPES_ELEMENTWISE", "SHAPES_STACKED", "SOURCES", "Case", "CaseError", "Literal", "parse", "take"]
