"""Known differences: where a released framework is wrong, how long that is accepted, and what proves it."""

from crosscheck.known.entry import Difference, Setting, Sighting
from crosscheck.known.match import KnownMatch, Match, by_regime, combine_matches
from crosscheck.known.record import KnownDifferences, KnownError

__all__ = [
    "Difference",
    "KnownDifferences",
    "KnownError",
    "KnownMatch",
    "Match",
    "Setting",
    "Sighting",
    "by_regime",
    "combine_matches",
]
