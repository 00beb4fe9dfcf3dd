"""The lines of a ledger: a header, then records of what was found, then a footer; one JSON object each.

A reader that meets a field, a kind of line or a version that it does not know refuses the file.
"""

from __future__ import annotations

import dataclasses
import math
from datetime import date, datetime
from typing import Annotated, Final, Self

from msgspec import Meta, Struct, field

from crosscheck.summary import CASES, HISTOGRAMS, TEXTS, WORST, Cell, Summary, Worst

FORMAT: Final = "gradient-crosscheck ledger"
VERSION: Final = 2
NO_VERDICT: Final = "no verdict: "  # how a fault begins that says that there was no answer in time
COMPLETE, INTERRUPTED = "complete", "interrupted"

Count = Annotated[int, Meta(ge=0, lt=CASES)]
Hex = Annotated[str, Meta(pattern=r"^(0x[01](\.[0-9a-f]+)?p[+-][0-9]{1,4}|inf)\Z")]
Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Numbers = Annotated[str, Meta(pattern=r"^([0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*)?\Z")]
Counts = dict[str, Count]


class Line(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """One line of a ledger."""


class Environment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a run took place, as far as it can change a bit of its results.

    Attributes:
        python: the version of the suite's own interpreter.
        platform: operating system and machine.
        cpu: model and vector extensions.
        blas: that NumPy was built with.
        packages: version by name, of everything that computes.
        variables: of the environment, those that libraries of numbers read.
    """

    python: str
    platform: str
    cpu: str
    blas: str
    packages: dict[str, str]
    variables: dict[str, str]


class Adapter(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An adapter of the run, as it describes itself.

    Attributes:
        name, framework, version, device, dtypes: as in `adapters.protocol.Description`.
        selector: what chooses it: its name, or ``package.module:object``.
        threads: how many it computes with; 0 where it does not say.
    """

    name: str
    selector: str
    framework: str
    version: str
    device: str
    threads: Count
    dtypes: tuple[str, ...]

    @property
    def about(self) -> str:
        """What it says of itself, for a reader."""
        threads = f", {self.threads} thread{'s' * (self.threads != 1)}" if self.threads else ""
        return f"{self.framework} {self.version}, {self.device}{threads}"


class Sweep(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which shards of which sweep a ledger has; their numbers as `crosscheck.sweep.numbers` writes them.

    Attributes:
        lane: the kind of sweep, which makes the shards.
        settings: of the kind, each in JSON.
        known: the SHA-256 of the record of known differences.
        of: how many shards the whole sweep has.
        shards: those whose results are here.
        aside: the failed shards: there is no result of them, and a fault says why.
    """

    lane: str
    settings: dict[str, str]
    known: Digest
    of: Count
    shards: Numbers
    aside: Numbers


class Header(Line, frozen=True, tag="header", omit_defaults=True):
    """What ran where.

    Attributes:
        format, version: `FORMAT` and `VERSION`.
        suite: the version of this suite.
        created: when the run began, UTC.
        command: what was executed, as a shell takes it.
        profile: ``compare``, ``matrix``, or pytest's profile.
        seed: of the first round of cases.
        environment: see there.
        adapters: in the order of their names.
        sweep: of a sweep only.
    """

    format: str
    version: int
    suite: str
    created: datetime
    command: str
    profile: str
    seed: Count
    environment: Environment
    adapters: tuple[Adapter, ...]
    sweep: Sweep | None = None


class WorstRecord(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """As `crosscheck.summary.Worst`; the value as a hexadecimal float."""

    value: Hex
    case: str
    place: tuple[Count, ...]
    regime: str

    @classmethod
    def of(cls, worst: Worst | None) -> Self | None:
        """The record of a worst value, if there is one."""
        if worst is None:
            return None
        return cls(value=worst.value.hex(), case=worst.case, place=worst.place, regime=worst.regime)

    @property
    def worst(self) -> Worst:
        """What it records."""
        value = math.inf if self.value == "inf" else float.fromhex(self.value)
        return Worst(value, self.case, self.place, self.regime)


class CellRecord(Line, frozen=True, tag="cell", omit_defaults=True):
    """A cell and its summary: the fields of `crosscheck.summary.Cell` and `crosscheck.summary.Summary`.

    A cell of a ledger is that of a class of shapes, ``tails`` say, not of one shape.
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
    cases: Count = 0
    bits: Count = 0
    problems: Count = 0
    elements: Count = 0
    equal: Count = 0
    ties: Count = 0
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
    error: WorstRecord | None = None
    well_conditioned_error: WorstRecord | None = None
    share: WorstRecord | None = None
    errors: Counts = field(default_factory=dict)
    well_conditioned_errors: Counts = field(default_factory=dict)
    shares: Counts = field(default_factory=dict)
    known: Counts = field(default_factory=dict)
    unsupported: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    no_verdict: tuple[str, ...] = ()

    @classmethod
    def of(cls, cell: Cell, summary: Summary) -> Self:
        """The record of a cell."""
        values = {
            **vars(summary),
            **{name: WorstRecord.of(getattr(summary, name)) for name in WORST},
            **{name: dict(sorted(getattr(summary, name).items())) for name in HISTOGRAMS},
            **{name: tuple(sorted(getattr(summary, name))) for name in TEXTS},
        }
        return cls(**vars(cell), **values)

    @property
    def cell(self) -> Cell:
        """Which cell it is."""
        return Cell(**{name: getattr(self, name) for name in CELL})

    @property
    def summary(self) -> Summary:
        """What was found there."""
        values = {name: getattr(self, name) for name in SUMMARY}
        values |= {name: frozenset(values[name]) for name in TEXTS}
        values |= {name: values[name] and values[name].worst for name in WORST}
        return Summary(**values)


CELL: Final = tuple(member.name for member in dataclasses.fields(Cell))
SUMMARY: Final = tuple(member.name for member in dataclasses.fields(Summary))


class Behaviour(Line, frozen=True, tag="behaviour"):
    """What one probe saw of one adapter: as `crosscheck.behaviours.probe.Observation`."""

    probe: str
    adapter: str
    dtype: str
    value: str
    input: str
    seen: bool


class Known(Line, frozen=True, tag="known", omit_defaults=True):
    """A known difference that concerns an adapter of the run.

    Attributes:
        name: of the entry; the others likewise, of `crosscheck.known.entry.Difference`.
        got: of its first sighting.
        covered: how many elements it explained, by regime.
    """

    name: str
    type: str
    framework: str
    versions: str
    mode: str
    case: str
    output: str
    index: tuple[Count, ...]
    got: str
    exact: str
    reason: str
    upstream: str | None = None
    expires: date | None = None
    covered: Counts = field(default_factory=dict)


class Fault(Line, frozen=True, tag="fault"):
    """What speaks against an adapter, or the run, beside its values: a crash, a broken contract, a red test.

    Attributes:
        who: an adapter, or the name of a test.
        what: one line.
    """

    who: str
    what: str


class Acceptance(Line, frozen=True, tag="acceptance"):
    """That somebody took this ledger for the new baseline.

    Attributes:
        when: UTC.
        why: in the words of who did.
        changes: what the gate had to say, one line each.
    """

    when: datetime
    why: str
    changes: tuple[str, ...]


class Footer(Line, frozen=True, tag="footer"):
    """The last line: whether the run came to its end, and what the lines before it amount to.

    Attributes:
        ending: `COMPLETE` or `INTERRUPTED`.
        verdict: what the run came to: 0 agreement, 1 disagreement.
        cells, behaviours, known, faults: how many lines of each kind there are.
        problems: of all cells.
        results: the SHA-256 of all lines of cells, behaviours and known differences.
        checksum: the SHA-256 of every byte of the file before it.
    """

    ending: str
    verdict: Count
    cells: Count
    behaviours: Count
    known: Count
    faults: Count
    problems: Count
    results: Digest
    checksum: Digest


AnyLine = Header | CellRecord | Behaviour | Known | Fault | Acceptance | Footer
