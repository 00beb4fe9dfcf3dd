"""How numbers and places are written for a reader."""

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


def hexadecimal(value: float) -> str:
    """A number as ``0x1.8p-3``: `float.hex` without its trailing zeros; ``inf`` and ``nan`` as they are."""
    text = value.hex()
    return re.sub(r"\.?0+p", "p", text, count=1) if "." in text else text


def decimal(value: float, format: Format) -> str:
    """The shortest decimal that its format reads back to the same number."""
    with np.errstate(all="ignore"):  # an end of an interval may lie beyond the format
        return str(np.float64(value).astype(format.dtype))


def number(value: float, format: Format) -> str:
    """A number of the format in hexadecimal and decimal."""
    return f"{hexadecimal(value)} ({decimal(value, format)})" if math.isfinite(value) else f"{value:g}"


def end(value: float, format: Format) -> str:
    """An end of an interval, which need not be a number of the format, with two digits more than that has."""
    digits = math.ceil(format.precision * math.log10(2)) + 2
    return f"{value:.{digits}g}"


def interval(lo: float, hi: float, format: Format) -> str:
    """An interval of float64, in decimal."""
    return f"[{end(lo, format)}, {end(hi, format)}]"


def admissible(one: AdmissibleSet, format: Format) -> str:
    """The values of a set of one element: its intervals, infinities and NaN."""
    if one.must:
        return "nan only"
    infinities = {(-math.inf, -math.inf): "-inf", (math.inf, math.inf): "inf"}
    parts = [infinities.get(ends) or interval(*ends, format) for ends in one.intervals()]
    return " or ".join([*parts, *(["nan"] if one.may else [])])


def place(output: str, index: tuple[int, ...]) -> str:
    """An element of an output: ``grad[0, 2, 0]``, or ``loss`` where it has no axes."""
    return f"{output}[{', '.join(map(str, index))}]" if index else output


def percent(share: float) -> str:
    """A share of the bound; ``-`` where there is no such figure."""
    if not math.isfinite(share):
        return "-" if math.isnan(share) else "outside"
    return f"{share:.3g} ×" if share >= 100 else f"{100 * share:.3g} %"


def of_the_bound(share: float) -> str:
    """The same as a phrase."""
    if not math.isfinite(share):
        return "no figure: it is infinite or nan"
    return f"{share:.3g} times the bound" if share >= 100 else f"{percent(share)} of the bound"


def ulps(error: float) -> str:
    """An error in ulp; ``-`` where it is not known or has no such measure."""
    return "-" if math.isnan(error) else f"{error:.3g}"


def columns(*, terminal: bool) -> int:
    """How wide what is printed may be: the terminal's columns or those of COLUMNS; else `PIPED`."""
    return shutil.get_terminal_size().columns if terminal or "COLUMNS" in os.environ else PIPED


def folded(line: str, width: int) -> list[str]:
    """The line in lines of at most so many columns, what follows the first further in; words stay whole."""
    margin = " " * (len(line) - len(line.lstrip()))
    return textwrap.wrap(
        line.strip(),
        width,
        initial_indent=margin,
        subsequent_indent=f"{margin}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def apart(a: float, b: float) -> tuple[str, str]:
    """Two numbers in decimal, each with six digits or as many as it takes to see that they are not equal."""
    pairs = ((f"{a:.{digits}g}", f"{b:.{digits}g}") for digits in range(6, 18))
    return next((pair for pair in pairs if pair[0] != pair[1]), (str(a), str(b)))
