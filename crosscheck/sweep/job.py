"""The job of a sweep: its kind, the messages between a client and its workers, and the identity of its parts.

Messages are JSON, checked against the schemas in this module.
"""

from __future__ import annotations

import hashlib
import importlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol, Self

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from adapters import Spec
from adapters.errors import AdapterError, JournalError, one_line
from adapters.process_options import ProcessOptions
from adapters.protocol import Description
from crosscheck.errors import UserError
from crosscheck.judging.evaluation import CheckedAdapter
from crosscheck.results.environment import header, suite
from crosscheck.results.known import SHIPPED
from crosscheck.results.lines import Answers, CellLine, Environment, Fault, Header, Sweep
from crosscheck.results.summary import Cell, Summary, number_from_text, number_to_text


class SweepError(UserError):
    """A sweep cannot run with the given options; the message is one line that says what to do."""


@dataclass(frozen=True)
class ShardResult:
    """The result of a shard.

    Attributes:
        problems: the number of problems that each adapter evaluated.
        cells: the summary of each cell.
        faults: disagreements and failures, without duplicates.
        answers: what the adapters answered and refused, as `crosscheck.results.refusals` needs it.
    """

    problems: int = 0
    cells: Mapping[Cell, Summary] = field(default_factory=dict)
    faults: frozenset[Fault] = frozenset()
    answers: tuple[Answers, ...] = ()


class SweepKind(Protocol):
    """A kind of sweep with its settings; a `msgspec.Struct`, so that it can be sent to other processes."""

    @property
    def profile(self) -> str:
        """The profile in the header of its ledger: ``sweep`` and the name of the kind."""

    @property
    def seed(self) -> int:
        """The seed of the first case."""

    def __len__(self) -> int:
        """Return the number of shards; a longer sweep has the same shards, except the last of each dtype."""

    def problems(self, shard: int) -> int:
        """Return the number of problems of a shard."""

    def run(
        self, shard: int, adapters: Mapping[str, CheckedAdapter], *, careful: bool = False
    ) -> ShardResult:
        """Evaluate the cases of a shard with all adapters, judge the results, and return what was found.

        The errors have a note that names a case.

        Args:
            shard: the number of the shard, from 0 on.
            adapters: all adapters by selector, each in this process or in another.
            careful: whether an adapter that crashes, or breaks the contract other than by wrong values, is
                a fault of the result, which has all that the others returned. No adapter is then in this
                process, where it might have harmed them.

        Raises:
            AdapterMisbehaved, AdapterCrashed: what an adapter did, unless ``careful`` is true.
            NoAnswer: an adapter gave no answer in time, which is no fault of its own.
        """


class Job(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that a worker needs to compute shards of a sweep, except their numbers.

    Attributes:
        suite: the version of the suite that wrote this message.
        run: a unique name of the run.
        kind: the class of the kind of sweep, as ``package.module:Class``.
        settings: the fields of the kind of sweep.
        specs: the specs of the adapters.
        journal, timeout, environment, compile_timeout: see `adapters.process_options.ProcessOptions`.
        limit: the seconds that a shard may take.
    """

    suite: str
    run: str
    kind: str
    settings: dict[str, Any]
    specs: tuple[Spec, ...]
    journal: str
    timeout: float
    environment: dict[str, str]
    compile_timeout: float
    limit: float

    @classmethod
    def of(cls, kind: SweepKind, specs: Sequence[Spec], options: ProcessOptions, limit: float) -> Self:
        """Make the job of a sweep."""
        return cls(
            suite=suite(),
            run=uuid.uuid4().hex,
            kind=f"{type(kind).__module__}:{type(kind).__qualname__}",
            settings=msgspec.to_builtins(kind),
            specs=tuple(specs),
            journal=str(options.journal),
            timeout=options.timeout,
            environment=dict(options.environment),
            compile_timeout=options.compile_timeout,
            limit=limit,
        )

    @property
    def process_options(self) -> ProcessOptions:
        """Return the options of the adapters' processes."""
        return ProcessOptions(Path(self.journal), self.timeout, self.environment, self.compile_timeout)

    def sweep_kind(self) -> SweepKind:
        """Return the kind of sweep, with its settings."""
        module, _, name = self.kind.partition(":")
        kind: SweepKind = msgspec.convert(self.settings, getattr(importlib.import_module(module), name))
        return kind


class _Stated(Struct):
    """The part of a job that is read first, since the rest may have another form in another version."""

    suite: str


def read_job(data: bytes) -> Job:
    """Decode the job that a client sent.

    Raises:
        SweepError: the client's suite has another version.
    """
    theirs = msgspec.json.decode(data, type=_Stated).suite
    if theirs != suite():
        raise SweepError(f"suite: {theirs} -> {suite()}")
    return msgspec.json.decode(data, type=Job)


class WorkerInfo(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The versions and adapters of a worker that has loaded everything.

    Attributes:
        suite: the version of the worker's suite.
        known: the SHA-256 of its record of known differences.
        environment: the worker's environment, as in the header of a ledger.
        descriptions: the descriptions of the adapters as plain data, by the name of their spec.
    """

    suite: str
    known: str
    environment: Environment
    descriptions: Mapping[str, dict[str, Any]]


class Done(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="done"):
    """The message with the result of a shard: a `ShardResult` whose cells are the records of a ledger."""

    cells: tuple[CellLine, ...]
    faults: tuple[Fault, ...]
    answers: tuple[Answers, ...]


class Failed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="failed"):
    """The message that a shard has no result, with the reason.

    Attributes:
        what: the reason in one line, which begins with the name of the adapter if that is known.
        who: the adapter, or whatever else caused the failure.
        where: the process that computed the shard.
        late: whether the shard took too long, which is not counted as a fault.
    """

    what: str
    who: str = "worker"
    where: str = ""
    late: bool = False


class Refused(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="refused"):
    """The message that no shard can be computed: the name of an exception, and its text."""

    error_type: str
    message: str

    @classmethod
    def of(cls, error: Exception) -> Self:
        """Make the message of an exception; it names the type of one that is not in `USER_ERRORS`."""
        error_type, text = type(error).__name__, one_line(error)
        return cls(
            error_type=error_type, message=text if error_type in USER_ERRORS else f"{error_type}: {text}"
        )

    @property
    def error(self) -> Exception:
        """The exception, made again; an error of the suite itself becomes a RuntimeError."""
        return USER_ERRORS.get(self.error_type, RuntimeError)(self.message)


USER_ERRORS: Final[Mapping[str, type[Exception]]] = {
    each.__name__: each for each in (AdapterError, JournalError, SweepError)
}
Answer = Done | Failed | Refused
ENCODER: Final = msgspec.json.Encoder(enc_hook=number_to_text, order="deterministic")
DECODER: Final = msgspec.json.Decoder(Answer, dec_hook=number_from_text)


def encode(answer: Answer) -> bytes:
    """Encode an answer."""
    return ENCODER.encode(answer)


def decode(data: bytes) -> Answer:
    """Decode an answer."""
    return DECODER.decode(data)


def digest_of_known() -> str:
    """Return the SHA-256 of the record of known differences, on which the results of shards depend."""
    return hashlib.sha256(SHIPPED.read_bytes()).hexdigest()


def header_of(kind: SweepKind, info: WorkerInfo, command: str) -> Header:
    """Make the header of a sweep that begins now, with no shards yet; all workers have the same versions."""
    said = {name: Description.of_plain(plain) for name, plain in info.descriptions.items()}
    settings: dict[str, Any] = msgspec.to_builtins(kind)
    whole = Sweep(
        sweep_kind=kind.profile,
        settings={name: msgspec.json.encode(value).decode() for name, value in settings.items()},
        known=info.known,
        of=len(kind),
        shards="",
        failed_shards="",
    )
    head = header(kind.profile, kind.seed, said, command)
    return replace(head, suite=info.suite, environment=info.environment, sweep=whole)


def differences(old: Header, new: Header) -> list[str]:
    """List the differences that forbid merging the results of two sweeps, one line each."""
    was, now = _identity(old), _identity(new)
    names = sorted({*was, *now})
    return [f"{n}: {was.get(n, '-')} -> {now.get(n, '-')}" for n in names if was.get(n) != now.get(n)]


def _identity(head: Header) -> dict[str, str]:
    """Return everything that the parts of a sweep must share, by the names that messages use."""
    there, sweep = head.environment, head.sweep
    found = {name: str(getattr(head, name)) for name in ("suite", "profile", "seed")}
    found |= {name: getattr(there, name) for name in ("python", "platform", "cpu", "blas")}
    found |= {f"package {name}": value for name, value in there.packages.items()}
    found |= {f"variable {name}": value for name, value in there.variables.items()}
    found |= {f"adapter {one.name}": f"{one.about}, {', '.join(one.dtypes)}" for one in head.adapters}
    if sweep is not None:
        found |= {"kind": sweep.sweep_kind, "shards": str(sweep.of), "known differences": sweep.known}
        found |= {f"setting {name}": value for name, value in sweep.settings.items()}
    return found
