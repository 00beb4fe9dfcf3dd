"""What can go wrong with an adapter: it cannot be used, it misbehaves on valid input, or it crashes."""

from __future__ import annotations

from pathlib import Path


def one_line(error: BaseException, silent: str = "no message") -> str:
    """Return the error's text on one line, with unprintable characters escaped; ``silent`` if it has none."""
    text = " ".join(str(error).split()) or silent
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class AdapterError(Exception):
    """An adapter that cannot be used: unknown, not installed, not importable, or incomplete."""


class AdapterMisbehaved(Exception):  # noqa: N818, a verdict on the adapter, not an error of the suite
    """An adapter broke the contract on valid input: it raised an exception, or returned an invalid result.

    Attributes:
        adapter: the adapter's name.
        what: what the adapter did, as a phrase that follows the name: ``raised ValueError: …``.
        journal: the file with the input, if a journal was kept.
    """

    def __init__(self, adapter: str, what: str, journal: Path | None = None) -> None:
        kept = "" if journal is None else f"; its input: {journal}"
        super().__init__(f"{adapter} {what}{kept}")
        self.adapter, self.what, self.journal = adapter, what, journal


class AdapterCrashed(Exception):  # noqa: N818, as above
    """The process of an adapter crashed, exited or, in the subclass `NoAnswer`, took too long and was ended.

    Attributes:
        adapter: the adapter's name.
        how: how the process ended: ``killed by signal 11 (SIGSEGV)`` or ``exited with status 0``.
        journal: the file with the input of that call; None if the process crashed before any call.
        log: the file with everything that the process printed.
    """

    def __init__(self, adapter: str, how: str, journal: Path | None, log: Path) -> None:
        kept = "before its first call" if journal is None else f"its input: {journal}"
        super().__init__(f"{adapter} {how}; {kept}; what it printed: {log}")
        self.adapter, self.how, self.journal, self.log = adapter, how, journal, log


class NoAnswer(AdapterCrashed):
    """An adapter gave no answer in time, twice: there is no verdict on it, since slowness is not a fault.

    Attributes:
        seconds: how long the parent waited at each of the two attempts.
        load: how busy the machine was after the second attempt.
    """

    def __init__(
        self, adapter: str, seconds: tuple[float, float], load: str, journal: Path | None, log: Path
    ) -> None:
        first, second = seconds
        again = f"nor within {second:g} s when tried once more alone ({load})"
        super().__init__(adapter, f"gave no answer within {first:g} s, {again}", journal, log)
        self.seconds, self.load = seconds, load


class JournalError(Exception):
    """The journal of the input could not be written, so the call was not made."""
