"""Ledgers for the tests of the report: of planted adapters, hostile to whoever shows them, and large."""

from __future__ import annotations

import dataclasses
import string
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
from ledgers import ENVIRONMENT, adapter, behaviour, cell, header, known, summary

from crosscheck.compare.session import compare
from crosscheck.comparison.plan import CorePlan
from crosscheck.evaluation import InProcessAdapter
from crosscheck.judge import OUTPUTS
from crosscheck.pool import AdapterPool
from crosscheck.regimes import REGIMES
from crosscheck.results.ledger import Ledger
from crosscheck.results.lines import COMPLETE, Acceptance, Adapter, Fault
from crosscheck.results.summary import Cell, Number, Summary, Worst
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
    cells = results.summaries
    of_sign = next(at for at in cells if (at.adapter, at.output) == ("planted-sign", "grad"))
    cells[of_sign].known_elements = cells[of_sign].wrong_elements
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


def hostile() -> Ledger:
    """Make a ledger with an attack in every field that is a text."""
    bad = Worst(
        Number(3.0), ATTACK, (2**50, 7), ATTACK, got=Number("nan"), exact=(Number("inf"), Number("-inf")),
        z=(Number("nan"), Number(1e300)), admissible=ATTACK,
    )  # fmt: skip
    texts = summary(
        error=bad, share=bad, unsupported=frozenset([ATTACK]), failures=frozenset([ATTACK]),
        known={f"{ATTACK}:{ATTACK}": 1}, errors={ATTACK: 1, "0": 2}, shares={"inf": 1, "9" * 400: 2},
    )  # fmt: skip
    one = Adapter(
        name=ATTACK,
        selector=ATTACK,
        framework=ATTACK,
        version=ATTACK,
        device=ATTACK,
        threads=1,
        dtypes=(ATTACK,),
    )
    head = header(command=ATTACK, suite=ATTACK, profile=ATTACK, adapters=(one,))
    environment = msgspec.structs.replace(
        head.environment, python=ATTACK, platform=ATTACK, cpu=ATTACK, blas=ATTACK,
        packages={ATTACK: ATTACK}, variables={ATTACK: ATTACK},
    )  # fmt: skip
    entry = known(ATTACK)
    fields = ("type", "framework", "versions", "mode", "case", "output", "got", "exact", "reason")
    every = dict.fromkeys(fields, ATTACK)
    known_ = msgspec.structs.replace(entry, **every, upstream=SCRIPT_LINK, covered={ATTACK: 1})
    answer: dict[str, Any] = {"probe": ATTACK, "dtype": ATTACK, "input": ATTACK}
    return Ledger(
        msgspec.structs.replace(head, environment=environment),
        {
            cell(ATTACK, regime=ATTACK, output=output, dtype=dtype, shape=ATTACK, layout=ATTACK): texts
            for output in ("grad", "all")
            for dtype in ("float32", ATTACK)
        },
        tuple(
            msgspec.structs.replace(behaviour(value, adapter=value), **answer) for value in (ATTACK, "other")
        ),
        (known_,),
        (Fault(who=ATTACK, what=ATTACK),),
        (Acceptance(when=datetime(2026, 1, 3, tzinfo=UTC), why=ATTACK, changes=(ATTACK,)),),
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
        cells={first: msgspec.structs.replace(new.cells[first], wrong_elements=1)},
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
                worst = Worst(Number(1.5 + number), case, place, regime)
                share = Worst(Number(0.5), case, place, regime)
                yield (
                    cell(name, output=output, regime=regime),
                    summary(error=worst, share=share, errors=bins, shares=bins),
                )
