"""The tables of the page, in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from clock import GROUPS
from figures import Figure, Run

WHO: Final = {
    "suite": "the suite, random sweep",
    "hypothesis": "a plain Hypothesis test",
    "gradcheck": "`torch.autograd.gradcheck`",
    "check_grads": "`jax.test_util.check_grads`",
}
# Parts of the groups that are shown one by one.
SHOWN: Final = {part for group in ("reference", "bookkeeping") for part in GROUPS[group]}
MEGABYTE: Final = 1e6


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Rows under headings."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def rounded(number: float) -> str:
    """Three digits, the thousands apart."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def machine(run: Run) -> str:
    """Where and when it was measured."""
    where = run.where
    packages = ", ".join(f"{name} {number}" for name, number in where["packages"].items())
    return table(
        ["", ""],
        [
            ["when", run.when],
            ["processor", f"{where['processor']}, {where['cores']} cores for this process"],
            ["load before the start", f"{where['load']:.1f}"],
            ["system", where["system"]],
            ["versions", f"Python {where['python']}, {packages}"],
        ],
    )


def rates(run: Run) -> str:
    """Problems a second of everybody, and how many times as many the suite has."""
    return table(
        ["", "size", "dtype", "problems/s", "spread", "the suite is", "fail with rtol = 10^-7"],
        (_rate(run, figure) for figure in run.kind("rates")),
    )


def _rate(run: Run, figure: Figure) -> list[str]:
    facts = figure.facts
    suite = run.rate("suite", facts["dtype"], facts["size"])
    times = "" if suite is None or suite is figure else f"{rounded(suite.rate / figure.rate)}× as fast"
    rejected = "" if "rejected" not in facts else f"{facts['rejected']} of {figure.rounds[0]['problems']}"
    who, spread = WHO[facts["who"]], f"{figure.spread:.0%}"
    return [who, facts["size"], facts["dtype"], rounded(figure.rate), spread, times, rejected]


def split(run: Run, modes: str) -> str:
    """Nanoseconds a problem of every part, and its share, side by side for all dtypes and sizes."""
    figures = run.kind("split", modes=modes)
    headings = ["ns a problem", *(f"{f.facts['dtype']}, {f.facts['size']}" for f in figures)]
    return table(headings, _parts(figures))


def _parts(figures: Sequence[Figure]) -> Iterator[list[str]]:
    adapters = figures[0].adapters if figures else []
    totals = [sum(figure.groups.values()) for figure in figures]
    yield from ([f"`{name}`", *(rounded(f.part(name)) for f in figures)] for name in adapters)
    for group in figures[0].groups if figures else []:
        numbers = [figure.groups[group] for figure in figures]
        cells = (f"**{rounded(n)}** ({n / t:.0%})" for n, t in zip(numbers, totals, strict=True))
        yield [f"**{group}**", *cells]
        if group in GROUPS and len(GROUPS[group]) > 1:
            yield from ([f"– {part}", *(rounded(f.part(part)) for f in figures)] for part in GROUPS[group])
    yield ["together", *map(rounded, totals)]
    yield ["parts ÷ the whole, timed from outside", *(f"{f.covered:.1%}" for f in figures)]
    yield ["problems/s", *(rounded(f.rate) for f in figures)]
    spans = (f"**{f.ratio:.2f}** ({min(f.ratios):.2f}–{max(f.ratios):.2f})" for f in figures)
    yield ["**outside ÷ inside the frameworks**", *spans]


def growth(run: Run) -> str:
    """A row for every step of every axis."""
    headings = ["what grows", "to", "dtype", "problems/s", "ns a problem", "outside ÷ inside", "spread"]
    return table(headings, map(_step, run.kind("growth")))


def _step(figure: Figure) -> list[str]:
    facts, ratio = figure.facts, f"{figure.ratio:.2f}" if figure.is_clocked else ""
    where = [facts["axis"], f"{facts['value']:,}", facts["dtype"]]
    return [*where, rounded(figure.rate), rounded(1e9 / figure.rate), ratio, f"{figure.spread:.0%}"]


def memory(run: Run) -> str:
    """What a process holds after so many shards."""
    rows = [
        [figure.facts["dtype"], f"{one['shards']:,}", f"{one['problems']:,}",
         f"{one['held'] / MEGABYTE:,.0f}", f"{one['peak'] / MEGABYTE:,.0f}"]
        for figure in run.kind("memory") for one in figure.rounds[0]["held"]
    ]  # fmt: skip
    return table(["dtype", "shards", "problems", "MB now", "MB at most"], rows)
