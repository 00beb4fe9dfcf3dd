"""The lines of a ledger: a header, then the records of the results, then a footer; each is a JSON object.

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
NO_VERDICT: Final = "no verdict: "  # a fault that begins with this text says that there was no answer in time
COMPLETE, INTERRUPTED = "complete", "interrupted"

Count = Annotated[int, Meta(ge=0, lt=CASES)]
Hex = Annotated[str, Meta(pattern=r"^(0x[01](\.[0-9a-f]+)?p[+-][0-9]{1,4}|inf)\Z")]
Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Numbers = Annotated[str, Meta(pattern=r"^([0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*)?\Z")]
Counts = dict[str, Count]


class Line(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """One line of a ledger."""


class Environment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The environment of a run: everything that can change a bit of its results.

    Attributes:
        python: the version of the suite's own interpreter.
        platform: operating system and machine.
        cpu: model and vector extensions.
        blas: the BLAS that NumPy was built with.
        packages: the versions of all packages that compute, by name.
        variables: the environment variables that numerical libraries read.
    """

    python: str
    platform: str
    cpu: str
    blas: str
    packages: dict[str, str]
    variables: dict[str, str]


class Adapter(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An adapter of the run, according to its own description.

    Attributes:
        name, framework, version, device, dtypes: as in `adapters.protocol.Description`.
        selector: the text that selects it on the command line: its name, or ``package.module:object``.
        threads: the number of threads that it computes with; 0 if it does not say.
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
        """The description in one line of text."""
        threads = f", {self.threads} thread{'s' * (self.threads != 1)}" if self.threads else ""
        return f"{self.framework} {self.version}, {self.device}{threads}"


class Sweep(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The sweep and the shards that a ledger covers; `crosscheck.sweep.record` writes sets of shard numbers.

    Attributes:
        lane: the kind of sweep, which makes the shards.
        settings: the settings of the kind of sweep, each in JSON.
        known: the SHA-256 of the record of known differences.
        of: the number of shards of the whole sweep.
        shards: the shards whose results are in this ledger.
        aside: the failed shards, which have no result; a fault has the reason.
    """

    lane: str
    settings: dict[str, str]
    known: Digest
    of: Count
    shards: Numbers
    aside: Numbers


class Header(Line, frozen=True, tag="header", omit_defaults=True):
    """The first line: the adapters, settings and environment of the run.

    Attributes:
        format, version: `FORMAT` and `VERSION`.
        suite: the version of this suite.
        created: the time when the run began, UTC.
        command: the command that was executed, quoted for a shell.
        profile: ``compare``, ``matrix``, or pytest's profile.
        seed: the seed of the first round of cases.
        environment: the environment of the run.
        adapters: the adapters, in the order of their names.
        sweep: the sweep and its shards; None in other runs.
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
    """The record of a `crosscheck.summary.Worst`, with the value as a hexadecimal float."""

    value: Hex
    case: str
    place: tuple[Count, ...]
    regime: str

    @classmethod
    def of(cls, worst: Worst | None) -> Self | None:
        """Make the record of a worst value; None if there is none."""
        if worst is None:
            return None
        return cls(value=worst.value.hex(), case=worst.case, place=worst.place, regime=worst.regime)

    @property
    def worst(self) -> Worst:
        """The worst value that this record has."""
        value = math.inf if self.value == "inf" else float.fromhex(self.value)
        return Worst(value, self.case, self.place, self.regime)


class CellRecord(Line, frozen=True, tag="cell", omit_defaults=True):
    """A cell and its summary: the fields of `crosscheck.summary.Cell` and `crosscheck.summary.Summary`.

    The shape of a cell in a ledger is a class of shapes, such as ``tails``, not one shape.
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
        """Make the record of a cell."""
        values = {
            **vars(summary),
            **{name: WorstRecord.of(getattr(summary, name)) for name in WORST},
            **{name: dict(sorted(getattr(summary, name).items())) for name in HISTOGRAMS},
            **{name: tuple(sorted(getattr(summary, name))) for name in TEXTS},
        }
        return cls(**vars(cell), **values)

    @property
    def cell(self) -> Cell:
        """The cell of this record."""
        return Cell(**{name: getattr(self, name) for name in CELL})

    @property
    def summary(self) -> Summary:
        """The summary of this record."""
        values = {name: getattr(self, name) for name in SUMMARY}
        values |= {name: frozenset(values[name]) for name in TEXTS}
        values |= {name: values[name] and values[name].worst for name in WORST}
        return Summary(**values)


CELL: Final = tuple(member.name for member in dataclasses.fields(Cell))
SUMMARY: Final = tuple(member.name for member in dataclasses.fields(Summary))


class Behaviour(Line, frozen=True, tag="behaviour"):
    """The record of a `crosscheck.behaviours.probe.Observation`: one probe's answer for one adapter."""

    probe: str
    adapter: str
    dtype: str
    value: str
    input: str
    seen: bool


class Known(Line, frozen=True, tag="known", omit_defaults=True):
    """A known difference that concerns an adapter of the run.

    Attributes:
        name: the name of the entry; the other fields are those of `crosscheck.known.entry.Difference`.
        got: the returned value in the first sighting of the entry.
        covered: the number of elements that it covers, by regime.
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
    """A fault of an adapter or of the run other than wrong values: a crash, a broken contract, a failed test.

    Attributes:
        who: the adapter, or the name of the test.
        what: the description of the fault in one line.
    """

    who: str
    what: str


class Acceptance(Line, frozen=True, tag="acceptance"):
    """The record that a user accepted this ledger as the new baseline.

    Attributes:
        when: the time, UTC.
        why: the reason that the user gave.
        changes: the changes that the gate had found, one line each.
    """

    when: datetime
    why: str
    changes: tuple[str, ...]


class Footer(Line, frozen=True, tag="footer"):
    """The last line: how the run ended, its verdict, and the counts and checksums of the lines before.

    Attributes:
        ending: `COMPLETE` or `INTERRUPTED`.
        verdict: the exit code of the run: 0 for agreement, 1 for disagreement.
        cells, behaviours, known, faults: the number of lines of each kind.
        problems: the number of problems in all cells.
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
