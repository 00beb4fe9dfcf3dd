"""The committed combinations cover every three values that can go together, and hold nothing that cannot be.

Checked by writing out every row, half a million, and striking out what a rule excludes: the tool that made
the combinations has no part in it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from adapters.modes import FACTORS, RULES, impossible, parse, plain
from crosscheck.plans.combinations import Combination, all_combinations, covering, product
from reference.formats import FORMATS
from tools import combinations
from tools.combinations import factors_of, row_of

Rows = NDArray[np.intp]  # [rows, factors]: which of its values each factor has
FRAMEWORKS = ("torch", "jax")
SUBSETS = ("", "X", "y", "W", "Xy", "XW", "yW", "XyW")
COMMITTED = covering()


def excluded(framework: str, row: dict[str, str]) -> list[str]:
    """Why the rules exclude a row, whose other factors are plain."""
    constants = "".join(symbol for symbol in "XyW" if row.get(symbol) == "constant")
    stated = {name: value for name, value in row.items() if name in FACTORS[framework]}
    mode = plain(framework, **stated, closed=f"closed_{constants}" if constants else "")
    return [rule.reason for rule in RULES[framework] if rule.excludes(mode.as_dict)]


@cache
def possible_rows(framework: str) -> Rows:
    """Every row but those that a rule excludes."""
    factors = factors_of(framework)
    names = list(factors)
    rows = np.indices([len(values) for values in factors.values()]).reshape(len(names), -1).T
    for rule in RULES[framework]:
        spoken = {*rule.clash, *("XyW" if "closed" in rule.clash else "")}
        heard = [place for place, name in enumerate(names) if name in spoken]
        for chosen in itertools.product(*(range(len(factors[names[place]])) for place in heard)):
            row = {names[i]: factors[names[i]][value] for i, value in zip(heard, chosen, strict=True)}
            if rule.reason in excluded(framework, row):
                rows = rows[(rows[:, heard] != chosen).any(1)]
    return rows


def rows_of(framework: str, chosen: Iterable[Combination]) -> Rows:
    """The combinations of one framework as rows."""
    factors = factors_of(framework)
    own = [row_of(each) for each in chosen if parse(each[0]).framework == framework]
    return np.array([[values.index(row[name]) for name, values in factors.items()] for row in own])


def counted(framework: str, rows: Rows, strength: int) -> Iterator[tuple[list[str], NDArray[np.intp]]]:
    """So many factors at a time: their names, and in how many rows each choice of their values stands."""
    factors = factors_of(framework)
    for places in itertools.combinations(range(len(factors)), strength):
        names = [list(factors)[place] for place in places]
        shape = tuple(len(factors[name]) for name in names)
        codes = np.ravel_multi_index(tuple(rows[:, places].T), shape)
        yield names, np.bincount(codes, minlength=int(np.prod(shape))).reshape(shape)


def missing(framework: str, chosen: Iterable[Combination], strength: int = 3) -> list[dict[str, str]]:
    """The values of any three factors that stand together in a possible row, and in no combination."""
    factors = factors_of(framework)
    can = counted(framework, possible_rows(framework), strength)
    do = counted(framework, rows_of(framework, chosen), strength)
    return [
        {name: factors[name][place] for name, place in zip(names, places, strict=True)}
        for (names, possible), (_, covered) in zip(can, do, strict=True)
        for places in np.argwhere((possible > 0) & (covered == 0))
    ]


@pytest.mark.long
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_row_is_possible_exactly_if_its_mode_is(framework: str) -> None:
    factors = factors_of(framework)
    possible = {tuple(row) for row in possible_rows(framework).tolist()}
    random = np.random.default_rng(0)
    for drawn in random.integers(0, [len(values) for values in factors.values()], (2000, len(factors))):
        row = {name: values[place] for (name, values), place in zip(factors.items(), drawn, strict=True)}
        mode = plain(framework, **combinations.values_of(row))
        assert (impossible(mode) is None) is (tuple(drawn.tolist()) in possible), row


@pytest.mark.long
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_every_three_values_that_can_go_together_do_so_in_a_committed_combination(framework: str) -> None:
    assert missing(framework, COMMITTED) == []


@pytest.mark.long
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_combination_that_alone_has_three_values_is_missed(framework: str) -> None:
    own = [each for each in COMMITTED if parse(each[0]).framework == framework]
    for dropped in own:
        lost = missing(framework, [each for each in own if each != dropped])
        assert all(three.items() <= row_of(dropped).items() for three in lost)
        if lost:
            return
    pytest.fail("whichever combination is dropped, nothing is missed")


def test_every_committed_combination_is_a_mode_that_is_no_hazard_on_the_host_in_a_dtype_of_the_suite() -> (
    None
):
    for name, dtype in COMMITTED:
        mode = parse(name)
        assert not mode.is_hazard
        assert mode["device"] == "cpu"
        assert dtype in FORMATS


def test_no_combination_is_there_twice() -> None:
    assert len(set(COMMITTED)) == len(COMMITTED)
    assert len(set(all_combinations())) == len(all_combinations())
    assert set(all_combinations()) == {*product(), *COMMITTED}


@pytest.mark.parametrize(
    ("framework", "dtype", "outputs"),
    [
        ("torch", "float32", ("y_hat", "loss", "row_loss")),
        ("jax", "float64", ("y_hat", "loss", "row_loss")),
        ("jax", "float32", ("y_hat", "loss", "row_loss")),
        ("jax", "bfloat16", ("row_loss",)),
    ],
)
def test_each_output_is_compiled_alone_by_every_set_of_constants_in_every_convention(
    framework: str, dtype: str, outputs: tuple[str, ...]
) -> None:
    modes = [parse(name) for name, its in product() if its == dtype and name.startswith(framework)]
    want = set(itertools.product(outputs, SUBSETS, ("rows", "columns", "vectors")))
    assert {(mode.alone, mode.closed, mode["convention"]) for mode in modes} == want
    assert len(modes) == len(want)
    assert all(mode.compiles and impossible(mode) is None for mode in modes)


@pytest.mark.long
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_combinations_that_are_made_anew_are_possible_and_cover(
    framework: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("covertable")
    monkeypatch.setattr(combinations, "STRENGTH", 2)
    made = combinations.make_covering(framework)
    assert missing(framework, made, strength=2) == []
