"""Numbers, elements and lines of text, formatted for a reader."""

from __future__ import annotations

import math
import os
import re
import shutil
import textwrap

import numpy as np

from reference.admissible import AdmissibleSet
from reference.formats import Format

PIPED = 132  # columns, where nobody has a window


def format_hex(value: float) -> str:
    """A number as ``0x1.8p-3``: `float.hex` without trailing zeros; ``inf`` and ``nan`` as they are."""
    text = value.hex()
    return re.sub(r"\.?0+p", "p", text, count=1) if "." in text else text


def format_decimal(value: float, format: Format) -> str:
    """The shortest decimal that reads back to the same number in the format."""
    with np.errstate(all="ignore"):  # an end of an interval may lie beyond the format
        return str(np.float64(value).astype(format.dtype))


def format_number(value: float, format: Format) -> str:
    """A number of the format in hexadecimal, with its decimal in parentheses."""
    return f"{format_hex(value)} ({format_decimal(value, format)})" if math.isfinite(value) else f"{value:g}"


def format_endpoint(value: float, format: Format) -> str:
    """An endpoint of an interval, a float64, with two digits more than the format has."""
    digits = math.ceil(format.precision * math.log10(2)) + 2
    return f"{value:.{digits}g}"


def format_interval(lo: float, hi: float, format: Format) -> str:
    """An interval of float64 numbers, in decimal."""
    return f"[{format_endpoint(lo, format)}, {format_endpoint(hi, format)}]"


def format_set(one: AdmissibleSet, format: Format) -> str:
    """The admissible set of one element: its intervals, infinities and NaN."""
    if one.must:
        return "nan only"
    infinities = {(-math.inf, -math.inf): "-inf", (math.inf, math.inf): "inf"}
    parts = [infinities.get(ends) or format_interval(*ends, format) for ends in one.intervals()]
    return " or ".join([*parts, *(["nan"] if one.may else [])])


def format_element(output: str, index: tuple[int, ...]) -> str:
    """An element of an output: ``grad[0, 2, 0]``, or ``loss`` where it has no axes."""
    return f"{output}[{', '.join(map(str, index))}]" if index else output


def format_share(share: float) -> str:
    """A share of the bound in percent, from 100 on as a multiple; ``-`` for NaN, ``outside`` for infinity."""
    if not math.isfinite(share):
        return "-" if math.isnan(share) else "outside"
    return f"{share:.3g} ×" if share >= 100 else f"{100 * share:.3g} %"


def format_bound_used(share: float) -> str:
    """A share of the bound as a phrase for a sentence: ``25 % of the bound``."""
    if not math.isfinite(share):
        return "no figure: it is infinite or nan"
    return f"{share:.3g} times the bound" if share >= 100 else f"{format_share(share)} of the bound"


def format_ulp(error: float) -> str:
    """An error in ulp; ``-`` where it is NaN, that is unknown or not measurable."""
    return "-" if math.isnan(error) else f"{error:.3g}"


def output_width(*, terminal: bool) -> int:
    """The columns that output may use: the terminal's, or those of COLUMNS; otherwise `PIPED`."""
    return shutil.get_terminal_size().columns if terminal or "COLUMNS" in os.environ else PIPED


def wrap_line(line: str, width: int) -> list[str]:
    """Wrap a line to ``width`` columns; following lines are indented two further, no word is broken."""
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
    """Two numbers in decimal, with six digits each or as many as it takes to make them differ."""
    pairs = ((f"{a:.{digits}g}", f"{b:.{digits}g}") for digits in range(6, 18))
    return next((pair for pair in pairs if pair[0] != pair[1]), (str(a), str(b)))
