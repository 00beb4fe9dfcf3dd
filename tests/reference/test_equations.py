"""Every equation of the document has its function and is held against the exact values' admissible sets.

A function of reference/network.py carries an equation if a line of it ends in the number, as in ``# (16)``.
FORMS says for each number what that function computes and of which quantity it is a form. The table of
docs/equations.md is made from both.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crosscheck.inputs import Case
from crosscheck.inputs.regimes import REGIMES
from reference import bounds, network
from reference.admissible import AdmissibleSet
from reference.arithmetic import Arithmetic, default_arithmetic
from reference.formats import FORMATS
from reference.types import Array, Problem

NUMBERS = ("10.1", "10.2", "10.3", *map(str, range(11, 21)))
SHAPES = ((64, 1, 3, 1), (16, 5, 4, 2))
Form = Callable[[Problem], Any]


def each_input(form: Callable[[int], Array], X: Array) -> Array:
    """The forms for w₁, w₂, ... one above the other, as the document stacks them."""
    return np.stack([form(i) for i in range(X.shape[-1])], axis=-2)


def y_hat(given: Problem) -> Array:
    return network.y_hat_of_product(given.X, given.W)


def per_unit(form: Callable[[int], Array], X: Array) -> Array:
    """∂ŷ/∂wᵢ divided by the last xᵢ, a power of two: ∂ŷ/∂z, without a further rounding."""
    return form(X.shape[-1] - 1) / X[..., :, -1, None]


FORMS: dict[str, tuple[str, Form]] = {
    "10.1": ("y_hat", lambda g: network.y_hat_of_product(g.X, g.W)),
    "10.2": ("y_hat", lambda g: network.y_hat_written_out(g.X, g.W)),
    "10.3": ("y_hat", lambda g: network.y_hat_by_components(g.X, g.W)),
    "11": ("grad", lambda g: network.gradient_vector(g.X, g.y, g.W)),
    "12": ("grad", lambda g: each_input(lambda i: network.dL_dw(g.X, g.y, g.W, i), g.X)),
    "13": ("dL_dyhat", lambda g: network.dL_dyhat(g.y, y_hat(g))),
    "14": ("dyhat_dz", lambda g: per_unit(lambda i: network.dyhat_dw_written_out(g.X, g.W, i), g.X)),
    "15": ("dyhat_dz", lambda g: per_unit(lambda i: network.dyhat_dw_by_sigma(g.X, g.W, i), g.X)),
    "16": ("dyhat_dz", lambda g: per_unit(lambda i: network.dyhat_dw(g.X, y_hat(g), i), g.X)),
    "17": ("grad", lambda g: each_input(lambda i: network.dL_dw_closed(g.X, g.y, y_hat(g), i), g.X)),
    "18": ("grad", lambda g: network.gradient_stacked(g.X, g.y, y_hat(g))),
    "19": ("grad", lambda g: network.gradient_factored(g.X, g.y, y_hat(g))),
    "20": ("delta", lambda g: network.delta(g.y, y_hat(g))),
}
UNNUMBERED: dict[str, tuple[str, Form]] = {
    "L": ("loss", lambda g: network.loss(g.y, y_hat(g))),
    "row": ("row_loss", lambda g: network.row_loss(g.y, y_hat(g))),
    "last": ("grad", lambda g: network.gradient(g.X, network.delta(g.y, y_hat(g)))),
}
ALL = FORMS | UNNUMBERED
PRODUCT_BEFORE_RESIDUAL = ("11", "12")  # they multiply ŷ(1−ŷ)·x before ∂L/∂ŷ, as forward mode does


def problems(regime: str, dtype: str) -> Iterator[Problem]:
    """Cases of the regime whose last input of each row is 2 or ½."""
    for shape in SHAPES:
        if not REGIMES[regime].unsupported(shape, FORMATS[dtype]):
            X, y, W = (np.array(a) for a in Case(regime, 11, shape, dtype=dtype).problem())
            X[::2, ..., -1], X[1::2, ..., -1] = 2, 0.5
            yield Problem(X, y, W)


def assert_in_the_set(number: str, given: Problem, change: Callable[[Array], Array] = np.asarray) -> None:
    quantity, form = ALL[number]
    with np.errstate(all="ignore"):
        got = change(form(given))
    assert got.dtype == given.X.dtype
    own = default_arithmetic(FORMATS[got.dtype.name])
    claims = Arithmetic(own.kappa, forward=number in PRODUCT_BEFORE_RESIDUAL)
    found: AdmissibleSet = bounds.admissible(given, FORMATS[got.dtype.name], claims)[quantity]
    inside = found.contains(got.astype(np.float64))
    assert inside.all(), f"({number}) {quantity}: {np.argwhere(~inside)[:3].tolist()}"


@pytest.mark.untraced
@pytest.mark.parametrize("number", ALL)
@pytest.mark.parametrize("dtype", FORMATS)
def test_the_equation_lies_in_the_set_of_what_it_is_a_form_of(dtype: str, number: str) -> None:
    for regime in REGIMES:
        for given in problems(regime, dtype):
            assert_in_the_set(number, given)


@pytest.mark.parametrize("number", ALL)
def test_an_equation_wrong_by_one_part_in_a_thousand_would_be_noticed(number: str) -> None:
    (given, _) = problems("ordinary", "float64")
    with pytest.raises(AssertionError):
        assert_in_the_set(number, given, lambda value: value * (1 + 2.0**-10))


@lru_cache(maxsize=2)
def carriers(source: str) -> dict[str, set[str]]:
    """For each equation number the functions with a line that ends in it."""
    lines, found = source.splitlines(), dict[str, set[str]]()
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            for line in lines[node.lineno - 1 : node.end_lineno]:
                for number in re.findall(r"# \(([\d.]+)\)$", line):
                    found.setdefault(number, set()).add(node.name)
    return found


@lru_cache(maxsize=2)
def forms_in(source: str) -> dict[str, set[str]]:
    """For each key of FORMS the functions of `network` that its form calls."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "FORMS":
            assert isinstance(node.value, ast.Dict)
            pairs = zip(node.value.keys, node.value.values, strict=True)
            return {ast.literal_eval(key): called(value) for key, value in pairs if key is not None}
    return {}


def called(node: ast.AST) -> set[str]:
    attributes = (n for n in ast.walk(node) if isinstance(n, ast.Attribute))
    return {n.attr for n in attributes if isinstance(n.value, ast.Name) and n.value.id == "network"}


def missing(code: str, tests: str) -> list[str]:
    """The equations that no function carries, or whose function no form calls."""
    functions, forms = carriers(code), forms_in(tests)
    return [n for n in NUMBERS if not functions.get(n, set()) & forms.get(n, set())]


CODE = Path(network.__file__).read_text(encoding="utf-8")
TESTS = Path(__file__).read_text(encoding="utf-8")


def test_every_equation_has_code_and_a_test() -> None:
    assert not missing(CODE, TESTS)


@pytest.mark.parametrize("number", NUMBERS)
def test_an_equation_without_code_or_without_a_test_is_named_and_missing_from_the_table(number: str) -> None:
    assert missing(CODE.replace(f"# ({number})", "#"), TESTS) == [number]
    assert missing(CODE, TESTS.replace(f'    "{number}": (', '    "another": (')) == [number]
    left = equation_table(CODE.replace(f"# ({number})", "#"), TESTS)
    assert [line for line in equation_table(CODE, TESTS) if line not in left] == [
        line for line in PAGE.splitlines() if line.startswith(f"| ({number}) ")
    ]


def test_a_form_of_the_wrong_function_does_not_count() -> None:
    wrong = TESTS.replace("network.gradient_factored(g", "network.gradient_stacked(g")
    assert missing(CODE, wrong) == ["19"]


ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "equations.md").read_text("utf-8")
COLUMNS = "| equation | what it says | function | admissible set of | test |"
TEST = "test_the_equation_lies_in_the_set_of_what_it_is_a_form_of"


def equation_table(code: str, tests: str) -> list[str]:
    """The table of docs/equations.md: each equation with its function, its quantity and its test."""
    table = [COLUMNS, "|---|---|---|---|---|"]
    for number in NUMBERS:
        for name in sorted(carriers(code).get(number, set()) & forms_in(tests).get(number, set())):
            summary = (getattr(network, name).__doc__ or "").splitlines()[0]
            says = re.sub(r"(, ``.*)?\.$", "", summary)
            quantity, _ = FORMS[number]
            table.append(f"| ({number}) | {says} | `{name}` | `{quantity}` | `[float64-{number}]` |")
    return table


def test_the_page_on_equations_has_the_function_and_the_test_of_each() -> None:
    want = equation_table(CODE, TESTS)
    got = [line for line in PAGE.splitlines() if line.startswith("|")]
    assert got == want, "\n".join(["docs/equations.md has another table than:", *want])
    assert len(want) == 2 + len(NUMBERS)


def test_the_page_on_equations_names_this_test_and_its_file() -> None:
    assert callable(globals()[TEST])
    assert f"`{TEST}`" in PAGE
    assert f"(../{Path(__file__).relative_to(ROOT).as_posix()})" in PAGE
