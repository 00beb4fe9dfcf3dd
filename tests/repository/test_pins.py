"""The pins: one for each interpreter, within the ranges; to renew one's own leaves the others alone."""

from __future__ import annotations

import runpy
import tomllib
from collections.abc import Callable
from typing import Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pytest_runs import ROOT

PROJECT: Final = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
INTERPRETERS: Final = [
    each.rpartition(" ")[2]
    for each in PROJECT["classifiers"]
    if each.startswith("Programming Language :: Python :: 3.")
]
PINS: Final = [
    Requirement(line)
    for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    if not line.startswith("#")
]
FILE: Final = """# what the lines are
both==1
gone==1
mine==1 ; python_version >= "3.11"
theirs==1 ; python_version < "3.11"
mine==0 ; python_version < "3.11"
"""

Renewed = Callable[[list[str], dict[str, str]], list[str]]


@pytest.fixture(scope="module")
def renewed() -> Renewed:
    found: Renewed = runpy.run_path(str(ROOT / "tools" / "pins.py"))["renewed"]
    return found


def required() -> list[Requirement]:
    """All that the package and its extras ask for."""
    extras = PROJECT["optional-dependencies"].values()
    lines = [*PROJECT["dependencies"], *(line for extra in extras for line in extra)]
    return [each for each in map(Requirement, lines) if each.name != PROJECT["name"]]


@pytest.mark.parametrize("interpreter", INTERPRETERS)
def test_an_interpreter_has_one_pin_of_everything_within_its_range(interpreter: str) -> None:
    here = {"python_version": interpreter, "python_full_version": f"{interpreter}.0"}
    pins = [pin for pin in PINS if pin.marker is None or pin.marker.evaluate(here)]
    versions = {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in pins}
    assert len(versions) == len(pins)
    for each in required():
        assert versions[canonicalize_name(each.name)] in each.specifier, each


def test_renewing_changes_the_lines_of_this_interpreter_only(renewed: Renewed) -> None:
    versions = {"Both": "2", "mine": "2", "new": "2"}
    assert renewed(FILE.splitlines(), versions) == [
        "# what the lines are",
        "both==2",
        'mine==0 ; python_version < "3.11"',
        'mine==2 ; python_version >= "3.11"',
        "new==2",
        'theirs==1 ; python_version < "3.11"',
    ]


def test_renewing_with_what_is_pinned_changes_nothing(renewed: Renewed) -> None:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    versions = {
        pin.name: str(pin.specifier).removeprefix("==")
        for pin in PINS
        if pin.marker is None or pin.marker.evaluate()
    }
    assert renewed(lines, versions) == lines
