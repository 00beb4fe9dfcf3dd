"""The combinations of factors beyond the modes with names: a full product, and a covering array.

The product: each output computed alone and compiled, by every set of constants, in every convention; in JAX
in float64 and float32, in torch, whose programs take seconds to compile, in float32.

The covering array: of all factors and the dtype, X, y and W each being an argument or a constant, such that
every three values that can go together do so in some combination. It is written down in ``combinations.txt``,
because making it takes seconds:

    python -m crosscheck.matrix.combinations > crosscheck/matrix/combinations.txt
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from adapters.instructions import NATIVE
from adapters.modes import CLOSED, CONVENTIONS, FACTORS, FORMS, OUTPUTS, plain
from adapters.rules import RULES, Rule
from reference.formats import FORMATS

FILE: Final = Path(__file__).with_suffix(".txt")
STRENGTH: Final = 3
# How each framework compiles, and the dtypes of its product.
COMPILED: Final = {"torch": ("compile", ("float32",)), "jax": ("jit", ("float64", "float32"))}
ARRAYS: Final = ("X", "y", "W")
PASSED: Final = ("argument", "constant")
# The hazards have names, and are expected to differ; what a device needs is another machine. An instruction
# set may be another machine's too, and would have everything compiled once more:
# tests/conformance/test_instruction_levels.py tries them.
LEFT_OUT: Final = {"form": FORMS[0], "device": "cpu", "isa": NATIVE}
Combination = tuple[str, str]


def product() -> Iterator[Combination]:
    """Name and dtype of every output alone × constants × convention, compiled."""
    for framework, (execution, dtypes) in COMPILED.items():
        for output, closed, convention, dtype in itertools.product(OUTPUTS[1:], CLOSED, CONVENTIONS, dtypes):
            mode = plain(framework, execution=execution, outputs=output, closed=closed, convention=convention)
            yield mode.name, dtype


def factors_of(framework: str) -> dict[str, tuple[str, ...]]:
    """The factors of the covering array."""
    factors = {name: values for name, values in FACTORS[framework].items() if name not in LEFT_OUT}
    del factors["closed"]
    return {**factors, **dict.fromkeys(ARRAYS, PASSED), "dtype": tuple(FORMATS)}


def values_of(row: Mapping[str, str]) -> dict[str, str]:
    """The values of a mode's factors in a row of the covering array."""
    constants = "".join(name for name in ARRAYS if row[name] == "constant")
    others = {name: value for name, value in row.items() if name not in (*ARRAYS, "dtype")}
    return {**others, **LEFT_OUT, "closed": f"closed_{constants}" if constants else ""}


def rules_of(framework: str) -> list[tuple[list[str], Callable[[Mapping[str, str]], bool]]]:
    """The rules of the modes on the rows: which factors each speaks of, and whether it allows a row."""

    def keeps(rule: Rule) -> Callable[[Mapping[str, str]], bool]:
        return lambda row: not rule.excludes(values_of({**dict.fromkeys(ARRAYS, PASSED[0]), **row}))

    spoken_of = [
        (rule, [part for name in rule.factors for part in (ARRAYS if name == "closed" else (name,))])
        for rule in RULES[framework]
        if not LEFT_OUT.keys() & set(rule.factors)
    ]
    return [(names, keeps(rule)) for rule, names in spoken_of]


def make_covering(framework: str) -> list[Combination]:
    """A covering array, made anew."""
    from covertable import make  # a tool for whoever changes the factors, not needed to run

    rows = make(
        {name: list(values) for name, values in factors_of(framework).items()},
        strength=STRENGTH,
        constraints=[
            {"operator": "fn", "requires": names, "evaluate": keeps} for names, keeps in rules_of(framework)
        ],
    )
    return [(plain(framework, **values_of(row)).name, row["dtype"]) for row in rows]


def covering() -> list[Combination]:
    """The covering arrays that are written down."""
    lines = FILE.read_text(encoding="utf-8").splitlines()
    return [(name, dtype) for name, _, dtype in (line.partition(" ") for line in lines)]


def all_combinations() -> list[Combination]:
    """Both, each once."""
    return list(dict.fromkeys([*product(), *covering()]))


if __name__ == "__main__":
    for each in COMPILED:
        sys.stdout.writelines(f"{name} {dtype}\n" for name, dtype in make_covering(each))
