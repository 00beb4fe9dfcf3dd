"""Pairs of ledgers, with what changed between them; and pairs that cannot be held against each other."""

from __future__ import annotations

import dataclasses

from ledgers import ENVIRONMENT, adapter, behaviour, cell, header, known, small, summary
from msgspec.structs import replace

from crosscheck.results.changes import ChangeKind
from crosscheck.results.ledger import Ledger
from crosscheck.results.lines import INTERRUPTED, Fault
from crosscheck.results.summary import Cell, Number, Summary, Worst

BASE = small()
WORSE, BETTER, OTHER = ChangeKind.REGRESSION, ChangeKind.IMPROVEMENT, ChangeKind.CHANGE


def with_cell(found: Summary, place: Cell | None = None) -> Ledger:
    return dataclasses.replace(BASE, cells={**BASE.cells, place or cell(): found})


def with_behaviour(value: str, *, seen: bool = True) -> Ledger:
    return dataclasses.replace(BASE, behaviours=(behaviour(value, seen=seen),))


WRONG = summary(
    wrong_problems=1, wrong_elements=2, bits=10, share=Worst(Number(3.0), "case", (0, 0, 0), "zeros")
)
FAR = summary(bits=10, error=Worst(Number(2.5), "far", (0, 0, 0), "ordinary"))
NEAR = summary(bits=10, error=Worst(Number(0.5), "near", (0, 0, 0), "ordinary"))
ELSEWHERE = header("torch", environment=replace(ENVIRONMENT, cpu="another"))
NEWER = header(adapters=(adapter("torch", "2.14.0"),))
THREADED = header(adapters=(replace(adapter("torch"), threads=2),))
# Name: the baseline, the new ledger, and the kind, fact, old and new value of every change.
PAIRS: dict[str, tuple[Ledger, Ledger, list[tuple[ChangeKind, str, str, str]]]] = {
    "nothing": (BASE, BASE, []),
    "outside": (BASE, with_cell(WRONG), [(WORSE, "verdict", "within bounds", "outside")]),
    "agrees again": (with_cell(WRONG), BASE, [(BETTER, "verdict", "outside", "within bounds")]),
    "known": (
        BASE,
        with_cell(replace(WRONG, known_elements=2)),
        [(WORSE, "verdict", "within bounds", "known")],
    ),
    "more outside": (
        with_cell(WRONG),
        with_cell(replace(WRONG, wrong_elements=3)),
        [(WORSE, "elements outside", "2", "3")],
    ),
    "fewer outside": (
        with_cell(replace(WRONG, wrong_elements=3)),
        with_cell(WRONG),
        [(BETTER, "elements outside", "3", "2")],
    ),
    "fewer problems": (BASE, with_cell(summary(problems=1, cases=1)), [(WORSE, "problems", "2", "1")]),
    "fewer judged": (BASE, with_cell(summary(not_judged=1)), [(WORSE, "judged", "6", "5")]),
    "not judged": (
        BASE,
        with_cell(summary(not_judged=6)),
        [(WORSE, "verdict", "within bounds", "not judged")],
    ),
    "a larger error": (BASE, with_cell(FAR), [(WORSE, "worst ulp", "1.5", "2.5")]),
    "a smaller error": (BASE, with_cell(NEAR), [(BETTER, "worst ulp", "1.5", "0.5")]),
    "other bits": (
        BASE,
        with_cell(summary(bits=10, equal=4)),
        [(OTHER, "bits", "5 of 6 as the reference", "4 of 6 as the reference")],
    ),
    "other bits, as many as the reference's": (
        BASE,
        with_cell(summary(bits=0x1A3)),
        [
            (
                OTHER,
                "bits",
                "5 of 6 as the reference, mark 000000000000",
                "5 of 6 as the reference, mark 000000000001",
            )
        ],
    ),
    "errors that six digits do not tell apart": (
        BASE,
        with_cell(replace(FAR, error=Worst(Number(1.5 + 2**-26), "far", (0, 0, 0), "ordinary"))),
        [(WORSE, "worst ulp", "1.5", "1.50000001")],
    ),
    "a larger error with more threads": (
        BASE,
        dataclasses.replace(with_cell(FAR), header=THREADED),
        [
            (OTHER, "worst ulp", "1.5", "2.5"),
            (
                ChangeKind.ENVIRONMENT,
                "adapter torch",
                "torch 2.13.0, cpu, 1 thread",
                "torch 2.13.0, cpu, 2 threads",
            ),
        ],
    ),
    "a larger error of another version": (
        BASE,
        dataclasses.replace(with_cell(FAR), header=NEWER),
        [
            (WORSE, "worst ulp", "1.5", "2.5"),
            (
                ChangeKind.ENVIRONMENT,
                "adapter torch",
                "torch 2.13.0, cpu, 1 thread",
                "torch 2.14.0, cpu, 1 thread",
            ),
        ],
    ),
    "other bits of another version": (
        BASE,
        dataclasses.replace(with_cell(summary(bits=10, equal=4)), header=NEWER),
        [
            (OTHER, "bits", "5 of 6 as the reference", "4 of 6 as the reference"),
            (
                ChangeKind.ENVIRONMENT,
                "adapter torch",
                "torch 2.13.0, cpu, 1 thread",
                "torch 2.14.0, cpu, 1 thread",
            ),
        ],
    ),
    "a CPU with fewer extensions": (
        dataclasses.replace(
            BASE, header=header("torch", environment=replace(ENVIRONMENT, cpu="A B avx avx2"))
        ),
        dataclasses.replace(BASE, header=header("torch", environment=replace(ENVIRONMENT, cpu="A B avx"))),
        [(ChangeKind.ENVIRONMENT, "cpu", "A B avx2", "A B")],
    ),
    "another sample of equal numbers": (BASE, with_cell(replace(FAR, bits=9)), []),
    "a larger error of other cases": (BASE, with_cell(replace(FAR, cases=8)), []),
    "a larger error elsewhere": (
        BASE,
        dataclasses.replace(with_cell(FAR), header=ELSEWHERE),
        [(OTHER, "worst ulp", "1.5", "2.5"), (ChangeKind.ENVIRONMENT, "cpu", "some avx2", "another")],
    ),
    "an output gone": (
        BASE,
        dataclasses.replace(BASE, cells={cell(): summary()}),
        [(WORSE, "output", "2 problems", "-")],
    ),
    "a regime gone": (
        with_cell(summary(), cell(regime="zeros")),
        BASE,
        [(WORSE, "regime", "2 problems", "-")],
    ),
    "a dtype gone": (
        with_cell(summary(), cell(dtype="float16")),
        BASE,
        [(WORSE, "dtype", "2 problems", "-")],
    ),
    "a mode gone": (with_cell(summary(), cell("torch-func")), BASE, [(WORSE, "adapter", "2 problems", "-")]),
    "a new mode": (BASE, with_cell(summary(), cell("torch-func")), [(OTHER, "adapter", "-", "2 problems")]),
    "a new mode that is wrong": (
        BASE,
        with_cell(WRONG, cell("torch-func")),
        [(WORSE, "verdict", "-", "outside"), (OTHER, "adapter", "-", "2 problems")],
    ),
    "a promise broken": (
        BASE,
        with_behaviour("other bits: grad"),
        [(WORSE, "behaviour", "the same bits", "other bits: grad")],
    ),
    "a promise broken elsewhere": (
        BASE,
        dataclasses.replace(with_behaviour("other bits: grad"), header=ELSEWHERE),
        [
            (OTHER, "behaviour", "the same bits", "other bits: grad"),
            (ChangeKind.ENVIRONMENT, "cpu", "some avx2", "another"),
        ],
    ),
    "a promise kept": (
        with_behaviour("flushed"),
        with_behaviour("kept"),
        [(BETTER, "behaviour", "flushed", "kept")],
    ),
    "another fact": (
        with_behaviour("z = 3"),
        with_behaviour("z = 0"),
        [(OTHER, "behaviour", "z = 3", "z = 0")],
    ),
    "misbehaves": (
        with_behaviour("z = 3"),
        with_behaviour("misbehaved: leaks"),
        [(WORSE, "behaviour", "z = 3", "misbehaved: leaks")],
    ),
    "no answer": (
        with_behaviour("z = 3"),
        with_behaviour("no grad", seen=False),
        [(WORSE, "behaviour", "z = 3", "no grad")],
    ),
    "not asked": (BASE, dataclasses.replace(BASE, behaviours=()), [(WORSE, "behaviours", "asked", "-")]),
    "a crash": (
        BASE,
        dataclasses.replace(BASE, faults=(Fault(who="torch", what="torch exited"),)),
        [(WORSE, "fault", "-", "torch exited")],
    ),
    "a known difference gone": (
        BASE,
        dataclasses.replace(BASE, known=()),
        [(OTHER, "known difference", "3 elements", "-")],
    ),
    "a known difference more": (
        BASE,
        dataclasses.replace(BASE, known=(*BASE.known, known("z"))),
        [(OTHER, "known difference", "-", "3 elements")],
    ),
    "a red run": (
        BASE,
        dataclasses.replace(BASE, verdict=1),
        [(WORSE, "verdict", "within bounds", "not all within bounds")],
    ),
    "another version": (
        BASE,
        dataclasses.replace(BASE, header=NEWER),
        [
            (
                ChangeKind.ENVIRONMENT,
                "adapter torch",
                "torch 2.13.0, cpu, 1 thread",
                "torch 2.14.0, cpu, 1 thread",
            )
        ],
    ),
}
# Name: the baseline, the new ledger, and why not.
CANNOT: dict[str, tuple[Ledger, Ledger, str]] = {
    "interrupted": (BASE, dataclasses.replace(BASE, ending=INTERRUPTED), "the new ledger .* was interrupted"),
    "interrupted before": (
        dataclasses.replace(BASE, ending=INTERRUPTED),
        BASE,
        "the baseline .* interrupted",
    ),
    "nothing judged": (BASE, with_cell(summary(not_judged=6)), "judged nothing"),
    "empty": (BASE, Ledger(header()), "judged nothing"),
    "profiles": (
        BASE,
        dataclasses.replace(BASE, header=header("torch", profile="matrix")),
        "the baseline is of profile compare, the new ledger of matrix",
    ),
}
