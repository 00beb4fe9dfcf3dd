"""The disagreements of a case, each of one output of one adapter, on the smallest input that shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np

from adapters.errors import AdapterCrashed
from crosscheck.explain.element import Element
from crosscheck.explain.shrink import shrink_shape
from crosscheck.inputs import Case, CaseError, Literal, parse
from crosscheck.judging.contract import check_repeatability
from crosscheck.judging.evaluation import CheckedAdapter, Outcome, evaluate_and_judge
from crosscheck.judging.judge import Judge

LONGEST = 2000  # characters of a literal case to paste; instead of a longer one the original is shown


class Disagreement(NamedTuple):
    """One output of one adapter that lies outside its admissible set.

    Attributes:
        text: the case or the file name that replays it.
        element: the element that lies farthest outside.
        outcome: the outcome of the adapter that disagrees.
        others: the outcomes of the other adapters on the same input.
        extent: how many of how many elements lie outside in the original case.
        original: the element that lies farthest outside in the original case, and the value returned there.
        is_shrunk: whether the input is smaller than the original.
        contract_violations: sentences about a broken contract, which then explain the disagreement.
    """

    text: str
    element: Element
    outcome: Outcome
    others: tuple[Outcome, ...]
    extent: str
    original: tuple[Element, float]
    is_shrunk: bool
    contract_violations: Sequence[str] = ()


@dataclass(frozen=True)
class DisagreementAnalysis:
    """Explains the disagreements of one case, each on the smallest input that shows it.

    Attributes:
        text: the case, or the file that it came from.
        judge: the judge of the case.
        outcomes: the outcomes of all adapters.
        adapters: those that can evaluate again, by the name or ``package.module:object`` that selects them.
        unsteady: by an adapter's name and the dtype, known violations of the contract that explain it.
    """

    text: str
    judge: Judge
    outcomes: Sequence[Outcome]
    adapters: Mapping[str, CheckedAdapter]
    unsteady: Mapping[tuple[str, str], Sequence[str]] = field(default_factory=dict)

    @cached_property
    def selectors(self) -> dict[str, str]:
        """The selectors of the adapters, by the adapters' names."""
        return {adapter.description.name: name for name, adapter in self.adapters.items()}

    @cached_property
    def source(self) -> Case | Literal:
        """The case; a literal with the same numbers if the text is the name of a file."""
        try:
            return parse(self.text)
        except CaseError:
            return Literal(self.judge.format.name, *self.judge.problem)

    @property
    def _without_failure(self) -> list[CheckedAdapter]:
        """The adapters that did not fail on this case; a failed one might take long to fail again."""
        failed = {outcome.description.name for outcome in self.outcomes if outcome.failure is not None}
        return [adapter for adapter in self.adapters.values() if adapter.description.name not in failed]

    def adapter_of(self, outcome: Outcome) -> CheckedAdapter | None:
        """Return the adapter of this outcome; None if it cannot evaluate any more."""
        return self.adapters.get(self.selectors.get(outcome.description.name, ""))

    def disagreements(self, outcome: Outcome) -> Iterator[Disagreement]:
        """Yield a `Disagreement` for each output outside its set; outputs share a smaller case if possible.

        If a result depends on more than its input, the case is not shrunk.
        """
        adapter = self.adapter_of(outcome)
        violations = self._repeatability_violations(adapter) if adapter and outcome.disagreeing else []
        smaller: Case | Literal | None = None
        for output in outcome.disagreeing:
            original = self._on_original_input(outcome, output)._replace(contract_violations=violations)
            if adapter is None or violations:
                yield original
                continue
            disagreement = smaller and self._on_smaller_input(smaller, adapter, original)
            if not disagreement:
                smaller = shrink_shape(adapter, self.source, output, _problem_of(original.element))
                disagreement = self._on_smaller_input(smaller, adapter, original)
            yield disagreement or original

    def _repeatability_violations(self, adapter: CheckedAdapter) -> Sequence[str]:
        known = self.unsteady.get((adapter.description.name, self.judge.format.name))
        if known:
            return known
        try:
            return check_repeatability(adapter, self.judge.problem)
        except AdapterCrashed as crash:
            return [str(crash)]

    def _on_original_input(self, outcome: Outcome, output: str) -> Disagreement:
        inside = outcome.judgements[output].admissible
        others = tuple(other for other in self.outcomes if other is not outcome)
        extent = f"{int((~inside).sum())} of {inside.size} elements of {output}"
        element = worst(self.judge, outcome, output)
        return Disagreement(
            self.text, element, outcome, others, extent, (element, element.got(outcome)), is_shrunk=False
        )

    def _on_smaller_input(
        self, smaller: Case | Literal, adapter: CheckedAdapter, original: Disagreement
    ) -> Disagreement | None:
        """Return the disagreement on a smaller case; None if it shows none, or is too long to paste."""
        if smaller is self.source or len(smaller.text) > LONGEST:
            return None
        judge, output = Judge(smaller.problem()), original.element.output
        outcome = evaluate_and_judge(adapter, judge)
        if output not in outcome.disagreeing:
            return None
        others = tuple(
            evaluate_and_judge(other, judge) for other in self._without_failure if other is not adapter
        )
        element, is_shrunk = worst(judge, outcome, output), smaller.text != self.text
        return Disagreement(
            smaller.text, element, outcome, others, original.extent, original.original, is_shrunk
        )


def worst(judge: Judge, outcome: Outcome, output: str) -> Element:
    """Return the element of an output that lies farthest outside its set, as a share of the radius."""
    got = np.asarray(getattr(outcome.outputs, output)).astype(np.float64)
    whole = judge.sets(outcome.description.arithmetic[judge.format.name])[output]
    admissible = outcome.judgements[output].admissible
    share = np.where(admissible, -1.0, whole.share(got, admissible))
    return Element(judge, output, tuple(map(int, np.unravel_index(int(np.argmax(share)), share.shape))))


def _problem_of(element: Element) -> int:
    """Return the index of the element's problem in the flat stack."""
    shape = element.judge.problem.X.shape[:-2]
    return int(np.ravel_multi_index(element.problem_index, shape)) if shape else 0
