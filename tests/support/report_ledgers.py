"""Ledgers for the tests of the report: of planted adapters, hostile to whoever shows them, and large."""

from __future__ import annotations

import string
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec
from ledgers import adapter, behaviour, cell, header, known, summary

from crosscheck.compare.session import compare
from crosscheck.inputs.regimes import REGIMES
from crosscheck.judging.evaluation import InProcessAdapter
from crosscheck.judging.judge import OUTPUTS
from crosscheck.plans.core import core_plan
from crosscheck.plans.plan import cases_of
from crosscheck.pool import AdapterPool
from crosscheck.results.ledger import Ledger
from crosscheck.results.lines import Acceptance, Fault
from crosscheck.results.summary import Cell, Number, Summary, Worst
from tests.faulty_adapters import wrong

PLAN = core_plan(
    dtypes=("float32", "bfloat16"), regimes=("ordinary", "saturated_high", "zeros"), problems=300
)
PLANTED = (wrong.healthy, wrong.sign, wrong.missing_one_minus, wrong.raises, wrong.refuses)


def planted() -> Ledger:
    """Make the ledger of a comparison of right and wrong adapters, with one line of every other kind."""
    with AdapterPool({each.name: InProcessAdapter(each) for each in PLANTED}, strict=True) as pool:
        results = compare(cases_of(PLAN.cases, pool.adapters), pool, lambda _: None)
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
