"""Two versions of JAX, each under an interpreter of its own: what is a known difference was right before.

Run by ``make older-jax``.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from known_entries import here

from adapters import spec_of
from adapters.modes import parse
from adapters.process_adapter import ProcessAdapter
from adapters.process_options import ProcessOptions
from crosscheck.judging.evaluation import Outcome, evaluate_and_judge
from crosscheck.judging.judge import Judge
from crosscheck.results.known import KnownDifferences
from crosscheck.results.known_entry import Difference

VARIABLE = "CROSSCHECK_OLD_JAX_PYTHON"
BUGS = [
    entry for entry in KnownDifferences.shipped().entries if entry.framework == "jax" and entry.kind == "bug"
]


@pytest.mark.skipif(not os.environ.get(VARIABLE), reason=f"{VARIABLE} is not set; see make older-jax")
@pytest.mark.parametrize("entry", BUGS, ids=lambda entry: entry.name)
def test_what_jax_gets_wrong_it_got_right_one_release_earlier(entry: Difference, tmp_path: Path) -> None:
    here(entry)
    judge = Judge(entry.source.problem())
    new, old = (outcome(entry, judge, python, tmp_path) for python in (sys.executable, os.environ[VARIABLE]))
    print(*(f"\n{entry.name}: {one_line(entry, judge, each)}" for each in (old, new)))  # noqa: T201, make shows it
    assert old.disagreeing == ()
    assert new.disagreeing == (entry.output,)


def outcome(entry: Difference, judge: Judge, python: str, journal: Path) -> Outcome:
    """The entry's adapter on its case, under an interpreter."""
    with ProcessAdapter.start(spec_of(parse(entry.mode)).under(python), ProcessOptions(journal)) as adapter:
        return evaluate_and_judge(adapter, judge)


def one_line(entry: Difference, judge: Judge, outcome: Outcome) -> str:
    """Version and value, and how many elements lie outside their sets."""
    got = np.asarray(getattr(outcome.outputs, entry.output)).astype(np.float64)
    outside = int((~outcome.judgements[entry.output].admissible).sum())
    where = f"{entry.output}{list(entry.index)} of {entry.case} under {entry.mode}"
    found = f"{where}: {float(got[entry.index]).hex()}, exact {entry.exact}; {outside} of {got.size} outside"
    return f"jax {outcome.description.version}: {found} ({judge.format.name})"
