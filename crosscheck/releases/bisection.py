"""`crosscheck releases --bisect`: the first release in which an adapter is wrong on one case."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Sequence
from typing import Final

from adapters import AdapterError, Spec
from adapters.process_options import ProcessOptions
from crosscheck.check import check, check_exit_code
from crosscheck.console import console_for, say
from crosscheck.exit_codes import ExitCode
from crosscheck.releases.environments import ReleaseEnvironment
from crosscheck.releases.versions import ReleasesError

# What a release is, by the exit code of `check --bisect`.
WORDS: Final = {0: "right", 1: "wrong", 125: "not judged"}


def bisect_and_show(
    source: str,
    environments: Sequence[ReleaseEnvironment],
    specs_under: Callable[[str], Sequence[Spec]],
    options: ProcessOptions,
) -> int:
    """Print the first release that differs from the first one on a case, and return the exit code.

    It is 1 if that release is wrong, 0 if it is right after wrong ones, and 125 if the first and the last
    release do not differ. One change between them is assumed. A release that cannot be judged is left out.

    Args:
        source: the case, or the file of one.
        environments: those of the releases, the oldest first.
        specs_under: the specifications of the adapters under an interpreter.
        options: the journal's directory, the time limits, the environment and the turns.

    Raises:
        CaseError: the source is neither a case nor a usable file.
        JournalError: the journal cannot be written.
    """
    console = console_for(terminal=sys.stdout.isatty())
    tried: dict[int, int] = {}

    def ask(place: int) -> int:
        if place not in tried:
            environment, why = environments[place], ""
            try:
                environment.make()
                found = check(source, specs_under(environment.python), options, quietly=True)
                tried[place] = check_exit_code(found, bisect=True)
            except (ReleasesError, AdapterError) as reason:
                tried[place], why = ExitCode.CANNOT_BE_JUDGED, f": {reason}"
            say(console, f"{environment.framework} {environment.release}: {WORDS[tried[place]]}{why}")
        return tried[place]

    places = range(len(environments))
    low = next((place for place in places if ask(place) != ExitCode.CANNOT_BE_JUDGED), None)
    high = next((place for place in reversed(places) if ask(place) != ExitCode.CANNOT_BE_JUDGED), None)
    if low is None or high is None or tried[low] == tried[high]:
        say(console, "The first and the last release that can be judged do not differ: nothing to search.")
        return ExitCode.CANNOT_BE_JUDGED
    while (place := _between(low, high, tried)) is not None:
        if ask(place) == tried[low]:
            low = place
        elif tried[place] == tried[high]:
            high = place
    first, before = environments[high], environments[low]
    say(
        console,
        f"{first.framework} {first.release} is the first that is {WORDS[tried[high]]}, {before.release} is"
        f" {WORDS[tried[low]]}; {len(tried)} of {len(environments)} releases were tried.",
    )
    return tried[high]


def _between(low: int, high: int, tried: Collection[int]) -> int | None:
    """Return the place nearest to the middle of two that was not tried; None if there is none."""
    left = [place for place in range(low + 1, high) if place not in tried]
    return min(left, key=lambda place: abs(2 * place - low - high), default=None)
