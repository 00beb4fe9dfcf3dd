"""The process that computes shards: ``python -m adapters.start crosscheck.sweep.worker ...``.

Its arguments are the job and file descriptors. It uses the protocol of `adapters.worker`, and writes the
result of a shard to the file of results. It computes with one thread. Most adapters run in this process;
`_needs_process` tells which run in another one. After a failure the client sends no more requests.
"""

from __future__ import annotations

import dataclasses
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import msgspec

from adapters import AdapterCrashed, AdapterError, AdapterMisbehaved, Spec, load, load_outside
from adapters.errors import NoAnswer, one_line
from adapters.instructions import NATIVE
from adapters.journal import write_all
from adapters.process_options import ProcessOptions
from adapters.worker import LEAK, Channel, flushes
from crosscheck.judging.evaluation import CheckedAdapter, InProcessAdapter, check_unique_names
from crosscheck.pool import AdapterPool
from crosscheck.results.environment import environment, suite
from crosscheck.results.lines import CellLine
from crosscheck.sweep.job import (
    Answer,
    Done,
    Failed,
    Job,
    Refused,
    ShardResult,
    WorkerInfo,
    digest_of_known,
    encode,
    read_job,
)
from reference.types import Array


class FlushChecked(InProcessAdapter):
    """An adapter in this process, which is checked not to change the processor's flush-to-zero state."""

    def _call(self, function: Callable[..., Any], X: Array, y: Array, W: Array) -> Any:
        try:
            return super()._call(function, X, y, W)
        finally:  # also after a call that raised
            if flushes():
                raise AdapterMisbehaved(self.description.name, LEAK)


class ShardRunner:
    """An object that computes shards of one kind of sweep, with adapters that are loaded once.

    Attributes:
        adapters: all adapters, by the name of their spec.

    Raises:
        AdapterError: an adapter cannot be loaded, or two adapters have the same name.
        AdapterCrashed: an adapter in a process of its own crashed while it was loaded.
    """

    def __init__(self, job: Job, stack: ExitStack) -> None:
        """Load the adapters; the stack ends the processes of those that need one of their own."""
        self._kind = job.sweep_kind()
        self._specs, self._options = job.specs, job.process_options
        outside = stack.enter_context(_processes(filter(_needs_process, job.specs), self._options))
        self.adapters = {spec.name: outside.get(spec.name) or _loaded(spec) for spec in job.specs}
        check_unique_names(adapter.description for adapter in self.adapters.values())

    def info(self) -> WorkerInfo:
        """Return the versions and adapters, which the client checks before the first shard."""
        said = {name: adapter.description for name, adapter in self.adapters.items()}
        return WorkerInfo(
            suite=suite(),
            known=digest_of_known(),
            environment=environment(),
            descriptions={name: dataclasses.asdict(each) for name, each in said.items()},
        )

    def run(self, shard: int, *, careful: bool) -> ShardResult:
        """Compute a shard, and return its result.

        Args:
            shard: the number of the shard.
            careful: whether no adapter runs in this process, so that one that fails harms no other.
        """
        if not careful:
            return self._kind.run(shard, self.adapters)
        with _processes(self._specs, self._options) as adapters:
            return self._kind.run(shard, adapters, careful=True)


def _needs_process(spec: Spec) -> bool:
    """Whether the adapter needs properties of a process that a worker does not have."""
    return (spec.threads, spec.devices, spec.python, spec.isa, spec.variables) != (1, 1, None, NATIVE, ())


@contextmanager
def _processes(specs: Iterable[Spec], options: ProcessOptions) -> Iterator[Mapping[str, CheckedAdapter]]:
    """Start processes with these adapters; raise the first crash of one that is loaded."""
    with AdapterPool.start(list(specs), options, shared=True) as pool:
        for crash in pool.crashed.values():
            raise crash
        yield pool.adapters


def _loaded(spec: Spec) -> CheckedAdapter:
    """Load an adapter in this process."""
    found = FlushChecked(load_outside(spec.target) if ":" in spec.target else load(spec.target))
    if flushes():
        raise AdapterError(f"loading {spec.target} {LEAK}")
    return found


def answer(runner: ShardRunner, request: Mapping[str, Any], results: int) -> dict[str, Any]:
    """Compute a shard, and write its result, or the reason why there is none, to the file of results."""
    try:
        found = runner.run(request["shard"], careful=request["careful"])
        cells = tuple(CellLine(cell=cell, summary=summary) for cell, summary in found.cells.items())
        result: Answer = Done(cells=cells, faults=tuple(found.faults), answers=found.answers)
    except (AdapterMisbehaved, AdapterCrashed) as error:
        result = Failed(who=error.adapter, what=_about(error), late=isinstance(error, NoAnswer))
    except Exception as error:  # noqa: BLE001, the client reports it, in most cases as an error of the suite
        traceback.print_exc()
        result = Refused.of(error)
    return {"bytes": write_all(results, [encode(result)])}


def _about(error: AdapterMisbehaved | AdapterCrashed) -> str:
    """Return the text of the error with its notes, which name the case."""
    return "; ".join([one_line(error), *getattr(error, "__notes__", ())])


def main(arguments: Sequence[str]) -> None:
    """Load everything, report the versions, and compute shards until the client closes the pipe."""
    job, *descriptors = arguments
    channel = Channel(descriptors)
    with ExitStack() as stack:
        try:
            runner = ShardRunner(read_job(job.encode()), stack)
        except (AdapterError, AdapterCrashed) as error:
            traceback.print_exc()
            channel.send({"refused": msgspec.to_builtins(Refused.of(AdapterError(str(error))))})
            return
        info = msgspec.to_builtins(runner.info())
        channel.serve({"info": info}, lambda request: answer(runner, request, channel.results))
