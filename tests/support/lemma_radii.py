"""The radii as the lemmas for Gappa write them, in rational arithmetic."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction

from tools.proof import LEMMAS

Numbers = dict[str, Fraction]


def with_radii(known: Mapping[str, Fraction], *names: str) -> Numbers:
    """What is known, and the radii e_… that these lemmas define, one after the other."""
    found = dict(known)
    for name in names:
        text = (LEMMAS / f"{name}.g").read_text(encoding="utf-8")
        for radius, formula in re.findall(r"^(e_\w+) = (.*);$", text, re.MULTILINE):
            found[radius] = eval(formula, {}, found)  # noqa: S307, a formula of ours
    return found
