"""Making the covering array of factors, which is kept in a file because it takes seconds.

    .venv/bin/python -m tools.combinations

Run it after a change of the factors in `adapters.modes`. The array has all factors and the dtype, and for
each of X, y and W whether it is an argument or a constant. Every three values that are possible together
occur in some combination. Combinations of the file stay, so that no program is new without need, and
a factor that has one value in all of them, as a new one has, is chosen anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from adapters.instructions import NATIVE
from adapters.modes import FACTORS, FORMS, RULES, Rule, parse, plain
from crosscheck.plans.combinations import COMPILED, FILE, Combination, covering
from reference.formats import FORMATS

STRENGTH: Final = 3
ARRAYS: Final = ("X", "y", "W")
PASSED: Final = ("argument", "constant")
# The hazards have names, and are expected to differ; what a device needs is another machine. An instruction
# set may be another machine's too, and would have everything compiled once more:
# tests/conformance/test_instruction_levels.py tries them.
LEFT_OUT: Final = {"form": FORMS[0], "device": "cpu", "isa": NATIVE}


def factors_of(framework: str) -> dict[str, tuple[str, ...]]:
    """Return the factors of the covering array, each with its values."""
    factors = {name: values for name, values in FACTORS[framework].items() if name not in LEFT_OUT}
    del factors["closed"]
    return {**factors, **dict.fromkeys(ARRAYS, PASSED), "dtype": tuple(FORMATS)}


def values_of(row: Mapping[str, str]) -> dict[str, str]:
    """Return the values of a mode's factors in a row of the covering array."""
    constants = "".join(name for name in ARRAYS if row[name] == "constant")
    others = {name: value for name, value in row.items() if name not in (*ARRAYS, "dtype")}
    return {**others, **LEFT_OUT, "closed": f"closed_{constants}" if constants else ""}


def rules_of(framework: str) -> list[tuple[list[str], Callable[[Mapping[str, str]], bool]]]:
    """Return the rules of the modes for rows: the factors of each rule, and a function that accepts a row."""

    def keeps(rule: Rule) -> Callable[[Mapping[str, str]], bool]:
        return lambda row: not rule.excludes(values_of({**dict.fromkeys(ARRAYS, PASSED[0]), **row}))

    spoken_of = [
        (rule, [part for name in rule.clash for part in (ARRAYS if name == "closed" else (name,))])
        for rule in RULES[framework]
        if not LEFT_OUT.keys() & rule.clash.keys()
    ]
    return [(names, keeps(rule)) for rule, names in spoken_of]


def row_of(combination: Combination) -> dict[str, str]:
    """Return the values of a combination: a row of the covering array."""
    name, dtype = combination
    mode = parse(name)
    passed = {name: PASSED[name in mode.closed] for name in ARRAYS}
    row = {**mode.as_dict, **passed, "dtype": dtype}
    return {factor: row[factor] for factor in factors_of(mode.framework)}


def kept(framework: str) -> list[dict[str, str]]:
    """Return the rows of the file, without factors that have one value in all."""
    rows = [row_of(each) for each in covering() if each[0].partition("-")[0] == framework]
    chosen = [factor for factor in factors_of(framework) if len({row[factor] for row in rows}) > 1]
    return [{factor: row[factor] for factor in chosen} for row in rows]


def make_covering(framework: str, presets: Sequence[Mapping[str, str]] = ()) -> list[Combination]:
    """Make a covering array that begins with the presets, rows in which some factors are not yet chosen."""
    from covertable import make  # not needed to read the rest

    rows = make(
        {name: list(values) for name, values in factors_of(framework).items()},
        strength=STRENGTH,
        presets=list(presets),
        constraints=[
            {"operator": "fn", "requires": names, "evaluate": keeps} for names, keeps in rules_of(framework)
        ],
    )
    return [(plain(framework, **values_of(row)).name, row["dtype"]) for row in rows]


if __name__ == "__main__":
    made = [combination for each in COMPILED for combination in make_covering(each, kept(each))]
    FILE.write_text("".join(f"{name} {dtype}\n" for name, dtype in made), encoding="utf-8")
