"""The summary of a cell: counts and worst values, which can be merged in any order and any grouping.

Tables, ledgers, reports and shards are views of summaries. A summary contains no times, so that two runs of
the same cases give equal summaries.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, Final, NamedTuple

Histogram = Mapping[str, int]


@dataclass(frozen=True, order=True)
class Cell:
    """A cell: an output of an adapter in a dtype, a regime, a shape and a layout.

    Attributes:
        adapter, framework, version, device: as the adapter describes itself.
        threads: how many threads the adapter computes with; 0 if it does not say.
        dtype: a key of ``FORMATS``.
        output: one of ``OUTPUTS``; `EVERY` if the adapter returned no outputs.
        regime: the regime of the case, or ``literal``.
        shape: the case's stack axes, m, n and p, as ``8192x1x3x1``.
        layout: one of ``LAYOUTS``.
    """

    adapter: str
    framework: str
    version: str
    device: str
    threads: int
    dtype: str
    output: str
    regime: str
    shape: str
    layout: str


EVERY = "all"
TEXTS = ("unsupported", "failures", "no_verdict")  # the fields of a summary that are sets of texts
CASES = 2**53  # every JSON reader represents integers below this exactly


class Worst(NamedTuple):
    """The largest value that was seen, and the element where it was seen.

    Attributes:
        value: an error in ulp, or a share of the bound; may be inf, never NaN.
        case: the text of the case.
        place: the index of the problem in the flat stack, then the element's indices in the output.
        regime: the regime of that element.
    """

    value: float
    case: str
    place: tuple[int, ...]
    regime: str


@dataclass(frozen=True)
class Summary:
    """Counts, worst values and histograms of one cell.

    Attributes:
        problems, elements: how many were evaluated.
        wrong_problems, wrong_elements: how many lie outside the admissible set.
        known_elements: how many of the wrong elements are known differences.
        not_judged: elements without a verdict, whose sets hold all values that they can have.
        not_run: problems that were not given to the adapter, because it had failed before.
        overflow, lost_to_zero, undefined: elements of these categories (`reference.ulp.Category`).
        unknown: elements whose exact value was not computed.
        equal: elements with the bits of the reference: the document's formulas in float64, then rounded.
        ties: elements for which the reference cannot decide whether they are the nearest number; only where
            errors are measured from the reference (`crosscheck.sweep.error_statistics`).
        cases: a hash of the set of cases: the sum of `hash_of` of their texts, modulo `CASES`.
        bits: the same with the bits of the outputs: equal values mean equal cases with equal results.
        well_conditioned: elements that are well-conditioned (`reference.admissible`) and whose exact value is
            known.
        error: the worst error in ulp.
        well_conditioned_error: the worst error in ulp of the well-conditioned elements.
        share: the worst |got − center| / radius; inf for elements that no finite radius would admit.
        errors, well_conditioned_errors, shares: how many elements have such a value, by its ⌊log₂⌋, ``zero``
            or ``inf``.
        known: elements that a known difference covers, by ``entry:regime``; entries that overlap both count.
        unsupported: the reasons why the adapter does not evaluate this cell.
        failures: how the adapter broke the contract or crashed.
        no_verdict: how the adapter gave no answer in time.
    """

    problems: int = 0
    elements: int = 0
    wrong_problems: int = 0
    wrong_elements: int = 0
    known_elements: int = 0
    not_judged: int = 0
    not_run: int = 0
    overflow: int = 0
    lost_to_zero: int = 0
    undefined: int = 0
    unknown: int = 0
    well_conditioned: int = 0
    equal: int = 0
    ties: int = 0
    cases: int = 0
    bits: int = 0
    error: Worst | None = None
    well_conditioned_error: Worst | None = None
    share: Worst | None = None
    errors: Histogram = field(default_factory=dict)
    well_conditioned_errors: Histogram = field(default_factory=dict)
    shares: Histogram = field(default_factory=dict)
    known: Histogram = field(default_factory=dict)
    unsupported: frozenset[str] = frozenset()
    failures: frozenset[str] = frozenset()
    no_verdict: frozenset[str] = frozenset()


WORST: Final = ("error", "well_conditioned_error", "share")
HISTOGRAMS: Final = ("errors", "well_conditioned_errors", "shares", "known")


def hash_of(*parts: bytes) -> int:
    """Return a 53-bit hash of a case's text, or of text and result; hashes are summed modulo `CASES`."""
    return int.from_bytes(hashlib.blake2b(b"\0".join(parts), digest_size=8).digest(), "big") % CASES


def worse(a: Worst | None, b: Worst | None) -> Worst | None:
    """Return the larger value; of equal ones the first by case and place, so that order does not matter."""
    there = [w for w in (a, b) if w is not None]
    return min(there, key=lambda w: (-w.value, *w[1:]), default=None)


def merge(a: Summary, b: Summary) -> Summary:
    """Merge two summaries; the operation is associative and commutative, with the identity ``Summary()``."""
    merged: dict[str, Any] = {}
    for name in (member.name for member in dataclasses.fields(Summary)):
        mine, theirs = getattr(a, name), getattr(b, name)
        if name in WORST:
            merged[name] = worse(mine, theirs)
        elif name in HISTOGRAMS:
            merged[name] = {at: mine.get(at, 0) + theirs.get(at, 0) for at in {**mine, **theirs}}
        elif name in TEXTS:
            merged[name] = mine | theirs
        elif name in ("cases", "bits"):
            merged[name] = (mine + theirs) % CASES
        else:
            merged[name] = mine + theirs
    return Summary(**merged)


def merged(summaries: Iterable[Summary]) -> Summary:
    """Merge all summaries into one."""
    return reduce(merge, summaries, Summary())


def add(total: dict[Cell, Summary], more: Mapping[Cell, Summary]) -> None:
    """Merge ``more`` into ``total``, cell by cell."""
    for cell, summary in more.items():
        total[cell] = merge(total[cell], summary) if cell in total else summary


def known_of(summaries: Iterable[Summary]) -> dict[str, Counter[str]]:
    """Count the elements that each known difference covers, by its name and then by regime."""
    found: dict[str, Counter[str]] = {}
    for summary in summaries:
        for key, count in summary.known.items():
            name, _, regime = key.partition(":")
            found.setdefault(name, Counter())[regime] += count
    return found
