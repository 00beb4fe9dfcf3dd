"""The table: what it says, to a reader with few columns and to one with many."""

from __future__ import annotations

import io
import math
from dataclasses import replace

import pytest
from rich.console import Console

from crosscheck.comparison.table import median, rows, share_of, tables
from crosscheck.summary import EVERY, Cell, Summary, Worst


def cell(adapter: str, dtype: str, output: str, regime: str = "ordinary") -> Cell:
    return Cell(adapter, "torch", "2.13.0", "cpu", 1, dtype, output, regime, "8192x1x3x1", "contiguous")


def worst(value: float, regime: str) -> Worst:
    return Worst(value, "case", (0, 0, 0), regime)


LONG = "an-adapter-from-outside-that-has-a-long-name"
SUMMARIES = {
    cell("torch", "float32", "grad"): Summary(
        8192,
        24576,
        error=worst(1.5, "ordinary"),
        share=worst(0.9999, "ordinary"),
        errors={"zero": 3, "-1": 7},
    ),
    cell("torch", "float32", "grad", "zeros"): Summary(8192, 24576, error=worst(2.4e6, "saturated_high")),
    cell("torch", "float32", "y_hat"): Summary(16384, 16384, share=worst(0.25, "zeros"), not_judged=4),
    cell("torch", "bfloat16", "loss"): Summary(64, 64, not_judged=64, error=worst(math.inf, "overflow")),
    cell(LONG, "float64", "grad"): Summary(
        8192, 24576, 70, 99, error=worst(3e16, "zeros"), share=worst(3e12, "near_label"), errors={"inf": 1}
    ),
    cell(LONG, "float32", EVERY): Summary(64, failures=frozenset(["died"]), not_run=1000),
    cell(LONG, "float16", EVERY): Summary(64, unsupported=frozenset(["no"])),
    cell(LONG, "bfloat16", EVERY): Summary(not_run=64),
}
KNOWN = Summary(64, 192, 5, 7, 7, share=worst(20, "zeros"))

NARROW = """\
                    worst   of the                             not
dtype    output       ulp    bound regime          problems judged verdict
──────────────────────────────────────────────────────────────────────────────
torch
float32  y_hat          -     25 %                   16,380      4 agrees
float32  grad     2.4e+06   99.9 % saturated_high    16,384        agrees
bfloat16 loss         inf        - overflow                     64 not judged
an-adapter-from-outside-that-has-a-long-name
float64  grad     3.0e+16 3.0e+12× near_label         8,192        disagrees
float32  all            -        -                           1,064 failed
float16  all            -        -                                 unsupported
bfloat16 all            -        -                              64 not run
"""

MANY = """\
                                                                median   worst   of the                             not
adapter                                      dtype    output       ulp     ulp    bound regime          problems judged verdict
───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
torch                                        float32  y_hat                  -     25 %                   16,380      4 agrees
torch                                        float32  grad          <1 2.4e+06   99.9 % saturated_high    16,384        agrees
torch                                        bfloat16 loss                 inf        - overflow                     64 not judged

an-adapter-from-outside-that-has-a-long-name float64  grad         inf 3.0e+16 3.0e+12× near_label         8,192        disagrees
an-adapter-from-outside-that-has-a-long-name float32  all                    -        -                           1,064 failed
an-adapter-from-outside-that-has-a-long-name float16  all                    -        -                                 unsupported
an-adapter-from-outside-that-has-a-long-name bfloat16 all                    -        -                              64 not run
"""  # noqa: E501, a table for many columns


def written(width: int, *, terminal: bool = False) -> str:
    """The table of `SUMMARIES` as it reaches its reader, without spaces at the ends of lines."""
    text = io.StringIO()
    console = Console(width=width, file=text, force_terminal=terminal)
    for part in tables(rows(SUMMARIES), width):
        console.print(part)
    return "".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines())


@pytest.mark.parametrize(("width", "want"), [(80, NARROW), (132, MANY)])
def test_the_table_says_what_the_summaries_say(width: int, want: str) -> None:
    assert written(width) == want


@pytest.mark.parametrize("width", [80, 100, 120])
def test_every_line_fits_and_nothing_is_cut_off(width: int) -> None:
    text = written(width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    assert "an-adapter-from" in text


@pytest.mark.parametrize(("known", "verdict"), [(0, "outside"), (6, "outside"), (7, "known")])
def test_a_row_whose_wrong_elements_are_all_known_says_so(known: int, verdict: str) -> None:
    (row,) = rows({cell("jax", "float32", "grad"): replace(KNOWN, known_elements=known)})
    assert (row.verdict, row.regime) == (verdict, "zeros")


def test_known_is_neither_green_nor_red() -> None:
    text = io.StringIO()
    for part in tables(rows({cell("jax", "float32", "grad"): KNOWN}), 80):
        Console(width=80, file=text, force_terminal=True).print(part)
    (line,) = (line for line in text.getvalue().splitlines() if "known" in line)
    assert "\x1b[35mknown" in line
    assert "\x1b[32m" not in line
    assert "31m" not in line


def test_adapters_of_one_label_share_their_rows() -> None:
    summaries = {cell("jax-a", "float32", "grad"): KNOWN, cell("jax-b", "float32", "grad"): Summary(10, 30)}
    (row,) = rows(summaries, lambda name: name.partition("-")[0])
    assert (row.adapter, row.judged, row.verdict) == ("jax", 74, "known")


def test_no_rows_make_no_table() -> None:
    assert list(tables([], 100)) == []


def test_only_what_was_judged_whole_and_agrees_is_green() -> None:
    green = [line for line in written(80, terminal=True).splitlines() if "\x1b[32m" in line]
    assert len(green) == 1
    assert "grad" in green[0]
    assert "99.9 %" in green[0]


@pytest.mark.parametrize(
    ("errors", "want"),
    [
        ({}, ""),
        ({"zero": 2, "0": 1}, "0"),
        ({"zero": 1, "-1": 2, "inf": 1}, "<1"),
        ({"3": 1}, "<16"),
        ({"1022": 1}, "<9.0e+307"),
        ({"1023": 1}, "<inf"),
        ({"inf": 1}, "inf"),
    ],
    ids=["none", "zero", "middle", "one", "large", "largest", "infinite"],
)
def test_half_of_the_errors_lie_below_the_median(errors: dict[str, int], want: str) -> None:
    assert median(errors) == want


def test_a_share_below_the_bound_never_reads_as_the_whole_bound() -> None:
    assert [share_of(worst(value, "ordinary")) for value in (0.99999, 1.0)] == ["99.9 %", "100 %"]
