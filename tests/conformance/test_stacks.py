"""Layer 2: Hypothesis draws a case by seed, and the case expands to a stack of thousands of problems.

A seed has nothing to shrink. The smallest stack, rows and layout that still fail are found by the message.
"""

from __future__ import annotations

import pytest
from agreement import assert_all_agree, explained
from hypothesis import Phase, given, settings

from crosscheck.inputs import SHAPES_STACKED, Case
from crosscheck.inputs.regimes import REGIMES
from crosscheck.inputs.strategies import cases
from crosscheck.pool import AdapterPool
from reference.formats import FORMATS

# Each example is a stack; an eighth as many of them judge a thousand times as many problems.
EXAMPLES_PER_STACK = 8
PHASES = tuple(phase for phase in Phase if phase is not Phase.shrink)


@pytest.mark.untraced
@pytest.mark.parametrize("dtype", FORMATS)
def test_stacks_of_problems_from_any_seed_agree(pool: AdapterPool, dtype: str) -> None:
    @settings(max_examples=max(1, settings().max_examples // EXAMPLES_PER_STACK), phases=PHASES)
    @given(case=cases(dtype))
    def agree(case: Case) -> None:
        assert_all_agree(pool, case)

    with explained(pool):
        agree()


@pytest.mark.untraced
@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize("dtype", FORMATS)
def test_every_regime_agrees_at_the_documents_shape(pool: AdapterPool, dtype: str, regime: str) -> None:
    with explained(pool):
        assert_all_agree(pool, Case(regime, 0, SHAPES_STACKED[0], "contiguous", dtype))
