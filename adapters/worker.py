"""The child's side of a worker process: ``python -m adapters.start adapters.worker <adapter> <descriptors>``.

The argument is the first adapter to load, a mode's name or ``package.module:object``; requests may load
others. It needs the standard library, NumPy, ml_dtypes and the adapter's framework. Requests and answers are
JSON on pipes of their own, so that printed output cannot mix with them; arrays go through files.
"""

from __future__ import annotations

import dataclasses
import faulthandler
import fcntl
import json
import math
import os
import select
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from adapters import compilation, load, load_outside
from adapters.errors import AdapterError, AdapterMisbehaved, one_line
from adapters.journal import read_into, write_all
from adapters.memory import BufferPool, Memory, contiguous_bytes, placed
from adapters.protocol import describe, outputs_of, present, traced_of
from adapters.repeated import (
    Calls,
    Named,
    check_memory,
    check_unchanged,
    evaluate_each,
    evaluate_parts,
)
from reference.formats import FORMATS
from reference.types import Array, Problem

TINY = np.full(1, np.finfo(np.float32).smallest_normal)
LONGEST = 2000  # characters of an exception's text that go into a message; the log has the whole text

LEAK = "left its process flushing subnormal numbers to zero, for everybody in it"

Reply = dict[str, Any]


def end_with_parent(lifeline: int) -> None:
    """Make the kernel end this process and its children when the parent's end of the pipe is closed.

    A waiting thread would not do: native code in an endless loop may never let another thread run. The parent
    made this process the leader of a group, and SIGIO ends a process by default.
    """
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpid())
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
    if select.select([lifeline], [], [], 0)[0]:  # the pipe was closed before SIGIO was set up
        sys.exit(1)


def flushes() -> bool:
    """Return whether this process flushes subnormal numbers to zero, which affects NumPy and Python too."""
    return not (TINY * np.float32(0.5)).any()


def read_problem(request: Mapping[str, Any], buffers: BufferPool) -> tuple[Problem, list[Array]]:
    """Read the problem from the journal into arrays with the parent's layout; return their raw bytes too."""
    dtype, at = FORMATS[request["dtype"]].dtype, request["at"]
    memories = {name: Memory(*stated) for name, stated in request["memory"].items()}
    arrays, originals = placed(buffers, memories, request["together"], dtype), []
    file = os.open(request["journal"], os.O_RDONLY)
    try:
        for name, memory in memories.items():
            flat = buffers.get(f"bytes of {name}", math.prod(memory.shape) * dtype.itemsize)
            read_into(file, flat, at)
            arrays[name][...] = flat.view(dtype).reshape(memory.shape)
            arrays[name].flags.writeable = memory.writeable
            originals.append(flat)
            at += flat.nbytes
    finally:
        os.close(file)
    return Problem(**arrays), originals


def called(adapter: Any, method: str, problem: Problem) -> dict[str, Array]:
    """Call a method of the adapter on the problem, and return its checked result.

    Raises:
        AdapterMisbehaved: the adapter raised, or returned an invalid result.
        NotImplementedError: the adapter raised it.
    """
    try:
        result = getattr(adapter, method)(*problem)
    except NotImplementedError:
        raise
    except Exception as error:  # the boundary to foreign code, which may raise anything
        traceback.print_exc()
        what = f"raised {type(error).__name__}: {one_line(error)[:LONGEST]}"
        raise AdapterMisbehaved(adapter.name, what) from error
    if method == "trace":
        return traced_of(adapter.name, result, problem)
    return present(outputs_of(adapter.name, result, problem))


def unless_it_leaks(kind: str, what: str, attempt: Callable[[], Reply]) -> Reply:
    """Return the attempt's answer, or an error if the attempt made the process flush subnormals to zero.

    Args:
        kind: the kind of the answer that reports this error.
        what: the beginning of its message; if the attempt itself failed, that message is added.
        attempt: calls the adapter, and returns the answer.
    """
    before = flushes()
    said = attempt()
    if before or not flushes():
        return said
    besides = f"; besides, {said['kind']}: {said['message']}" if "message" in said else ""
    return {"kind": kind, "message": f"{what}{LEAK}{besides}", "spoiled": True}


def called_once(adapter: Any, method: str, problem: Problem, originals: Sequence[Array]) -> Named:
    """Call a method of the adapter, and check the memory of what it returns; raise as `called` does."""
    found = called(adapter, method, problem)
    check_unchanged(adapter.name, problem, originals)
    check_memory(adapter.name, found, problem._asdict(), "its input")
    return found


def called_in_parts(adapter: Any, problem: Problem, originals: Sequence[Array], most: int) -> Named:
    """Call the adapter on so many networks of a stack at a time; raise as `called` does."""
    found = evaluate_parts(adapter.name, partial(called, adapter, "evaluate"), problem, most)
    check_unchanged(adapter.name, problem, originals)
    return found


def called_each(adapter: Any, problems: Problem, calls: Calls) -> Named:
    """Make several calls; return the arrays of each result, named by its call, its problem and the output."""
    results = evaluate_each(adapter.name, partial(called, adapter, "evaluate"), problems, calls)
    return {
        f"{place} {call} {problem} {name}": array
        for place, (call, problem, outputs) in enumerate(results)
        for name, array in outputs.items()
    }


def answer(adapter: Any, request: Mapping[str, Any], results: int, buffers: BufferPool) -> Reply:
    """Answer a call of the parent; its arrays are in the file `results` before the answer is returned."""
    try:
        problem, originals = read_problem(request, buffers)
        if "calls" in request:
            found = called_each(adapter, problem, Calls(*request["calls"]))
        elif "most" in request:
            found = called_in_parts(adapter, problem, originals, request["most"])
        else:
            found = called_once(adapter, request["method"], problem, originals)
        write_all(results, map(contiguous_bytes, found.values()))
    except NotImplementedError as error:
        return {"kind": "NotImplementedError", "message": str(error)}
    except AdapterMisbehaved as error:
        return {"kind": "AdapterMisbehaved", "message": error.what}
    except (OSError, EOFError) as error:
        return {"kind": "JournalError", "message": f"cannot exchange arrays with the child: {error}"}
    arrays = [[name, array.dtype.name, array.shape] for name, array in found.items()]
    return {"kind": "arrays", "arrays": arrays}


def loaded(target: str, adapters: dict[str, Any]) -> Reply:
    """Load another adapter; return its description as an answer, or the error."""
    try:
        adapter = load_outside(target) if ":" in target else load(target)
        said = dataclasses.asdict(describe(adapter))
    except AdapterError as error:
        traceback.print_exc()
        return {"kind": "AdapterError", "message": str(error)[:LONGEST]}
    adapters[target] = adapter
    return {"kind": "ready", "description": said, "compiled": compilation.folders()}


class Channel:
    """The child's end of the pipes, open as long as the parent runs.

    Attributes:
        results: the descriptor of the file for arrays and other long answers.
    """

    def __init__(self, descriptors: Sequence[str]) -> None:
        commands, replies, lifeline, self.results = map(int, descriptors)
        end_with_parent(lifeline)
        faulthandler.enable()
        self._inbox, self._outbox = Connection(commands, writable=False), Connection(replies, readable=False)

    def send(self, said: Reply) -> None:
        """Send a message to the parent as JSON."""
        self._outbox.send_bytes(json.dumps(said).encode())

    def serve(self, said: Reply, answer: Callable[[Mapping[str, Any]], Reply]) -> None:
        """Send a first message, then answer each request until the parent closes its pipe."""
        while True:
            self.send(said)
            try:
                request = json.loads(self._inbox.recv_bytes())
            except EOFError:
                return
            said = answer(request)


def main(arguments: Sequence[str]) -> None:
    """Load the first adapter, send its description, and answer requests until the parent closes the pipe."""
    target, *descriptors = arguments
    channel = Channel(descriptors)
    adapters: dict[str, Any] = {}
    buffers = BufferPool()

    def load_one(target: str) -> Reply:
        return unless_it_leaks("AdapterError", f"loading {target} ", lambda: loaded(target, adapters))

    def done(request: Mapping[str, Any]) -> Reply:
        if request["method"] == "load":
            return load_one(request["target"])
        adapter = adapters[request["target"]]
        attempt = partial(answer, adapter, request, channel.results, buffers)
        return unless_it_leaks("AdapterMisbehaved", "", attempt)

    channel.serve(load_one(target), done)
