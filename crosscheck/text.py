"""Text for readers: numbers, elements, lines; and texts from files made safe to print."""

from __future__ import annotations

import math
import os
import re
import shutil
import textwrap
from typing import Final

import numpy as np

from reference.admissible import AdmissibleSet
from reference.formats import Format

PIPED: Final = 132  # columns of output that does not go to a terminal
# How many characters of a message are kept at its start and end: a text from a file may be very long.
FIRST: Final = 500
LAST: Final = 200
GAP: Final = " … "


def format_hex(value: float) -> str:
    """Format a number as ``0x1.8p-3``: `float.hex` without trailing zeros; also ``inf`` and ``nan``."""
    text = value.hex()
    return re.sub(r"\.?0+p", "p", text, count=1) if "." in text else text


def format_decimal(value: float, format: Format) -> str:
    """Format a number as the shortest decimal that gives the same number in the format."""
    with np.errstate(all="ignore"):  # an end of an interval may lie beyond the format
        return str(np.float64(value).astype(format.dtype))


def format_number(value: float, format: Format) -> str:
    """Format a number of the format in hexadecimal, with its decimal in parentheses."""
    return f"{format_hex(value)} ({format_decimal(value, format)})" if math.isfinite(value) else f"{value:g}"


def format_endpoint(value: float, format: Format) -> str:
    """Format an endpoint of an interval, a float64, with two more digits than the format has."""
    digits = math.ceil(format.precision * math.log10(2)) + 2
    return f"{value:.{digits}g}"


def format_interval(lo: float, hi: float, format: Format) -> str:
    """Format an interval of float64 numbers in decimal."""
    return f"[{format_endpoint(lo, format)}, {format_endpoint(hi, format)}]"


def format_set(one: AdmissibleSet, format: Format) -> str:
    """Format the admissible set of one element: its intervals, infinities and NaN."""
    if one.must:
        return "nan only"
    infinities = {(-math.inf, -math.inf): "-inf", (math.inf, math.inf): "inf"}
    parts = [infinities.get(ends) or format_interval(*ends, format) for ends in one.intervals()]
    return " or ".join([*parts, *(["nan"] if one.may else [])])


def format_element(output: str, index: tuple[int, ...]) -> str:
    """Format an element of an output as ``grad[0, 2, 0]``, or ``loss`` if the output has no axes."""
    return f"{output}[{', '.join(map(str, index))}]" if index else output


def format_share(share: float) -> str:
    """Format a share of the bound in percent, from 100 on as a multiple; NaN as ``-``, inf as ``outside``."""
    if not math.isfinite(share):
        return "-" if math.isnan(share) else "outside"
    return f"{share:.3g} ×" if share >= 100 else f"{100 * share:.3g} %"


def format_bound_used(share: float) -> str:
    """Format a share of the bound as a phrase for a sentence: ``25 % of the bound``."""
    if not math.isfinite(share):
        return "no figure: it is infinite or nan"
    return f"{share:.3g} times the bound" if share >= 100 else f"{format_share(share)} of the bound"


def format_ulp(error: float) -> str:
    """Format an error in ulp; ``-`` if it is NaN, that is unknown or not measurable."""
    return "-" if math.isnan(error) else f"{error:.3g}"


def output_width(*, terminal: bool) -> int:
    """Return the columns for output: those of the terminal or of COLUMNS; if there are none, `PIPED`."""
    return shutil.get_terminal_size().columns if terminal or "COLUMNS" in os.environ else PIPED


def wrap_line(line: str, width: int) -> list[str]:
    """Wrap a line to ``width`` columns; continuation lines are indented by two more, words stay whole."""
    margin = " " * (len(line) - len(line.lstrip()))
    return textwrap.wrap(
        line.strip(),
        width,
        initial_indent=margin,
        subsequent_indent=f"{margin}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def format_distinct(a: float, b: float) -> tuple[str, str]:
    """Format two different numbers in decimal, with the fewest digits, six or more, that tell them apart."""
    pairs = ((f"{a:.{digits}g}", f"{b:.{digits}g}") for digits in range(6, 18))
    return next((pair for pair in pairs if pair[0] != pair[1]), (str(a), str(b)))


def escape_control_characters(text: str) -> str:
    r"""Replace every character that is not printable by its escape: ``\x1b``, ``\n``, ``\u202e``."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def escape_and_shorten(text: str) -> str:
    """Make a message one printable line: escape it, and leave out the middle if it is long."""
    line = escape_control_characters(" ".join(text.split()))
    return line if len(line) <= FIRST + len(GAP) + LAST else f"{line[:FIRST]}{GAP}{line[-LAST:]}"
