"""Which releases of a framework a run is about: a range of those in the package index, or a list."""

from __future__ import annotations

import subprocess
import sys
from typing import Final

from packaging.version import InvalidVersion, Version

from crosscheck.errors import UserError

LATEST: Final = "latest"
SECONDS: Final = 120.0  # for the package index to answer
FORM: Final = "write 0.8.0..0.10.2, 0.8.0..latest, or releases with commas between"


class ReleasesError(UserError):
    """The releases cannot be listed or chosen; the message is one line."""


def chosen(framework: str, text: str, python: str = sys.executable) -> list[str]:
    """Return the releases that a text names, the oldest first, each once.

    Args:
        framework: the name of the package.
        text: ``0.8.0..0.10.2`` or ``0.8.0..latest``, both ends included and pre-releases left out; or
            releases with commas between, which the index is not asked for unless one is ``latest``.
        python: the interpreter that the releases are for.

    Raises:
        ReleasesError: the text has another form, the index cannot be read, or has no such release.
    """
    first, dots, last = (word.strip() for word in text.partition(".."))
    if not dots:
        words = [word.strip() for word in text.split(",")]
        named = {max(released(framework, python)) if word == LATEST else _version(word) for word in words}
        return [str(each) for each in sorted(named)]
    low, high = _version(first), None if last == LATEST else _version(last)
    every = released(framework, python)
    found = [each for each in every if low <= each and (high is None or each <= high)]
    if not found:
        raise ReleasesError(
            f"{framework} has no release in {text} for {python}; the index has {every[0]} to {every[-1]}"
        )
    return [str(each) for each in found]


def _version(word: str) -> Version:
    try:
        return Version(word)
    except InvalidVersion:
        raise ReleasesError(f"{word!r} is no release; {FORM}") from None


def released(framework: str, python: str = sys.executable) -> list[Version]:
    """Return the releases in the package index that have a file for an interpreter, the oldest first.

    Raises:
        ReleasesError: the index cannot be read or has none.
    """
    command = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check"]
    try:
        asked = subprocess.run(  # noqa: S603, the user's own interpreter
            [*command, "index", "versions", framework],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ReleasesError(f"the package index gave no answer within {SECONDS:g} s") from None
    _, there, listed = asked.stdout.partition("Available versions:")
    every = [Version(word.strip()) for word in listed.partition("\n")[0].split(",")] if there else []
    if not every:
        said = asked.stderr.strip().splitlines() or ["it has none"]
        raise ReleasesError(f"the package index does not list {framework}: {said[-1]}")
    return sorted(each for each in every if not each.is_prerelease)
