"""The messages between a client and its workers: JSON, checked against these schemas."""

from __future__ import annotations

import importlib
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self

import msgspec
from msgspec import Struct

from adapters import Spec
from adapters.conditions import ProcessOptions
from adapters.errors import AdapterError, JournalError, one_line
from crosscheck.results.environment import suite
from crosscheck.results.lines import CellLine, Environment, Fault
from crosscheck.results.summary import number_from_text, number_to_text
from crosscheck.sweep.kind import SweepError, SweepKind


class Job(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that a worker needs to compute shards of a sweep, except their numbers.

    Attributes:
        suite: the version of the suite that wrote this message.
        run: a unique name of the run.
        kind: the class of the kind of sweep, as ``package.module:Class``.
        settings: the fields of the kind of sweep.
        specs: the specs of the adapters.
        journal, timeout, environment, compile_timeout: see `adapters.conditions.ProcessOptions`.
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
