"""No number without its reason: the literals of bounds and judge against the list in docs/accuracy.md.

The table under "Sources of the constants" has a row for a literal with the files it stands in. A literal is
an integer or a float in the syntax tree, its minus sign included. One kind is exempt: an integer inside
square brackets, which picks an element or an axis and has no part in a result.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMES = (
    "units",
    "product",
    "bounds",
    "filter",
    "unjudged",
    "admissible",
    "nonfinite",
    "arithmetic",
    "exact",
    "state",
    "gradient",
)
FILES = (*(f"reference/{name}.py" for name in NAMES), "crosscheck/judging/judge.py")
HEADING = "## Sources of the constants"


def literals(source: str) -> set[str]:
    """The numeric literals of a source, as Python prints them."""
    tree = ast.parse(source)
    indices = {id(n) for s in ast.walk(tree) if isinstance(s, ast.Subscript) for n in ast.walk(s.slice)}
    signs = (n for n in ast.walk(tree) if isinstance(n, ast.UnaryOp) and isinstance(n.op, ast.USub))
    negated = {id(sign.operand) for sign in signs}
    found = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or type(node.value) not in (int, float):
            continue
        if isinstance(node.value, float) or id(node) not in indices:
            found.add(f"{'-' if id(node) in negated else ''}{node.value!r}")
    return found


def table(text: str) -> set[tuple[str, str]]:
    """The pairs of literal and file in the table; every row must give a reason."""
    section = text.split(HEADING, 1)[1].split("\n## ", 1)[0]
    pairs: set[tuple[str, str]] = set()
    for row in re.findall(r"^\| `.*\|$", section, re.MULTILINE):
        literal, files, reason = (cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1])
        assert reason, f"no reason for {literal}"
        new = {(literal.strip("`"), name.strip("` ")) for name in files.split(",")}
        assert not new & pairs, f"a second row for {literal}"
        pairs |= new
    return pairs


def differences(sources: dict[str, str], text: str) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """Literals without a row, and rows without a literal."""
    found = {(literal, name) for name, source in sources.items() for literal in literals(source)}
    listed = table(text)
    return found - listed, listed - found


@pytest.fixture
def document() -> str:
    return (ROOT / "docs" / "accuracy.md").read_text(encoding="utf-8")


@pytest.fixture
def sources() -> dict[str, str]:
    return {name: (ROOT / name).read_text(encoding="utf-8") for name in FILES}


def test_every_number_of_bounds_and_judge_has_its_reason(document: str, sources: dict[str, str]) -> None:
    missing, stale = differences(sources, document)
    assert not missing, f"no row in docs/accuracy.md for {sorted(missing)}"
    assert not stale, f"rows in docs/accuracy.md that match nothing: {sorted(stale)}"


@pytest.mark.parametrize(
    ("planted", "literal"),
    [("slack = 1e-6", "1e-06"), ("x = y * 1.0625", "1.0625"), ("f(a, -3)", "-3"), ("A[B * 0.75]", "0.75")],
)
def test_a_planted_number_is_found(
    document: str, sources: dict[str, str], planted: str, literal: str
) -> None:
    name = "crosscheck/judging/judge.py"
    missing, _ = differences({**sources, name: f"{sources[name]}\n{planted}\n"}, document)
    assert missing == {(literal, name)}


def test_a_row_that_matches_no_number_any_more_is_found(document: str, sources: dict[str, str]) -> None:
    stale = ("123", "reference/units.py")
    planted = document.replace(HEADING, f"{HEADING}\n\n| `123` | `reference/units.py` | left behind |\n", 1)
    assert differences(sources, planted)[1] == {stale}


def test_an_integer_in_brackets_is_an_index_and_a_float_is_not() -> None:
    assert literals("A[..., 0] + A[1:, -2] + B[0.5]") == {"0.5"}
