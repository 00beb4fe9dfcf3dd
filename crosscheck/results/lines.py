"""The lines of a ledger: a header, then the records of the results, then a footer; each is a JSON object.

A reader that meets a field, a kind of line or a version that it does not know refuses the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Annotated, Final, NamedTuple

from msgspec import Meta, Struct, field

from crosscheck.results.known_entry import Difference
from crosscheck.results.summary import Cell, Count, Histogram, Summary, known_of

FORMAT: Final = "gradient-crosscheck ledger"
VERSION: Final = 3
# A fault that begins with this text says that there was no answer in time.
NO_VERDICT: Final = "no verdict: "
# An observation that begins with this text says how the adapter broke the contract at a probe.
MISBEHAVED: Final = "misbehaved: "
COMPLETE, INTERRUPTED = "complete", "interrupted"

Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
CaseText = Annotated[str, Meta(pattern=r"^\w+:[0-9]+:[0-9x]+:\w+:\w+\Z")]
ShardNumbers = Annotated[str, Meta(pattern=r"^([0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*)?\Z")]


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


class AdapterInfo(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
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
        sweep_kind: the kind of sweep, which makes the shards.
        settings: the settings of the kind of sweep, each in JSON.
        known: the SHA-256 of the record of known differences.
        of: the number of shards of the whole sweep.
        shards: the shards whose results are in this ledger.
        failed_shards: the shards that have no result; a fault has the reason.
    """

    sweep_kind: str
    settings: dict[str, str]
    known: Digest
    of: Count
    shards: ShardNumbers
    failed_shards: ShardNumbers


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
    adapters: tuple[AdapterInfo, ...]
    sweep: Sweep | None = None


class CellLine(Line, frozen=True, tag="cell"):
    """A cell and its summary."""

    cell: Cell
    summary: Summary


class Observation(Line, frozen=True, tag="behaviour"):
    """The answer to one probe of one adapter in one dtype.

    Attributes:
        probe, adapter, dtype: the names of the probe, the adapter and the dtype.
        value: the answer, or the reason why there is none, such as ``no grad``.
        input: the text of the case that was evaluated.
        seen: whether the value is an answer.
    """

    probe: str
    adapter: str
    dtype: str
    value: str
    input: str
    seen: bool = True


class Known(Line, frozen=True, tag="known", omit_defaults=True):
    """A known difference that concerns an adapter of the run.

    Attributes:
        name: the name of the entry; the other fields are those of its `Difference`.
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
    covered: Histogram = field(default_factory=dict)


class Fault(Line, frozen=True, tag="fault"):
    """A fault of an adapter or of the run other than wrong values: a crash, a broken contract, a failed test.

    Attributes:
        who: the name of the adapter, the test or the known difference.
        what: the description in one line.
    """

    who: str
    what: str


class AdapterFault(NamedTuple):
    """A fault of an adapter as reports print it.

    Attributes:
        adapter: the adapter's name.
        text: the description in one line; the lines after it are commands that replay it.
    """

    adapter: str
    text: str

    def in_ledger(self, begins: str = "") -> Fault:
        """Return the line of a ledger, whose text is the description after ``begins``."""
        return Fault(who=self.adapter, what=begins + self.text.splitlines()[0])


class Answers(Line, frozen=True, tag="answers"):
    """The cases for which an adapter of a sweep returned an output, and those for which it did not.

    There is one case of each kind for each shape, layout and dtype, so that refusals by values
    (`crosscheck.results.refusals`) show when the results of shards are merged.

    Attributes:
        adapter, output: the names of the adapter and the output; output ``all`` for the whole case.
        answered: the texts of the cases with the output.
        refused: the reasons why the others have none, by the texts of the cases.
    """

    adapter: str
    output: str
    answered: tuple[CaseText, ...]
    refused: dict[CaseText, str]


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


class Footer(Line, frozen=True, kw_only=True, tag="footer", omit_defaults=True):
    """The last line: how the run ended, its verdict, and the counts and checksums of the lines before.

    Attributes:
        ending: `COMPLETE` or `INTERRUPTED`.
        verdict: the exit code of the run: 0 for agreement, 1 for disagreement.
        cells, behaviours, known, faults, answers: the number of lines of each kind.
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
    answers: Count = 0
    problems: Count
    results: Digest
    checksum: Digest


AnyLine = Header | CellLine | Observation | Known | Fault | Answers | Acceptance | Footer


def known_lines(entries: Iterable[Difference], cells: Mapping[Cell, Summary]) -> tuple[Known, ...]:
    """Make the lines of known differences that concern an adapter of the run, with what they cover."""
    covered = known_of(cells.values())
    return tuple(
        Known(
            name=entry.name,
            type=entry.kind,
            framework=entry.framework,
            versions=entry.versions,
            mode=entry.mode,
            case=entry.case,
            output=entry.output,
            index=entry.index,
            got=entry.sightings[0].got,
            exact=entry.exact,
            reason=entry.reason,
            upstream=entry.upstream,
            expires=entry.expires,
            covered=covered.get(entry.name, {}),
        )
        for entry in entries
    )
