"""The process of a mode ends where it is known to: what the plan of the matrix leaves out for that."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.version import Version

from adapters import NAMED
from adapters.errors import AdapterCrashed
from adapters.modes import parse as parse_mode
from crosscheck.inputs import parse
from crosscheck.judging.judge import Judge
from crosscheck.plans.items import combined_items, named_items
from tools.findings.releases import ABORTS, outcome

FIRST, LAST = Version("0.8.2"), Version("0.12.0.1")  # the releases of JAX that were seen to abort


def test_jax_still_aborts_on_a_stack_of_six_axes(frameworks: frozenset[str], tmp_path: Path) -> None:
    if "jax" not in frameworks:
        pytest.skip("jax is not in this run")
    if not FIRST <= Version(version("jax")) <= LAST:
        pytest.skip("nobody has seen this release abort")
    found = outcome(ABORTS, Judge(parse(ABORTS.case).problem()), sys.executable, tmp_path)
    assert isinstance(found.failure, AdapterCrashed)
    assert "SIGABRT" in str(found.failure)


def test_no_mode_of_the_plan_gets_what_aborts_it() -> None:
    shape = parse(ABORTS.case).shape
    for item in (*named_items(NAMED, thorough=True), *combined_items(thorough=True)):
        mode = parse_mode(item.mode)
        if mode.framework == "jax" and mode.threads > 1 and "W" in mode.closed:
            assert shape not in [case.shape for case in item.cases], item.mode
