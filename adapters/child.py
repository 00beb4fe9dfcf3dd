"""A child process and the pipes to it: start it, send requests, limit its time, and end it in any state."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from adapters.errors import AdapterError

GRACE = 5.0  # seconds for a process whose pipe was closed, by either side, to end by itself
PAUSE = 0.002  # seconds between two checks of whether the process has ended
LONGEST_ANSWER = 1 << 20  # bytes; a greater length was not sent by the child: other code wrote into the pipe


class ChildLostError(Exception):
    """The child gave no answer; the message says how its process ended."""


class ChildLateError(ChildLostError):
    """The child gave no answer in time, and its process was ended.

    Attributes:
        seconds: how long the parent waited.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(f"gave no answer within {seconds:g} s")
        self.seconds = seconds


class Child:
    """One child process in a session of its own, so that Ctrl-C reaches only the parent.

    One thread may end the process while another waits for its answer; that answer is then lost.

    Attributes:
        results: the file through which the child returns arrays.
        alive: whether the child still takes requests; False once it has been ended.
    """

    def __init__(
        self,
        python: str,
        target: str,
        environment: Mapping[str, str],
        log: Path,
        module: str = "adapters.worker",
    ) -> None:
        """Start the process, without waiting for it.

        Args:
            python: the path of the interpreter.
            target: the first argument of the module; the arguments after it are file descriptors.
            environment: the complete environment of the process.
            log: the file that everything the process prints is appended to.
            module: the module that it executes; it answers on the descriptors as `adapters.worker` does.

        Raises:
            AdapterError: the interpreter cannot be started.
        """
        commands, self._commands = os.pipe()
        self._replies, replies = os.pipe()
        lifeline, self._lifeline = os.pipe()  # closed when this process ends, however it ends
        self._inbox = Connection(self._replies, writable=False)
        self._outbox = Connection(self._commands, readable=False)
        self.results = tempfile.TemporaryFile(dir=log.parent)  # noqa: SIM115, closed by `stop`
        theirs = (commands, replies, lifeline)
        numbers = map(str, (*theirs, self.results.fileno()))
        command = [python, "-m", "adapters.start", module, target, *numbers]
        try:
            self._process = _started(command, environment, (*theirs, self.results.fileno()), log)
        except OSError as error:
            self._release()
            raise AdapterError(f"cannot start the interpreter {python}: {error.strerror}") from error
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        self.alive = True
        self._busy = True  # until the child has sent its first message
        self._ending, self._using = threading.Lock(), threading.RLock()

    def ask(self, request: Mapping[str, Any] | None, timeout: float) -> dict[str, Any]:
        """Send the request, unless it is None, and wait at most `timeout` seconds for the answer.

        Raises:
            ChildLostError: there is no answer. The process, and all processes that it started, have ended.
            ChildLateError: the answer took longer than `timeout`; the processes have ended as well.
        """
        with self._using:
            answer = self._answer(request, timeout)
            self._busy = False
        return answer

    def _answer(self, request: Mapping[str, Any] | None, timeout: float) -> dict[str, Any]:
        self._busy = True
        try:
            if request is not None:
                self._outbox.send_bytes(json.dumps(request).encode())
            answer: dict[str, Any] | None = None
            if self._inbox.poll(timeout):
                answer = json.loads(self._inbox.recv_bytes(LONGEST_ANSWER))
        except (EOFError, OSError, ValueError):
            raise ChildLostError(self._how_it_ended()) from None
        except BaseException:  # Ctrl-C too: the next request would read the answer to this one
            self.stop()
            raise
        if answer is None:
            self.stop()
            raise ChildLateError(timeout)
        return answer

    def close(self) -> None:
        """Let the process end by itself, by closing its pipe; if it is computing, end it at once."""
        if self.alive and not self._busy:
            self._outbox.close()
            self._ends_by_itself()
        self.stop()

    def stop(self) -> None:
        """End the process at once, with every process of its session."""
        with self._ending:
            if not self.alive:
                return
            self.alive = False
            # Before the wait: until then the number is not given to another process, even if this one ended.
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        with self._using:  # a thread that waits for an answer returns first: descriptors may be reused
            self._release()

    def _release(self) -> None:
        self._inbox.close()
        self._outbox.close()
        self.results.close()
        os.close(self._lifeline)

    def _ends_by_itself(self) -> bool:
        until = time.monotonic() + GRACE
        with contextlib.suppress(ChildProcessError):  # another thread has already waited for the process
            while not os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG):
                if time.monotonic() > until:
                    return False
                time.sleep(PAUSE)
        return True

    def _how_it_ended(self) -> str:
        """Say how the process ended, after its pipe broke."""
        by_itself = self._ends_by_itself()
        self.stop()
        if not by_itself:
            return "closed its pipe or wrote into it"
        status = self._process.returncode
        return f"exited with status {status}" if status >= 0 else f"killed by signal {_signal(-status)}"


def _started(
    command: Sequence[str], environment: Mapping[str, str], descriptors: Sequence[int], log: Path
) -> subprocess.Popen[bytes]:
    with log.open("ab") as printed:
        return subprocess.Popen(  # noqa: S603, the caller's own choice of an interpreter
            command,
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
            env=environment,
            pass_fds=descriptors,
            start_new_session=True,
        )


def _signal(number: int) -> str:
    known = {member.value: member.name for member in signal.Signals}
    return f"{number} ({known[number]})" if number in known else str(number)
