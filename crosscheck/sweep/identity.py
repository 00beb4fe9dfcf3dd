"""The identity of a sweep: the kind, settings, adapters and environment that all of its parts must share."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from adapters import Spec
from adapters.protocol import Description
from crosscheck.results.environment import header
from crosscheck.results.known import SHIPPED
from crosscheck.results.lines import Header, Sweep
from crosscheck.sweep.kind import SweepKind
from crosscheck.sweep.messages import Job, WorkerInfo
from crosscheck.sweep.numbers import Slice


def settings(kind: SweepKind) -> dict[str, Any]:
    """Return the fields of a kind of sweep, as JSON values."""
    found: dict[str, Any] = msgspec.to_builtins(kind)
    return found


def digest_of_known() -> str:
    """Return the SHA-256 of the record of known differences, on which the results of shards depend."""
    return hashlib.sha256(SHIPPED.read_bytes()).hexdigest()


def header_of(kind: SweepKind, info: WorkerInfo, command: str) -> Header:
    """Make the header of a sweep that begins now, with no shards yet; all workers have the same versions."""
    said = {name: Description.of_plain(plain) for name, plain in info.descriptions.items()}
    whole = Sweep(
        sweep_kind=kind.profile,
        settings={name: _json(value) for name, value in settings(kind).items()},
        known=info.known,
        of=len(kind),
        shards="",
        failed_shards="",
    )
    head = header(kind.profile, kind.seed, said, command)
    return replace(head, suite=info.suite, environment=info.environment, sweep=whole)


def short_digest(kind: SweepKind, specs: list[Spec], part: Slice) -> str:
    """Return a digest of the cases and adapters, for the name of the default store.

    Versions are left out of it, so that a store made with other versions is found and refused.
    """
    what = [kind.profile, settings(kind), [(spec.name, spec.target) for spec in specs], str(part)]
    return hashlib.sha256(_json(what).encode()).hexdigest()[:12]


def worker_differences(job: Job, wanted: WorkerInfo, info: WorkerInfo) -> str:
    """Say how a worker's versions differ from those that the sweep began with; empty if they do not."""
    kind = job.sweep_kind()
    return "; ".join(differences(header_of(kind, wanted, ""), header_of(kind, info, "")))


def differences(old: Header, new: Header) -> list[str]:
    """List the differences that forbid merging the results of two sweeps, one line each."""
    was, now = dict(_identity(old)), dict(_identity(new))
    names = sorted({*was, *now})
    return [f"{n}: {was.get(n, '-')} -> {now.get(n, '-')}" for n in names if was.get(n) != now.get(n)]


def _identity(head: Header) -> Iterator[tuple[str, str]]:
    there = head.environment
    for name in ("suite", "profile", "seed"):
        yield name, str(getattr(head, name))
    for name in ("python", "platform", "cpu", "blas"):
        yield name, getattr(there, name)
    yield from _named("package", there.packages)
    yield from _named("variable", there.variables)
    yield from ((f"adapter {one.name}", f"{one.about}, {', '.join(one.dtypes)}") for one in head.adapters)
    if head.sweep is not None:
        yield "kind", head.sweep.sweep_kind
        yield "shards", str(head.sweep.of)
        yield "known differences", head.sweep.known
        yield from _named("setting", head.sweep.settings)


def _named(what: str, values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    return ((f"{what} {name}", value) for name, value in values.items())


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
