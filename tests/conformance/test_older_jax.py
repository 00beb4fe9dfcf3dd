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

from crosscheck.judging.evaluation import Outcome
from crosscheck.judging.judge import Judge
from crosscheck.results.known import KnownDifferences
from crosscheck.results.known_entry import Difference
from tools.findings.releases import Fault, outcome

VARIABLE = "CROSSCHECK_OLD_JAX_PYTHON"
BUGS = [
    entry for entry in KnownDifferences.shipped().entries if entry.framework == "jax" and entry.kind == "bug"
]


@pytest.mark.skipif(not os.environ.get(VARIABLE), reason=f"{VARIABLE} is not set; see make older-jax")
@pytest.mark.parametrize("entry", BUGS, ids=lambda entry: entry.name)
def test_what_jax_gets_wrong_it_got_right_one_release_earlier(entry: Difference, tmp_path: Path) -> None:
    here(entry)
    judge, fault = Judge(entry.source.problem()), Fault(entry.case, entry.mode, entry.output)
    new, old = (outcome(fault, judge, python, tmp_path) for python in (sys.executable, os.environ[VARIABLE]))
    print(*(f"\n{entry.name}: {one_line(entry, judge, each)}" for each in (old, new)))  # noqa: T201, make shows it
    assert old.disagreeing == ()
    assert new.disagreeing == (entry.output,)


def one_line(entry: Difference, judge: Judge, outcome: Outcome) -> str:
    """Version and value, and how many elements lie outside their sets."""
    got = np.asarray(getattr(outcome.outputs, entry.output)).astype(np.float64)
    outside = int((~outcome.judgements[entry.output].admissible).sum())
    where = f"{entry.output}{list(entry.index)} of {entry.case} under {entry.mode}"
    found = f"{where}: {float(got[entry.index]).hex()}, exact {entry.exact}; {outside} of {got.size} outside"
    return f"jax {outcome.description.version}: {found} ({judge.format.name})"
