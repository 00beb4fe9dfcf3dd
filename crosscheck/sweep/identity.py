"""What makes two parts of a sweep parts of one: lane, adapters and environment."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from adapters import Spec
from adapters.protocol import Description
from crosscheck.known.record import SHIPPED
from crosscheck.ledger import Header, Sweep
from crosscheck.ledger.making import header
from crosscheck.sweep.lane import Lane
from crosscheck.sweep.messages import Job, Told
from crosscheck.sweep.numbers import Slice


def settings(lane: Lane) -> dict[str, Any]:
    """What the lane is made of, in what JSON has."""
    found: dict[str, Any] = msgspec.to_builtins(lane)
    return found


def digest_of_known() -> str:
    """Of the record of known differences, which explains some of what shards find."""
    return hashlib.sha256(SHIPPED.read_bytes()).hexdigest()


def header_of(lane: Lane, told: Told, command: str) -> Header:
    """The header of a sweep that begins now, without shards; all workers are like the one that told."""
    said = {name: Description.of_plain(plain) for name, plain in told.descriptions.items()}
    whole = Sweep(
        lane=lane.profile,
        settings={name: _json(value) for name, value in settings(lane).items()},
        known=told.known,
        of=len(lane),
        shards="",
        aside="",
    )
    head = header(lane.profile, lane.seed, said, command)
    return replace(head, suite=told.suite, environment=told.environment, sweep=whole)


def short_digest(lane: Lane, specs: list[Spec], part: Slice) -> str:
    """A name for what is swept, versions apart: those may change, and the store shall say so."""
    what = [lane.profile, settings(lane), [(spec.name, spec.target) for spec in specs], str(part)]
    return hashlib.sha256(_json(what).encode()).hexdigest()[:12]


def told_apart(job: Job, wanted: Told, told: Told) -> str:
    """In what a worker differs from those that a sweep began with."""
    lane = job.made()
    return "; ".join(differences(header_of(lane, wanted, ""), header_of(lane, told, "")))


def differences(old: Header, new: Header) -> list[str]:
    """What keeps results of the one from being merged with those of the other, a line each."""
    was, now = dict(_facts(old)), dict(_facts(new))
    names = sorted({*was, *now})
    return [f"{n}: {was.get(n, '-')} -> {now.get(n, '-')}" for n in names if was.get(n) != now.get(n)]


def _facts(head: Header) -> Iterator[tuple[str, str]]:
    there = head.environment
    for name in ("suite", "profile", "seed"):
        yield name, str(getattr(head, name))
    for name in ("python", "platform", "cpu", "blas"):
        yield name, getattr(there, name)
    yield from _named("package", there.packages)
    yield from _named("variable", there.variables)
    yield from ((f"adapter {one.name}", f"{one.about}, {', '.join(one.dtypes)}") for one in head.adapters)
    if head.sweep is not None:
        yield "lane", head.sweep.lane
        yield "shards", str(head.sweep.of)
        yield "known differences", head.sweep.known
        yield from _named("setting", head.sweep.settings)


def _named(what: str, facts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    return ((f"{what} {name}", value) for name, value in facts.items())


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
