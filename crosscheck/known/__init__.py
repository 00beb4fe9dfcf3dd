"""Known differences: where a released framework is wrong, how long that is accepted, and the proof of it."""

from crosscheck.known.entry import Difference, Setting, Sighting
from crosscheck.known.explained import Cover, Explained, by_regime, explained
from crosscheck.known.proof import prove
from crosscheck.known.record import KnownDifferences, KnownError

__all__ = [
    "Cover",
    "Difference",
    "Explained",
    "KnownDifferences",
    "KnownError",
    "Setting",
    "Sighting",
    "by_regime",
    "explained",
    "prove",
]
