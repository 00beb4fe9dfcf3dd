"""Where two results of one adapter differ in their bits."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from crosscheck.judging.judge import OUTPUTS
from crosscheck.text import format_element, format_hex
from reference.types import Array, Outputs


def differences(what: str, first: Outputs, second: Outputs) -> Iterator[str]:
    """Yield a sentence if two results differ in their bits, with the first place where they do.

    Args:
        what: the beginning of the sentence.
        first: a result of an adapter.
        second: another result of that adapter for the same problem.
    """
    there = [tuple(output is not None for output in outputs) for outputs in (first, second)]
    if there[0] != there[1]:
        yield f"{what} which outputs there are"
        return
    found = {
        name: difference
        for name, want, got in zip(OUTPUTS, first, second, strict=True)
        if want is not None and got is not None and (difference := first_difference(name, got, want))
    }
    if found:
        yield f"{what} {', '.join(found)}; {next(iter(found.values()))}"


def first_difference(name: str, got: Array, want: Array) -> str:
    """Say where two arrays first differ in their bits, with all NaNs equal; empty if they do not differ."""
    differs = _bits(got) != _bits(want)
    differs &= ~(np.isnan(got.astype(np.float64)) & np.isnan(want.astype(np.float64)))
    if not differs.any():
        return ""
    index = tuple(int(i) for i in np.argwhere(differs)[0])
    now, was = (format_hex(float(array[index])) for array in (got, want))
    return (
        f"{format_element(name, index)} from {was} to {now} ({int(differs.sum())} of {differs.size} elements)"
    )


def _bits(array: Array) -> Array:
    return np.ascontiguousarray(array).reshape(array.shape).view(f"u{array.dtype.itemsize}")
