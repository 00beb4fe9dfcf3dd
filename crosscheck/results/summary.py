"""The summary of a cell: counts and worst values, which can be added in any order and any grouping.

Tables, ledgers, reports and shards are views of summaries. A summary contains no times, so that two runs of
the same cases give equal summaries. A ledger has the structures of this module as they are.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final

from msgspec import Meta, Struct, field
from msgspec.structs import force_setattr

EVERY: Final = "all"
CASES: Final = 2**53  # every JSON reader represents integers below this exactly
Count = Annotated[int, Meta(ge=0, lt=CASES)]
Histogram = dict[str, Count]


class Number(float):
    """A float that is written to JSON as a hexadecimal text, so that it is exact and may be inf or NaN."""


HEXADECIMAL: Final = re.compile(r"-?(0x[01](\.[0-9a-f]+)?p[+-][0-9]{1,4}|inf)|nan")


def number_to_text(thing: Any) -> str:
    """Return the text of a `Number`: the hook with which msgspec encodes summaries."""
    if isinstance(thing, Number):
        return thing.hex()
    raise NotImplementedError(f"no {type(thing).__name__} is written")


def number_from_text(kind: type[Any], text: Any) -> Number:
    """Read the text of a `Number`: the hook with which msgspec decodes summaries.

    Raises:
        ValueError: the text is no hexadecimal float that a float64 holds.
    """
    if kind is not Number or not isinstance(text, str) or not HEXADECIMAL.fullmatch(text):
        raise ValueError(f"{text!r} is no number in hexadecimal")
    try:
        return Number.fromhex(text)
    except OverflowError:
        raise ValueError(f"{text} is a number that no float64 holds") from None


class Cell(Struct, frozen=True, order=True, forbid_unknown_fields=True):
    """A cell: an output of an adapter in a dtype, a regime, a class of shapes and a layout.

    Attributes:
        adapter, framework, version, device: as the adapter describes itself.
        threads: how many threads the adapter computes with; 0 if it does not say.
        dtype: a key of ``FORMATS``.
        output: one of ``OUTPUTS``; `EVERY` if the adapter returned no outputs.
        regime: the regime of the case, or ``literal``.
        shape: the class of the case's shape, such as ``tails``.
        layout: one of ``LAYOUTS``.
    """

    adapter: str
    framework: str
    version: str
    device: str
    threads: Count
    dtype: str
    output: str
    regime: str
    shape: str
    layout: str


class Worst(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The largest value that was seen, and the element where it was seen.

    Attributes:
        value: an error in ulp, or a share of the bound; may be inf, never NaN.
        case: the text of the case.
        place: the index of the problem in the flat stack, then the element's indices in the output.
        regime: the regime of that element.
        got: what the adapter returned there.
        exact: the exact value as hi + lo, known to within `crosscheck.accuracy.RESOLUTION` ulp; None where it
            is unknown.
        z: the least and the largest z of the ŷ that the element depends on, from the float64 reference.
        admissible: the admissible set of the element, as text.
    """

    value: Number
    case: str
    place: tuple[Count, ...]
    regime: str
    got: Number | None = None
    exact: tuple[Number, Number] | None = None
    z: tuple[Number, Number] | None = None
    admissible: str = ""

    def __post_init__(self) -> None:
        if not self.value >= 0:
            raise ValueError(f"the worst value is {self.value:g}; it is at least 0")
        if type(self.value) is not Number:
            force_setattr(self, "value", Number(self.value))


class Summary(Struct, forbid_unknown_fields=True, omit_defaults=True):
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

    problems: Count = 0
    elements: Count = 0
    wrong_problems: Count = 0
    wrong_elements: Count = 0
    known_elements: Count = 0
    not_judged: Count = 0
    not_run: Count = 0
    overflow: Count = 0
    lost_to_zero: Count = 0
    undefined: Count = 0
    unknown: Count = 0
    well_conditioned: Count = 0
    equal: Count = 0
    ties: Count = 0
    cases: Count = 0
    bits: Count = 0
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

    def add(self, other: Summary) -> None:
        """Add another summary; the operation is associative and commutative, with ``Summary()`` neutral."""
        for name in COUNTS:
            if count := getattr(other, name):
                setattr(self, name, getattr(self, name) + count)
        for name in HASHES:
            setattr(self, name, (getattr(self, name) + getattr(other, name)) % CASES)
        for name in WORST:
            if (theirs := getattr(other, name)) is not None:
                setattr(self, name, worse(getattr(self, name), theirs))
        for name in HISTOGRAMS:
            mine = getattr(self, name)
            for key, count in getattr(other, name).items():
                mine[key] = mine.get(key, 0) + count
        for name in TEXTS:
            if texts := getattr(other, name):
                setattr(self, name, getattr(self, name) | texts)


HASHES: Final = ("cases", "bits")
WORST: Final = ("error", "well_conditioned_error", "share")
HISTOGRAMS: Final = ("errors", "well_conditioned_errors", "shares", "known")
TEXTS: Final = ("unsupported", "failures", "no_verdict")
COUNTS: Final = tuple(
    name for name in Summary.__struct_fields__ if name not in {*HASHES, *WORST, *HISTOGRAMS, *TEXTS}
)


def hash_of(*parts: bytes) -> int:
    """Return a 53-bit hash of a case's text, or of text and result; hashes are summed modulo `CASES`."""
    return int.from_bytes(hashlib.blake2b(b"\0".join(parts), digest_size=8).digest(), "big") % CASES


def worse(a: Worst | None, b: Worst) -> Worst:
    """Return the larger value; of equal ones the first by case and place, so that order does not matter."""
    if a is None or b.value > a.value:
        return b
    return a if b.value < a.value or (a.case, a.place, a.regime) <= (b.case, b.place, b.regime) else b


def merged(summaries: Iterable[Summary]) -> Summary:
    """Add all summaries up in a new one."""
    total = Summary()
    for summary in summaries:
        total.add(summary)
    return total


def add(total: dict[Cell, Summary], more: Mapping[Cell, Summary]) -> None:
    """Add ``more`` to ``total``, cell by cell."""
    for cell, summary in more.items():
        total.setdefault(cell, Summary()).add(summary)


def known_of(summaries: Iterable[Summary]) -> dict[str, Counter[str]]:
    """Count the elements that each known difference covers, by its name and then by regime."""
    found: dict[str, Counter[str]] = {}
    for summary in summaries:
        for key, count in summary.known.items():
            name, _, regime = key.partition(":")
            found.setdefault(name, Counter())[regime] += count
    return found
