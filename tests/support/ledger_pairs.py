"""Pairs of ledgers, with what changed between them; and pairs that cannot be held against each other."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import Any

from ledgers import ENVIRONMENT, adapter, behaviour, cell, header, known, small, summary
from msgspec.structs import replace

from crosscheck.results.changes import ChangeKind
from crosscheck.results.ledger import Ledger
from crosscheck.results.lines import INTERRUPTED, Fault, Header
from crosscheck.results.summary import Cell, Number, Summary, Worst

BASE = small()
Change = tuple[ChangeKind, str, str, str]


def base(**changed: Any) -> Ledger:
    return dataclasses.replace(BASE, **changed)


def with_cell(found: Summary, place: Cell | None = None, header: Header = BASE.header) -> Ledger:
    return base(cells={**BASE.cells, place or cell(): found}, header=header)


def with_behaviour(value: str, *, seen: bool = True, header: Header = BASE.header) -> Ledger:
    return base(behaviours=(behaviour(value, seen=seen),), header=header)


def on(cpu: str) -> Header:
    return header("torch", environment=replace(ENVIRONMENT, cpu=cpu))


def change(kind: ChangeKind, what: str, old: str, new: str) -> Change:
    return kind, what, old, new


worse = partial(change, ChangeKind.REGRESSION)
better = partial(change, ChangeKind.IMPROVEMENT)
other = partial(change, ChangeKind.CHANGE)
environment = partial(change, ChangeKind.ENVIRONMENT)

WRONG = summary(
    wrong_problems=1, wrong_elements=2, bits=10, share=Worst(Number(3.0), "case", (0, 0, 0), "zeros")
)
MORE_WRONG = replace(WRONG, wrong_elements=3)
FAR = summary(bits=10, error=Worst(Number(2.5), "far", (0, 0, 0), "ordinary"))
NEAR = summary(bits=10, error=Worst(Number(0.5), "near", (0, 0, 0), "ordinary"))
A_LITTLE_FARTHER = replace(FAR, error=Worst(Number(1.5 + 2**-26), "far", (0, 0, 0), "ordinary"))
FEWER_EQUAL = summary(bits=10, equal=4)

ELSEWHERE = on("another")
NEWER = header(adapters=(adapter("torch", "2.14.0"),))
THREADED = header(adapters=(replace(adapter("torch"), threads=2),))
TO_ELSEWHERE = environment("cpu", "some avx2", "another")
TO_NEWER = environment("adapter torch", "torch 2.13.0, cpu, 1 thread", "torch 2.14.0, cpu, 1 thread")
TO_THREADED = environment("adapter torch", "torch 2.13.0, cpu, 1 thread", "torch 2.13.0, cpu, 2 threads")
OF_NEWER = {replace(place, version="2.14.0"): found for place, found in BASE.cells.items()}
LARGER, OTHER_BITS = (
    ("worst ulp", "1.5", "2.5"),
    ("bits", "5 of 6 as the reference", "4 of 6 as the reference"),
)
OTHER_MARK = [f"5 of 6 as the reference, mark 00000000000{mark}" for mark in (0, 1)]
BROKEN, ON_THREE = ("behaviour", "the same bits", "other bits: grad"), with_behaviour("z = 3")

# Name: the baseline, the new ledger, and the kind, fact, old and new value of every change.
PAIRS: dict[str, tuple[Ledger, Ledger, list[Change]]] = {
    "nothing": (BASE, BASE, []),
    "nothing but the version of cells": (BASE, base(cells=OF_NEWER), []),
    "outside": (BASE, with_cell(WRONG), [worse("verdict", "within bounds", "outside")]),
    "agrees again": (with_cell(WRONG), BASE, [better("verdict", "outside", "within bounds")]),
    "known": (
        BASE,
        with_cell(replace(WRONG, known_elements=2)),
        [worse("verdict", "within bounds", "known")],
    ),
    "more outside": (with_cell(WRONG), with_cell(MORE_WRONG), [worse("elements outside", "2", "3")]),
    "fewer outside": (with_cell(MORE_WRONG), with_cell(WRONG), [better("elements outside", "3", "2")]),
    "fewer problems": (BASE, with_cell(summary(problems=1, cases=1)), [worse("problems", "2", "1")]),
    "fewer judged": (BASE, with_cell(summary(not_judged=1)), [worse("judged", "6", "5")]),
    "more judged": (with_cell(summary(not_judged=1)), BASE, [better("judged", "5", "6")]),
    "not judged": (BASE, with_cell(summary(not_judged=6)), [worse("verdict", "within bounds", "not judged")]),
    "a larger error": (BASE, with_cell(FAR), [worse(*LARGER)]),
    "a smaller error": (BASE, with_cell(NEAR), [better("worst ulp", "1.5", "0.5")]),
    "other bits": (BASE, with_cell(FEWER_EQUAL), [other(*OTHER_BITS)]),
    "other bits, as many as the reference's": (
        BASE,
        with_cell(summary(bits=0x1A3)),
        [other("bits", *OTHER_MARK)],
    ),
    "errors that six digits do not tell apart": (
        BASE,
        with_cell(A_LITTLE_FARTHER),
        [worse("worst ulp", "1.5", "1.50000001")],
    ),
    "a larger error with more threads": (
        BASE,
        with_cell(FAR, header=THREADED),
        [other(*LARGER), TO_THREADED],
    ),
    "a larger error of another version": (BASE, with_cell(FAR, header=NEWER), [worse(*LARGER), TO_NEWER]),
    "other bits of another version": (
        BASE,
        with_cell(FEWER_EQUAL, header=NEWER),
        [other(*OTHER_BITS), TO_NEWER],
    ),
    "a CPU with fewer extensions": (
        base(header=on("A B avx avx2")),
        base(header=on("A B avx")),
        [environment("cpu", "A B avx2", "A B")],
    ),
    "another sample of equal numbers": (BASE, with_cell(replace(FAR, bits=9)), []),
    "a larger error of other cases": (BASE, with_cell(replace(FAR, cases=8)), []),
    "a larger error elsewhere": (BASE, with_cell(FAR, header=ELSEWHERE), [other(*LARGER), TO_ELSEWHERE]),
    "an output gone": (BASE, base(cells={cell(): summary()}), [worse("output", "2 problems", "-")]),
    "a regime gone": (
        with_cell(summary(), cell(regime="zeros")),
        BASE,
        [worse("regime", "2 problems", "-")],
    ),
    "a dtype gone": (with_cell(summary(), cell(dtype="float16")), BASE, [worse("dtype", "2 problems", "-")]),
    "a mode gone": (with_cell(summary(), cell("torch-func")), BASE, [worse("adapter", "2 problems", "-")]),
    "a new mode": (BASE, with_cell(summary(), cell("torch-func")), [other("adapter", "-", "2 problems")]),
    "a new mode that is wrong": (
        BASE,
        with_cell(WRONG, cell("torch-func")),
        [worse("verdict", "-", "outside"), other("adapter", "-", "2 problems")],
    ),
    "a promise broken": (BASE, with_behaviour("other bits: grad"), [worse(*BROKEN)]),
    "a promise broken elsewhere": (
        BASE,
        with_behaviour("other bits: grad", header=ELSEWHERE),
        [other(*BROKEN), TO_ELSEWHERE],
    ),
    "a promise kept": (
        with_behaviour("flushed"),
        with_behaviour("kept"),
        [better("behaviour", "flushed", "kept")],
    ),
    "another fact": (ON_THREE, with_behaviour("z = 0"), [other("behaviour", "z = 3", "z = 0")]),
    "misbehaves": (
        ON_THREE,
        with_behaviour("misbehaved: leaks"),
        [worse("behaviour", "z = 3", "misbehaved: leaks")],
    ),
    "no answer": (ON_THREE, with_behaviour("no grad", seen=False), [worse("behaviour", "z = 3", "no grad")]),
    "not asked": (BASE, base(behaviours=()), [worse("behaviours", "asked", "-")]),
    "a crash": (
        BASE,
        base(faults=(Fault(who="torch", what="torch exited"),)),
        [worse("fault", "-", "torch exited")],
    ),
    "a known difference gone": (BASE, base(known=()), [other("known difference", "3 elements", "-")]),
    "a known difference more": (
        BASE,
        base(known=(*BASE.known, known("z"))),
        [other("known difference", "-", "3 elements")],
    ),
    "a red run": (BASE, base(verdict=1), [worse("verdict", "within bounds", "not all within bounds")]),
    "another version": (BASE, base(header=NEWER), [TO_NEWER]),
}
# Name: the baseline, the new ledger, and why not.
CANNOT: dict[str, tuple[Ledger, Ledger, str]] = {
    "interrupted": (BASE, base(ending=INTERRUPTED), "the new ledger .* was interrupted"),
    "interrupted before": (base(ending=INTERRUPTED), BASE, "the baseline .* interrupted"),
    "nothing judged": (BASE, with_cell(summary(not_judged=6)), "judged nothing"),
    "empty": (BASE, Ledger(header()), "judged nothing"),
    "profiles": (
        BASE,
        base(header=header("torch", profile="matrix")),
        "the baseline is of profile compare, the new ledger of matrix",
    ),
}
