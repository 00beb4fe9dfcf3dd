"""Ledgers for the tests of the report: of planted adapters, hostile to whoever shows them, and large."""

from __future__ import annotations

import dataclasses
import string
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
from ledgers import ENVIRONMENT, adapter, behaviour, cell, header, known, summary

from crosscheck.comparison.engine import compare
from crosscheck.comparison.plan import CorePlan
from crosscheck.evaluation import InProcessAdapter
from crosscheck.judge import OUTPUTS
from crosscheck.ledger import Acceptance, Fault, Ledger
from crosscheck.ledger.making import by_class
from crosscheck.ledger.records import COMPLETE
from crosscheck.pool import AdapterPool
from crosscheck.regimes import REGIMES
from crosscheck.summary import Cell, Summary, Worst
from tests.faulty_adapters import wrong

PLAN = CorePlan(dtypes=("float32", "bfloat16"), regimes=("ordinary", "saturated_high", "zeros"), problems=300)
PLANTED = (wrong.healthy, wrong.sign, wrong.missing_one_minus, wrong.raises, wrong.refuses)
# One attack for each way to inject code into a page; an attack that runs sets a property of the window.
ATTACK = "</script><script>window.hit=1</script><img src=x onerror='window.hit=2'>\"onfocus=\"window.hit=3"
SCRIPT_LINK = "javascript:window.hit=4//https://example.org"


def planted() -> Ledger:
    """Make the ledger of a comparison of right and wrong adapters, with one line of every other kind."""
    with AdapterPool({each.name: InProcessAdapter(each) for each in PLANTED}, strict=True) as pool:
        results = compare(PLAN.planned_cases(list(pool.adapters)), pool, lambda _: None)
    cells = by_class(results.summaries)
    of_sign = next(at for at in cells if (at.adapter, at.output) == ("planted-sign", "grad"))
    cells[of_sign] = dataclasses.replace(cells[of_sign], known_elements=cells[of_sign].wrong_elements)
    said = [adapter(each.name, "1.0", f"tests.faulty_adapters.wrong:{each.name}") for each in PLANTED]
    return Ledger(
        header(adapters=tuple(msgspec.structs.replace(one, framework="planted") for one in said)),
        cells,
        (
            behaviour("to even", adapter="planted-healthy", probe="threads"),
            behaviour("away from zero", adapter="planted-sign", probe="threads"),
            behaviour("no grad", adapter="planted-raises", probe="threads", seen=False),
        ),
        (known(),),
        (Fault(who="planted-raises", what="changes its input"),),
        (Acceptance(when=datetime(2026, 1, 3, tzinfo=UTC), why="a new release", changes=("one", "two")),),
        verdict=1,
    )


def attacked(value: Any) -> Any:
    """Replace every text in a record, and in all that it holds, by the attack."""
    if isinstance(value, str):
        return ATTACK
    if isinstance(value, dict):
        return {attacked(key): attacked(each) for key, each in value.items()}
    if isinstance(value, tuple):
        return tuple(attacked(each) for each in value)
    if isinstance(value, msgspec.Struct):
        changed = {name: attacked(getattr(value, name)) for name in value.__struct_fields__}
        return msgspec.structs.replace(value, **changed)
    return value


def hostile() -> Ledger:
    """Make a ledger with an attack in every field that is a text."""
    bad = Worst(3.0, ATTACK, (2**50, 7), ATTACK)
    texts = summary(
        error=bad, share=bad, unsupported=frozenset([ATTACK]), failures=frozenset([ATTACK]),
        known={f"{ATTACK}:{ATTACK}": 1}, errors={ATTACK: 1, "0": 2}, shares={"inf": 1, "9" * 400: 2},
    )  # fmt: skip
    answer = attacked(behaviour("any"))
    return Ledger(
        attacked(header("any", environment=msgspec.structs.replace(ENVIRONMENT, variables={"any": "any"}))),
        {
            cell(ATTACK, regime=ATTACK, output=output, dtype=dtype, shape=ATTACK, layout=ATTACK): texts
            for output in ("grad", "all")
            for dtype in ("float32", ATTACK)
        },
        (answer, msgspec.structs.replace(answer, adapter="other", value="other")),
        (msgspec.structs.replace(attacked(known()), upstream=SCRIPT_LINK),),
        (attacked(Fault(who="any", what="any")),),
        (attacked(Acceptance(when=datetime(2026, 1, 3, tzinfo=UTC), why="any", changes=("any",))),),
        ending="interrupted",
        verdict=1,
    )


def hostile_pair() -> tuple[Ledger, Ledger]:
    """Make a hostile ledger and a baseline for it, with an attack in every kind of change."""
    new = dataclasses.replace(hostile(), ending=COMPLETE)
    old_header = msgspec.structs.replace(new.header, suite="0.1.0", environment=ENVIRONMENT, adapters=())
    (first, *_) = new.cells
    old = dataclasses.replace(
        new,
        header=old_header,
        cells={first: dataclasses.replace(new.cells[first], wrong_elements=1)},
        behaviours=tuple(msgspec.structs.replace(each, value="kept") for each in new.behaviours),
        known=(),
        faults=(Fault(who=f"{ATTACK} again", what=ATTACK),),
    )
    return new, old


def large(adapters: int) -> Ledger:
    """Make a synthetic ledger with every output and regime in one dtype, for many adapters."""
    names = [f"torch-{number:03}-{string.ascii_lowercase[number % 26] * 8}" for number in range(adapters)]
    return Ledger(header(*names), dict(_cells(names)))


def _cells(names: list[str]) -> Iterator[tuple[Cell, Summary]]:
    bins = {str(exponent): 1000 for exponent in range(-20, 4)}
    for number, name in enumerate(names):
        for output in OUTPUTS:
            for regime in REGIMES:
                case = f"{regime}:{number}:8192x1x3x1:contiguous:float32"
                place = (number, 0, 0)[: {"loss": 1, "row_loss": 2}.get(output, 3)]
                worst = Worst(1.5 + number, case, place, regime)
                share = Worst(0.5, case, place, regime)
                yield (
                    cell(name, output=output, regime=regime),
                    summary(error=worst, share=share, errors=bins, shares=bins),
                )
