"""The process that computes shards: ``python -m adapters.start crosscheck.sweep.worker ...``.

Its arguments are the job and descriptors. It speaks as `adapters.worker` does; the result of a shard goes
through the file of results. It computes with one thread, and most adapters run in it; those that want
threads, devices, an instruction set or an interpreter of their own do not. A client asks it for nothing more
after a failure.
"""

from __future__ import annotations

import dataclasses
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from adapters import AdapterDied, AdapterError, AdapterMisbehaved, Spec, load, load_outside
from adapters.errors import NoAnswer, one_line
from adapters.instructions import NATIVE
from adapters.journal import write_all
from adapters.worker import LEAK, Line, flushes
from crosscheck.hosts import Hosts
from crosscheck.ledger import CellRecord
from crosscheck.ledger.environment import environment
from crosscheck.ledger.making import by_class
from crosscheck.sweep.identity import digest_of_known
from crosscheck.sweep.lane import Found
from crosscheck.sweep.messages import Answer, Done, Failed, Job, Refused, Told, read_job, suite
from crosscheck.trial import Direct, Subject, tell_apart
from reference.types import Array


class Watched(Direct):
    """An adapter in this process that must leave the processor's flush state alone."""

    def _call(self, function: Callable[..., Any], X: Array, y: Array, W: Array) -> Any:
        try:
            return super()._call(function, X, y, W)
        finally:  # however the call ended
            if flushes():
                raise AdapterMisbehaved(self.description.name, LEAK)


class Station:
    """A lane and its adapters, loaded.

    Attributes:
        subjects: the adapters by the name of their spec.

    Raises:
        AdapterError: an adapter cannot be loaded, or two have one name.
        AdapterDied: one in a process of its own died while it was loaded.
    """

    def __init__(self, job: Job) -> None:
        self._lane = job.made()
        self._specs = job.specs
        self._conditions = job.conditions
        self._hosts = Hosts(self._conditions)
        self.subjects = {spec.name: self._subject(spec) for spec in job.specs}
        tell_apart(subject.description for subject in self.subjects.values())

    def _subject(self, spec: Spec) -> Subject:
        if (spec.threads, spec.devices, spec.python, spec.isa) != (1, 1, None, NATIVE):
            return self._hosts.subject(spec)
        found = Watched(load_outside(spec.target) if ":" in spec.target else load(spec.target))
        if flushes():
            raise AdapterError(f"loading {spec.target} {LEAK}")
        return found

    def told(self) -> Told:
        """What the client wants to know before the first shard."""
        said = {name: subject.description for name, subject in self.subjects.items()}
        return Told(
            suite=suite(),
            known=digest_of_known(),
            environment=environment(),
            descriptions={name: dataclasses.asdict(each) for name, each in said.items()},
        )

    def close(self) -> None:
        """End the processes of adapters that have one."""
        self._hosts.close()

    def run(self, shard: int, *, careful: bool) -> Found:
        """The result of a shard.

        Args:
            shard: its number.
            careful: with every adapter in a process of its own, so that one that dies is named.
        """
        if not careful:
            return self._lane.run(shard, self.subjects)
        with Hosts(self._conditions) as hosts:
            return self._lane.run(shard, {spec.name: hosts.subject(spec) for spec in self._specs})


def answer(station: Station, request: Mapping[str, Any], results: int) -> dict[str, Any]:
    """Compute a shard; its result, or why there is none, is in the file of results."""
    try:
        found = station.run(request["shard"], careful=request["careful"])
        cells = tuple(CellRecord.of(cell, summary) for cell, summary in by_class(found.cells).items())
        told: Answer = Done(cells=cells, faults=tuple(found.faults))
    except (AdapterMisbehaved, AdapterDied) as error:
        told = Failed(who=error.adapter, what=_about(error), late=isinstance(error, NoAnswer))
    except Exception as error:  # noqa: BLE001, the client says it, in most cases as an error of the suite
        traceback.print_exc()
        told = Refused.of(error)
    return {"bytes": write_all(results, [msgspec.json.encode(told)])}


def _about(error: AdapterMisbehaved | AdapterDied) -> str:
    """The error with its notes, which name the case."""
    return "; ".join([one_line(error), *getattr(error, "__notes__", ())])


def begun(job: str) -> tuple[Station | None, dict[str, Any]]:
    """Load everything, and say what it is or what is wrong with it."""
    try:
        station = Station(read_job(job.encode()))
        return station, {"told": msgspec.to_builtins(station.told())}
    except (AdapterError, AdapterDied) as error:
        traceback.print_exc()
        return None, {"refused": msgspec.to_builtins(Refused.of(AdapterError(str(error))))}


def main(arguments: Sequence[str]) -> None:
    """Load everything, say what it is, and compute shards until the client closes the pipe."""
    job, *descriptors = arguments
    line = Line(descriptors)
    station, said = begun(job)
    if station is None:
        line.say(said)
        return
    line.converse(said, lambda request: answer(station, request, line.results))
    station.close()
