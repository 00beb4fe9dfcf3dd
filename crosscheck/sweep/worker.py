"""The process that computes shards: ``python -m adapters.start crosscheck.sweep.worker ...``.

Its arguments are the job and file descriptors. It uses the protocol of `adapters.worker`, and writes the
result of a shard to the file of results. It computes with one thread. Most adapters run in this process;
those that need threads, devices, an instruction set or an interpreter of their own run in another one. After
a failure the client sends no more requests.
"""

from __future__ import annotations

import dataclasses
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from adapters import AdapterCrashed, AdapterError, AdapterMisbehaved, Spec, load, load_outside
from adapters.errors import NoAnswer, one_line
from adapters.instructions import NATIVE
from adapters.journal import write_all
from adapters.worker import LEAK, Channel, flushes
from crosscheck.evaluation import CheckedAdapter, InProcessAdapter, check_unique_names
from crosscheck.hosts import WorkerProcesses
from crosscheck.results.environment import environment, suite
from crosscheck.results.lines import CellLine
from crosscheck.sweep.identity import digest_of_known
from crosscheck.sweep.kind import ShardResult
from crosscheck.sweep.messages import Answer, Done, Failed, Job, Refused, WorkerInfo, encode, read_job
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

    def __init__(self, job: Job) -> None:
        self._kind = job.sweep_kind()
        self._specs = job.specs
        self._options = job.process_options
        self._processes = WorkerProcesses(self._options)
        self.adapters = {spec.name: self._load_adapter(spec) for spec in job.specs}
        check_unique_names(adapter.description for adapter in self.adapters.values())

    def _load_adapter(self, spec: Spec) -> CheckedAdapter:
        if (spec.threads, spec.devices, spec.python, spec.isa) != (1, 1, None, NATIVE):
            return self._processes.adapter(spec)
        found = FlushChecked(load_outside(spec.target) if ":" in spec.target else load(spec.target))
        if flushes():
            raise AdapterError(f"loading {spec.target} {LEAK}")
        return found

    def info(self) -> WorkerInfo:
        """Return the versions and adapters, which the client checks before the first shard."""
        said = {name: adapter.description for name, adapter in self.adapters.items()}
        return WorkerInfo(
            suite=suite(),
            known=digest_of_known(),
            environment=environment(),
            descriptions={name: dataclasses.asdict(each) for name, each in said.items()},
        )

    def close(self) -> None:
        """End the processes of the adapters that have one of their own."""
        self._processes.close()

    def run(self, shard: int, *, careful: bool) -> ShardResult:
        """Compute a shard, and return its result.

        Args:
            shard: the number of the shard.
            careful: whether every adapter runs in a process of its own, so that one that crashes is named.
        """
        if not careful:
            return self._kind.run(shard, self.adapters)
        with WorkerProcesses(self._options) as processes:
            return self._kind.run(shard, {spec.name: processes.adapter(spec) for spec in self._specs})


def answer(runner: ShardRunner, request: Mapping[str, Any], results: int) -> dict[str, Any]:
    """Compute a shard, and write its result, or the reason why there is none, to the file of results."""
    try:
        found = runner.run(request["shard"], careful=request["careful"])
        cells = tuple(CellLine(cell=cell, summary=summary) for cell, summary in found.cells.items())
        result: Answer = Done(cells=cells, faults=tuple(found.faults))
    except (AdapterMisbehaved, AdapterCrashed) as error:
        result = Failed(who=error.adapter, what=_about(error), late=isinstance(error, NoAnswer))
    except Exception as error:  # noqa: BLE001, the client reports it, in most cases as an error of the suite
        traceback.print_exc()
        result = Refused.of(error)
    return {"bytes": write_all(results, [encode(result)])}


def _about(error: AdapterMisbehaved | AdapterCrashed) -> str:
    """Return the text of the error with its notes, which name the case."""
    return "; ".join([one_line(error), *getattr(error, "__notes__", ())])


def load_runner(job: str) -> tuple[ShardRunner | None, dict[str, Any]]:
    """Load everything; the message to the client has the versions, or the reason for a failure."""
    try:
        runner = ShardRunner(read_job(job.encode()))
        return runner, {"info": msgspec.to_builtins(runner.info())}
    except (AdapterError, AdapterCrashed) as error:
        traceback.print_exc()
        return None, {"refused": msgspec.to_builtins(Refused.of(AdapterError(str(error))))}


def main(arguments: Sequence[str]) -> None:
    """Load everything, report the versions, and compute shards until the client closes the pipe."""
    job, *descriptors = arguments
    channel = Channel(descriptors)
    runner, said = load_runner(job)
    if runner is None:
        channel.send(said)
        return
    channel.serve(said, lambda request: answer(runner, request, channel.results))
    runner.close()
