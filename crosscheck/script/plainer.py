"""From the mode that disagrees to the plainest one that still does."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from adapters.modes import FACTORS, Mode, impossible, plain

# Factors of which also what lies between the plain value and the mode's own is simpler.
GRADED = ("execution", "closed", "convention")


def plainest(mode: Mode, output: str, fails: Callable[[Mode], bool]) -> Mode:
    """The mode with as many plain values as the failure allows, one factor after the other.

    An output other than the gradient is computed alone if that fails too, since no derivative is shorter.

    Args:
        mode: one that fails.
        output: what it gets wrong.
        fails: whether another mode gets that wrong too.
    """
    best, tried = mode, {mode}
    simpler: Mode | None = mode
    while simpler is not None:
        best, simpler = simpler, None
        for candidate in _simpler(best, output):
            if candidate not in tried:
                tried.add(candidate)
                if fails(candidate):
                    simpler = candidate
                    break
    return best


def _simpler(mode: Mode, output: str) -> Iterator[Mode]:
    """Modes that are one step simpler."""
    if mode.alone is None and output != "grad":
        yield from _with(mode, outputs=output, derivative="grad")
    for factor, known in FACTORS[mode.framework].items():
        place = known.index(mode[factor])
        if factor == "outputs":
            continue
        for value in known[: place if factor in GRADED else min(place, 1)]:
            if value != "compile":
                yield from _with(mode, **{factor: value})


def _with(mode: Mode, **values: str) -> Iterator[Mode]:
    """The mode with other values, if that means something."""
    changed = plain(mode.framework, **{**mode.as_dict, **values})
    if not impossible(changed):
        yield changed
