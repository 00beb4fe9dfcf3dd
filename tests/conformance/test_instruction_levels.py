"""Instruction sets: a level changes no verdict on a framework."""

from __future__ import annotations

import pytest
from hypothesis import settings
from levels import levels, needs
from machine_modes import AT_LEVELS

from adapters import spec_of
from adapters.modes import parse
from crosscheck.cases import Case
from crosscheck.matrix.shapes import DOCUMENT
from crosscheck.matrix_run import MatrixRun
from reference.formats import FORMATS

CASE = Case("ordinary", 3, (64, 1, 3, 1), dtype="float32")

# What frameworks get wrong at some level; docs/findings.md has the smallest case of each.
FAULTS = {
    ("jax", "sse42", "float16"): "jaxlib cannot compile float16 for a CPU without F16C",
    ("torch", "avx512", "bfloat16"): "oneDNN pads odd inner lengths: inf times 0 is NaN without AVX512-BF16",
}


@pytest.mark.parametrize("level", levels(all_quick=True))
def test_numpy_agrees_at_each_level(level: str, matrix: MatrixRun) -> None:
    spec = spec_of(parse(f"numpy-{level}"))
    outcome, known_match = matrix.add(spec, CASE)
    assert known_match.is_green, matrix.failure_message(spec, CASE, outcome)


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("name", [pytest.param(name, marks=needs(parse(name).isa)) for name in AT_LEVELS])
def test_a_level_changes_no_verdict(
    name: str, dtype: str, matrix: MatrixRun, frameworks: frozenset[str]
) -> None:
    if settings.get_current_profile_name() != "nightly":
        pytest.skip("--profile nightly runs it")
    mode = parse(name)
    if mode.framework not in frameworks:
        pytest.skip(f"{mode.framework} is not in this run")
    spec, plain = spec_of(mode), spec_of(parse(name.removesuffix(f"-{mode.isa}")))
    for shape in (DOCUMENT[0], (256, 7, 3, 2), (16, 33, 17, 3), (10, 4097, 3, 1)):
        case = Case("mixed", 0, shape, dtype=dtype)
        outcome, known_match = matrix.add(spec, case)
        if not known_match.is_green and (fault := FAULTS.get((mode.framework, mode.isa, dtype))):
            pytest.xfail(fault)
        assert known_match.is_green, matrix.failure_message(spec, case, outcome)
        want, _ = matrix.add(plain, case)
        assert {n: j.verdict for n, j in outcome.judgements.items()} == {
            n: j.verdict for n, j in want.judgements.items()
        }
