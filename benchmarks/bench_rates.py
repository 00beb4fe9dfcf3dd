"""Problems a second: the suite's, and what a user would write instead, in one process and one run."""

from __future__ import annotations

from collections.abc import Callable

import instead
import pytest
from instead import Test
from volume import THREE, Size, Volume, every_mode, text
from wiring import Measure

SIZES = ((1, 3, 1), (1, 64, 1))
DTYPES = ("float64", "float32")
TOOLS: dict[str, Callable[[Size, str, int], Test]] = {
    "gradcheck": instead.by_gradcheck,
    "check_grads": instead.by_check_grads,
}

# Adapters whose time is split; hazards are outside their sets now and then.
SETS = {"three": THREE, "every": every_mode(), "hazards": every_mode(hazards=True)}

sizes = pytest.mark.parametrize("size", SIZES, ids=text)
dtypes = pytest.mark.parametrize("dtype", DTYPES)


@sizes
@dtypes
def test_suite(measure: Measure, dtype: str, size: Size) -> None:
    """The random sweep with NumPy, torch and jitted JAX."""
    volume = Volume(THREE, dtype, size)
    facts = {"kind": "rates", "who": "suite", "dtype": dtype, "size": text(size)}
    measure(lambda: {"problems": volume.shard().problems}, facts)


@sizes
@dtypes
def test_hypothesis(measure: Measure, dtype: str, size: Size) -> None:
    """A plain Hypothesis test with `assert_allclose`."""
    test, rejected = instead.by_hypothesis(size, dtype, 10 if measure.quick else 200)
    facts = {"kind": "rates", "who": "hypothesis", "dtype": dtype, "size": text(size), "rejected": rejected()}
    measure(lambda: {"problems": test()}, facts)


@sizes
@pytest.mark.parametrize(("tool", "dtype"), [("gradcheck", "float64"), *(("check_grads", d) for d in DTYPES)])
def test_tool(measure: Measure, tool: str, dtype: str, size: Size) -> None:
    """A framework's own check of one gradient."""
    test = TOOLS[tool](size, dtype, 2 if measure.quick else 100)
    measure(lambda: {"problems": test()}, {"kind": "rates", "who": tool, "dtype": dtype, "size": text(size)})


@sizes
@dtypes
@pytest.mark.parametrize("modes", SETS)
def test_split(measure: Measure, modes: str, dtype: str, size: Size) -> None:
    """Where the time of the sweep goes."""
    volume = Volume(SETS[modes], dtype, size)
    facts = {"kind": "split", "modes": modes, "adapters": list(volume.adapters)}
    measure(volume.time_shard, {**facts, "dtype": dtype, "size": text(size)})
