"""The table: what it says, to a reader with few columns and to one with many."""

from __future__ import annotations

import io
import math

import pytest
from msgspec.structs import replace
from rich.console import Console

from crosscheck.results.rows import Row, merge_outputs, rows
from crosscheck.results.summary import EVERY, Cell, Number, Summary, Worst
from crosscheck.terminal.table import median, share_of, tables


def cell(adapter: str, dtype: str, output: str, regime: str = "ordinary") -> Cell:
    return Cell(adapter, "torch", "2.13.0", "cpu", 1, dtype, output, regime, "8192x1x3x1", "contiguous")


def worst(value: float, regime: str) -> Worst:
    return Worst(Number(value), "case", (0, 0, 0), regime)


LONG = "an-adapter-from-outside-that-has-a-long-name"
SUMMARIES = {
    cell("torch", "float32", "grad"): Summary(
        8192,
        24576,
        error=worst(1.5, "ordinary"),
        well_conditioned_error=worst(1.25, "ordinary"),
        share=worst(0.9999, "ordinary"),
        errors={"zero": 3, "-1": 7},
    ),
    cell("torch", "float32", "grad", "zeros"): Summary(8192, 24576, error=worst(2.4e6, "saturated_high")),
    cell("torch", "float32", "y_hat"): Summary(16384, 16384, share=worst(0.25, "zeros"), not_judged=4),
    cell("torch", "float64", "loss"): Summary(64, 10**8, well_conditioned_error=worst(0.5, "zeros")),
    cell("torch", "bfloat16", "loss"): Summary(64, 64, not_judged=64, error=worst(math.inf, "overflow")),
    cell(LONG, "float64", "grad"): Summary(
        8192, 24576, 70, 99, error=worst(3e16, "zeros"), share=worst(3e12, "near_label"), errors={"inf": 1}
    ),
    cell(LONG, "float32", "loss"): Summary(8, 8),
    cell(LONG, "float32", EVERY): Summary(64, failures=frozenset(["died"]), not_run=1000),
    cell(LONG, "float16", EVERY): Summary(64, unsupported=frozenset(["no"])),
    cell(LONG, "bfloat16", EVERY): Summary(not_run=64),
}
LATE = Summary(64, no_verdict=frozenset(["gave no answer"]))
KNOWN = Summary(64, 192, 5, 7, 7, share=worst(20, "zeros"))

NARROW = """\
               ulp,   of the               not
dtype    well-cond.    bound    judged  judged verdict
────────────────────────────────────────────────────────────
torch
float32        1.25   99.9 %    65,532       4 within bounds
float64         0.5        - 1.000e+08         within bounds
bfloat16          -        -                64 not judged
an-adapter-from-outside-that-has-a-long-name
float64           - 3.0e+12×    24,576         outside
float32           -        -         8         failed
float16           -        -                   unsupported
bfloat16          -        -                   not run
"""

WIDE = """\
                                                            ulp,   of the               not
adapter                                      dtype    well-cond.    bound    judged  judged verdict
─────────────────────────────────────────────────────────────────────────────────────────────────────────
torch                                        float32        1.25   99.9 %    65,532       4 within bounds
torch                                        float64         0.5        - 1.000e+08         within bounds
torch                                        bfloat16          -        -                64 not judged

an-adapter-from-outside-that-has-a-long-name float64           - 3.0e+12×    24,576         outside
an-adapter-from-outside-that-has-a-long-name float32           -        -         8         failed
an-adapter-from-outside-that-has-a-long-name float16           -        -                   unsupported
an-adapter-from-outside-that-has-a-long-name bfloat16          -        -                   not run
"""

DETAILS = """\
               ulp,  median   worst   of the                              not
output   well-cond.     ulp     ulp    bound regime            judged  judged verdict
───────────────────────────────────────────────────────────────────────────────────────────
torch float32
y_hat             -               -     25 %                   16,380       4 within bounds
grad           1.25      <1 2.4e+06   99.9 % saturated_high    49,152         within bounds
torch float64
loss            0.5               -        -                1.000e+08         within bounds
torch bfloat16
loss              -             inf        - overflow                      64 not judged
an-adapter-from-outside-that-has-a-long-name float64
grad              -     inf 3.0e+16 3.0e+12× near_label        24,576         outside
an-adapter-from-outside-that-has-a-long-name float32
loss              -               -        -                        8         within bounds
all               -               -        -                                  failed
an-adapter-from-outside-that-has-a-long-name float16
all               -               -        -                                  unsupported
an-adapter-from-outside-that-has-a-long-name bfloat16
all               -               -        -                                  not run
"""


def table_text(width: int, *, terminal: bool = False, details: bool = False) -> str:
    """The table of `SUMMARIES` as it reaches its reader, without spaces at the ends of lines."""
    text = io.StringIO()
    console = Console(width=width, file=text, force_terminal=terminal)
    for part in tables(rows(SUMMARIES), width, details=details):
        console.print(part)
    return "".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines())


@pytest.mark.parametrize(
    ("width", "details", "want"),
    [(60, False, NARROW), (132, False, WIDE), (100, True, DETAILS)],
    ids=["narrow", "wide", "details"],
)
def test_the_table_says_what_the_summaries_say(width: int, details: bool, want: str) -> None:
    assert table_text(width, details=details) == want


@pytest.mark.parametrize("details", [False, True], ids=["short", "details"])
@pytest.mark.parametrize("width", [60, 80, 100, 120])
def test_every_line_fits_and_no_verdict_is_cut_off(width: int, details: bool) -> None:
    text = table_text(width, details=details)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    verdicts = {row.verdict for row in (rows if details else short)(SUMMARIES)}
    assert len(verdicts) == 6
    assert all(any(line.endswith(word) for line in text.splitlines()) for word in verdicts)


def short(summaries: dict[Cell, Summary]) -> list[Row]:
    return merge_outputs(rows(summaries))


def test_a_row_of_all_outputs_has_the_gravest_verdict_and_the_sums() -> None:
    found = {(row.adapter, row.dtype): row for row in short(SUMMARIES)}
    assert found[LONG, "float32"].verdict == "failed"
    assert found["torch", "float32"].verdict == "within bounds"
    assert found["torch", "float32"].judged == 2 * 24576 + 16384 - 4
    assert found["torch", "float32"].summary.not_judged == 4


def test_who_gave_no_answer_in_time_has_no_verdict_and_has_not_failed() -> None:
    (row,) = short({cell("slow", "float32", "grad"): KNOWN, cell("slow", "float32", EVERY): LATE})
    assert row.verdict == "no verdict"


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
    assert (row.adapter, row.judged, row.verdict) == ("jax", 222, "known")


def test_no_rows_make_no_table() -> None:
    assert list(tables([], 100)) == []


def test_only_within_bounds_is_green_and_what_was_not_judged_beside_it_is_yellow() -> None:
    lines = table_text(132, terminal=True).splitlines()
    green = [line for line in lines if "\x1b[32m" in line]
    assert all("\x1b[32mwithin bounds" in line for line in green)
    assert len(green) == 2
    assert "\x1b[33m      4\x1b[0m" in green[0]


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
