"""The same modes on other devices, where there is one; where there is none, they say so."""

from __future__ import annotations

from typing import Any

import pytest

from adapters import ON_DEVICES, spec_of
from adapters.modes import parse
from crosscheck.cases import Case
from crosscheck.matrix.hearing import Matrix
from crosscheck.matrix.shapes import DOCUMENT
from reference.formats import FORMATS


def of_process(name: str) -> Any:
    """The name, to be tried where its process is."""
    return pytest.param(name, marks=pytest.mark.xdist_group("-".join(map(str, spec_of(parse(name)).room))))


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("name", [of_process(name) for name in ON_DEVICES])
def test_a_mode_agrees_on_another_device(
    matrix: Matrix, frameworks: frozenset[str], name: str, dtype: str
) -> None:
    spec, case = spec_of(parse(name)), Case("mixed", 0, DOCUMENT[0], dtype=dtype)
    if spec.framework not in frameworks:
        pytest.skip(f"{spec.framework} is not in this run")
    try:
        matrix.hosts.subject(spec).evaluate(*case.problem())
    except NotImplementedError as reason:
        pytest.skip(str(reason))
    outcome, explained = matrix.hear(spec, case)
    assert explained.is_green, matrix.complaint(spec, case, outcome)
