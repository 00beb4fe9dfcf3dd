"""The part of the contract's check that is about memory: every layout, and arrays that share memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from adapters.effort import effort_for
from adapters.errors import AdapterMisbehaved
from crosscheck.judging.bits import differences
from crosscheck.judging.evaluation import CheckedAdapter
from crosscheck.judging.judge import Judge, flat
from crosscheck.judging.variants import Variants, in_one_array, repeating, square
from crosscheck.text import format_element, format_hex
from reference.arithmetic import Arithmetic
from reference.layouts import FURTHER, LAYOUTS, arrange
from reference.types import Bool, Outputs, Problem


class LayoutCheck:
    """The check of one adapter in the memory layouts of one problem; each part yields sentences."""

    def __init__(self, adapter: CheckedAdapter, variants: Variants) -> None:
        self._adapter, self._name = adapter, adapter.description.name
        self._variants = _one_call(adapter, variants)
        self._effort = effort_for(self._name)

    def layouts(self) -> Iterator[str]:
        """Call it with arrays in every memory layout, in which the outputs must be admissible, too.

        For an adapter from outside X, y and W alone have each layout, too, unless that is known to be wrong,
        and those of `FURTHER`.
        """
        problem, judge = self._variants.problem, self._variants.judge(0)
        plain = arrange(problem, "contiguous")
        contiguous = self._adapter.evaluate(*plain)
        known = set()
        for layout in LAYOUTS[1:]:
            how = f"the arrays are {layout}"
            for sentence in self._laid_out(how, arrange(problem, layout), judge, contiguous):
                known.add(layout)
                yield sentence
        for layout in (*LAYOUTS[1:], *FURTHER) if self._effort.is_outside else ():
            arranged = {} if layout in known else arrange(problem, layout)._asdict()
            for symbol, array in arranged.items():
                what, one = f"{symbol} alone is {layout}", plain._replace(**{symbol: array})
                yield from self._laid_out(what, one, judge, contiguous)

    def sharing(self) -> Iterator[str]:
        """Call it with X, y and W that begin at the same number of one array, or one number after the other.

        For an adapter from outside X and y are one array, too, and each array the same for the whole stack.
        """
        problem = self._variants.problem
        ways = {"the arrays are parts of one array": in_one_array(problem)}
        if self._effort.is_outside:
            ways["the arrays begin one after the other in one array"] = in_one_array(problem, 1)
            ways["X and y are one array"] = in_one_array(square(problem))
            if problem.X.ndim > 2:
                for symbol in "XyW":
                    ways[f"{symbol} alone is the same for the whole stack"] = repeating(problem, symbol)
        for how, shared in ways.items():
            apart = self._adapter.evaluate(*arrange(shared, "contiguous"))
            yield from self._laid_out(how, shared, Judge(shared), apart)

    def _laid_out(self, how: str, problem: Problem, judge: Judge, contiguous: Outputs) -> Iterator[str]:
        """Yield a sentence if outputs are outside for arrays in a layout, and not in contiguous memory."""
        try:
            outputs = self._adapter.evaluate(*problem)
        except AdapterMisbehaved as failure:
            yield f"{failure}; {how}, in contiguous memory it answers"
            return
        if any(differences("", contiguous, outputs)):
            known = outside_sets(judge, contiguous, self._claims)
            found = outside_sets(judge, outputs, self._claims)
            outside = {name: mask for name, mask in found.items() if name not in known}
            yield from self._elsewhere(
                f"if {how}, it is outside on", outside, outputs, "in contiguous memory", contiguous
            )

    def _elsewhere(
        self, what: str, outside: dict[str, Bool], got: Outputs, where: str, want: Outputs | None = None
    ) -> Iterator[str]:
        """Yield a sentence on the outputs that are outside, with the first place of the first of them."""
        if not outside:
            return
        name, mask = next(iter(outside.items()))
        index = tuple(int(i) for i in np.argwhere(mask)[0])
        values = [format_hex(float(getattr(o, name)[index])) for o in (got, want) if o is not None]
        beside = "".join(f", {where} {value}" for value in values[1:])
        place = f"{format_element(name, index)}: got {values[0]}{beside}"
        yield f"{self._name}: {what} {', '.join(outside)}; {place}"

    @property
    def _dtype(self) -> str:
        return self._variants.problem.X.dtype.name

    @property
    def _claims(self) -> Arithmetic:
        return self._adapter.description.arithmetic[self._dtype]


def _one_call(adapter: CheckedAdapter, variants: Variants) -> Variants:
    """Return the variants with as many of the problems as the adapter takes in one call."""
    most, problem = adapter.description.max_stack, variants.problem
    if most is None or problem.stack_size <= most:
        return variants
    return Variants(Problem(*(flat(array, 2)[:most] for array in problem)))


def outside_sets(judge: Judge, outputs: Outputs, claims: Arithmetic) -> dict[str, Bool]:
    """Return, for each output with elements outside their sets, which elements these are."""
    judged = judge.judge(outputs, claims)
    return {name: ~one.admissible for name, one in judged.items() if not one.admissible.all()}
