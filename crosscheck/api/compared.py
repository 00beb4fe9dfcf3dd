"""Compare adapters in Python, as the command ``crosscheck compare`` does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from adapters import CORE, compilation, select
from adapters.process_options import COMPILE_TIMEOUT, MOST_SECONDS, TIMEOUT, ProcessOptions
from crosscheck.compare.session import compare_quietly
from crosscheck.inputs.literals import CaseError, one_of
from crosscheck.inputs.regimes import REGIMES
from crosscheck.plans.core import PROBLEMS, core_plan
from crosscheck.results.rows import Row
from reference.formats import FORMATS

WIDTH: Final = 100  # width of the report in columns


class ComparedOutput(NamedTuple):
    """One output of one adapter in one dtype, over all problems of a comparison.

    Attributes:
        adapter, dtype, output: the names of the adapter, the dtype and the output.
        verdict: *within bounds*, *outside*, *known*, *not judged*, *no verdict*, *failed* or *unsupported*.
        judged: how many numbers have a verdict.
        not_judged: how many numbers have none.
        error: the largest error in ulp; NaN if there is none.
    """

    adapter: str
    dtype: str
    output: str
    verdict: str
    judged: int
    not_judged: int
    error: float


@dataclass(frozen=True, eq=False, repr=False)
class ComparedAdapters:
    """The results of `compare_adapters`, shown as the report that ``crosscheck compare`` prints.

    The object counts as true if it is within bounds.

    Attributes:
        outputs: an entry for each adapter, dtype and output.
        within_bounds: whether every adapter was judged, and none is wrong, failed or gave no answer in time.
        reasons: a line for each reason why not all is within bounds; empty if all is.
        text: the report.
    """

    outputs: tuple[ComparedOutput, ...]
    within_bounds: bool
    reasons: tuple[str, ...]
    text: str

    def __bool__(self) -> bool:
        return self.within_bounds

    def __repr__(self) -> str:
        return self.text


def compare_adapters(  # noqa: PLR0913, each is a choice of its own, by name
    *names: str,
    dtypes: Sequence[str] = tuple(FORMATS),
    regimes: Sequence[str] = tuple(REGIMES),
    problems: int = PROBLEMS,
    seed: int = 0,
    timeout: float = TIMEOUT,
    compile_timeout: float = COMPILE_TIMEOUT,
    journal: str | Path = ".crosscheck/journal",
) -> ComparedAdapters:
    """Compare adapters on generated problems, each in a process of its own, as ``crosscheck compare`` does.

    Args:
        names: modes, frameworks and patterns as ``--only`` takes them, such as ``"numpy"`` or ``"jax-jit"``,
            and ``"package.module:object"`` of adapters from outside; none: NumPy, PyTorch, JAX, jitted JAX.
        dtypes: names of the dtypes.
        regimes: names of kinds of input, as `crosscheck compare --regime` takes them.
        problems: the least number of problems for each adapter, dtype and regime; by default 8,519, with the
            cases of other sizes, layouts and values, which fewer leave out.
        seed: the seed of the first problems.
        timeout: seconds that an adapter may take for a call.
        compile_timeout: seconds for a call that may compile.
        journal: the folder for the inputs of calls that went wrong.

    Raises:
        AdapterError: an adapter is unknown, not installed, or cannot be loaded.
        JournalError: the journal cannot be written.
        ValueError: a dtype or regime is unknown, `problems` is below 1, or a time limit is not positive or is
            too large.

    Example:
        >>> from crosscheck import compare_adapters
        >>> compare_adapters("numpy", dtypes=["float32"], regimes=["ordinary"], problems=1).within_bounds
        True
    """
    for what, values, known in (("dtype", dtypes, FORMATS), ("regime", regimes, REGIMES)):
        _known_names(what, values, known)
    if problems < 1:
        raise CaseError(f"problems is {problems}; use 1 or more")
    for what, seconds in (("timeout", timeout), ("compile_timeout", compile_timeout)):
        if not 0 < seconds <= MOST_SECONDS:
            raise CaseError(f"{what} is {seconds}; use a number of seconds up to {MOST_SECONDS:g}")
    ours, others = ([name for name in names if (":" in name) == outside] for outside in (False, True))
    specs = select(ours, others, among=() if others and not ours else CORE)
    plan = core_plan(tuple(dtypes), tuple(regimes), problems, seed, [spec.name for spec in specs])
    options = ProcessOptions(Path(journal), timeout, compilation.kept(), compile_timeout)
    comparison, text = compare_quietly(plan, specs, options, WIDTH)
    lines = tuple(map(_line, comparison.rows))
    return ComparedAdapters(lines, comparison.is_green, tuple(comparison.reasons), text)


def _line(row: Row) -> ComparedOutput:
    """Convert a row of the comparison, without the fields that only its table needs."""
    error = np.nan if row.summary.error is None else row.summary.error.value
    return ComparedOutput(
        row.adapter, row.dtype, row.output, row.verdict, row.judged, row.summary.not_judged, error
    )


def _known_names(what: str, values: Iterable[str], known: Iterable[str]) -> None:
    if isinstance(values, str) or not values:
        raise CaseError(f"{what}s is {values!r}; use a list of names such as {next(iter(known))!r}")
    for value in values:
        one_of(value, tuple(known), what)
