"""The messages between a client and its workers: JSON, checked against these schemas."""

from __future__ import annotations

import importlib
import uuid
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final, Self

import msgspec
from msgspec import Struct

from adapters import Spec
from adapters.conditions import ProcessOptions
from adapters.errors import AdapterError, JournalError, one_line
from crosscheck.ledger import CellRecord, Environment, Fault
from crosscheck.sweep.kind import SweepError, SweepKind


class Job(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that a worker needs but the number of a shard.

    Attributes:
        suite: the version of the suite that wrote this.
        run: no two runs have the same.
        kind: the class of the kind of sweep as ``package.module:Class``.
        settings: its fields.
        specs: the adapters.
        journal, timeout, environment, compile_timeout: as in `adapters.conditions.ProcessOptions`.
        limit: seconds that a shard may take.
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
        """The job of a sweep."""
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
        """Options of the adapters' processes."""
        return ProcessOptions(Path(self.journal), self.timeout, self.environment, self.compile_timeout)

    def sweep_kind(self) -> SweepKind:
        """The kind of sweep, with its settings."""
        module, _, name = self.kind.partition(":")
        kind: SweepKind = msgspec.convert(self.settings, getattr(importlib.import_module(module), name))
        return kind


class _Stated(Struct):
    """What is read first: the rest may have another form in another version."""

    suite: str


def read_job(data: bytes) -> Job:
    """The job that a client sent.

    Raises:
        SweepError: its suite has another version.
    """
    theirs = msgspec.json.decode(data, type=_Stated).suite
    if theirs != suite():
        raise SweepError(f"suite: {theirs} -> {suite()}")
    return msgspec.json.decode(data, type=Job)


def suite() -> str:
    """The version of the suite here."""
    try:
        return version("gradient-crosscheck")
    except PackageNotFoundError:
        return "not installed"


class WorkerInfo(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The versions and adapters of a worker that has loaded everything.

    Attributes:
        suite: the version of the suite there.
        known: the SHA-256 of its record of known differences.
        environment: as in the header of a ledger.
        descriptions: of the adapters as plain data, by the name of their spec.
    """

    suite: str
    known: str
    environment: Environment
    descriptions: Mapping[str, dict[str, Any]]


class Done(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="done"):
    """The result of a shard: `crosscheck.sweep.kind.ShardResult`, its cells as they stand in a ledger."""

    cells: tuple[CellRecord, ...]
    faults: tuple[Fault, ...]


class Failed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="failed"):
    """Why there is no result of a shard.

    Attributes:
        what: in a line; it begins with the adapter, if that is known.
        who: the adapter, or what else is to blame.
        where: the process that had it.
        late: whether that is because it took too long, which is no fault.
    """

    what: str
    who: str = "worker"
    where: str = ""
    late: bool = False


class Refused(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="refused"):
    """Why no shard can be computed: the name of an exception, and its text."""

    error_type: str
    message: str

    @classmethod
    def of(cls, error: Exception) -> Self:
        """The exception as a message; for one that is no user's it names its type."""
        error_type, text = type(error).__name__, one_line(error)
        return cls(
            error_type=error_type, message=text if error_type in USER_ERRORS else f"{error_type}: {text}"
        )

    @property
    def error(self) -> Exception:
        """The exception again; RuntimeError for an error of the suite."""
        return USER_ERRORS.get(self.error_type, RuntimeError)(self.message)


USER_ERRORS: Final[Mapping[str, type[Exception]]] = {
    each.__name__: each for each in (AdapterError, JournalError, SweepError)
}
Answer = Done | Failed | Refused
