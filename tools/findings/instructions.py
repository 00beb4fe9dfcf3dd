"""``python -m tools.findings.instructions > tools/findings/instructions.md``.

It makes the page's section on instruction sets: how the results of each core adapter change when its process
is restricted to a level that this CPU supports.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

import click
import numpy as np

from adapters import CORE, spec_of
from adapters.errors import AdapterMisbehaved
from adapters.instructions import LEVELS, NATIVE, unavailable
from adapters.modes import parse
from adapters.process_adapter import ProcessAdapter
from adapters.process_options import ProcessOptions
from crosscheck.inputs import Case
from crosscheck.inputs.regimes import REGIMES
from crosscheck.judging.accuracy import errors, exact_values
from crosscheck.judging.judge import Judge
from crosscheck.results.environment import environment
from crosscheck.results.measure import equal_bits
from reference.formats import FORMATS
from reference.types import Outputs
from tools.findings.tables import NAMES, ulp

MODULE: Final = "tools.findings.instructions"
SHAPES: Final = ((4096, 1, 3, 1), (64, 7, 33, 3))
PACKAGES: Final = ("numpy", "torch", "jax", "jaxlib")


@dataclass
class Difference:
    """The difference of one output at a level from the same output with all instructions of the CPU.

    Attributes:
        elements, other: the number of elements, and of those with other bits; all NaNs count as equal.
        worst: the largest error in ulp in ordinary problems, where the exact value is known.
    """

    elements: int = 0
    other: int = 0
    worst: float = 0.0


Table = dict[tuple[str, str, str], dict[str, Difference]]  # by adapter, dtype and output, then by level


def cases(dtype: str) -> Iterator[Case]:
    """Yield a case of every regime in two shapes."""
    return (Case(regime, 0, shape, dtype=dtype) for regime in REGIMES for shape in SHAPES)


def measured(levels: list[str], folder: Path) -> tuple[Table, dict[str, str]]:
    """Measure the differences; also return the reasons why an adapter has no result in a dtype."""
    table: Table = {}
    failed: dict[str, str] = {}
    for name in CORE:
        modes = {level: parse(name if level == NATIVE else f"{name}-{level}") for level in levels}
        adapters = {
            level: ProcessAdapter.start(spec_of(mode), ProcessOptions(folder))
            for level, mode in modes.items()
        }
        for dtype in FORMATS:
            for case in cases(dtype):
                judge, got = Judge(case.problem()), dict[str, Outputs]()
                for level, adapter in adapters.items():
                    try:
                        got[level] = adapter.evaluate(*judge.problem)
                    except AdapterMisbehaved as failure:
                        failed[f"{modes[level].name} {dtype}"] = failure.what
                add(table, (name, dtype), judge, got, ordinary=case.regime == "ordinary")
        for adapter in adapters.values():
            adapter.close()
    return table, failed


def add(
    table: Table, key: tuple[str, str], judge: Judge, got: Mapping[str, Outputs], *, ordinary: bool
) -> None:
    """Add the results of one case at each level; errors are measured only if the case is ordinary."""
    exact = exact_values(judge, 0) if ordinary else {}
    for level, outputs in got.items():
        far = errors(outputs, exact, judge.format) if ordinary else {}
        there = [output for output in NAMES if getattr(outputs, output) is not None]
        for output in there:
            mine, plain = (np.ascontiguousarray(getattr(each, output)) for each in (outputs, got[NATIVE]))
            found = table.setdefault((*key, output), {}).setdefault(level, Difference())
            found.elements += mine.size
            found.other += mine.size - equal_bits(mine, plain)
            if output in far:
                error = far[output][0]
                found.worst = max(found.worst, float(np.nanmax(error, initial=0.0)))


def section(table: Table, failed: Mapping[str, str], levels: list[str]) -> Iterator[str]:
    """Yield the lines of the section in Markdown."""
    about = environment()
    yield "## Instruction sets"
    yield ""
    shapes = " and ".join("x".join(map(str, shape)) for shape in SHAPES)
    yield "The processes of the core adapters were restricted to each [level](matrix.md#instruction-sets)"
    yield f"that the CPU has. The table counts the elements of all ten regimes (shapes {shapes})"
    yield "that have other bits than without a restriction, and shows the worst error in ulp of ordinary"
    yield "problems. Outputs that are missing have the same bits at every level. This command makes the"
    yield "section, which the page includes:"
    yield ""
    yield "```"
    yield f".venv/bin/python -m {MODULE} > {MODULE.replace('.', '/')}.md"
    yield "```"
    yield ""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    yield f"Python {platform.python_version()}, {packages}, {about.blas}; {about.cpu}."
    yield ""
    held = [level for level in levels if level != NATIVE]
    names = [f"other bits, {level}" for level in held] + [f"worst / ulp, {level}" for level in levels]
    yield f"| adapter | dtype | output | elements | {' | '.join(names)} |"
    yield "|---" * (4 + len(names)) + "|"
    for (name, dtype, output), by_level in table.items():
        if any(each.other for each in by_level.values()):
            other = [f"{by_level[level].other:,}" if level in by_level else "–" for level in held]
            worst = [ulp(by_level[level].worst) if level in by_level else "–" for level in levels]
            row = [name, dtype, NAMES[output], f"{by_level[NATIVE].elements:,}", *other, *worst]
            yield f"| {' | '.join(row)} |"
    if failed:
        yield ""
        yield "These adapters returned no result at all:"
        yield ""
        yield from (f"- {who}: {' '.join(what.split())}" for who, what in failed.items())


@click.command()
@click.option("--journal", type=click.Path(path_type=Path), default=".crosscheck/journal", metavar="DIR")
def instructions(journal: Path) -> None:
    """Print the section on instruction sets, measured on this CPU."""
    levels = [NATIVE, *(level for level in LEVELS if unavailable(level) is None)]
    click.echo("\n".join(section(*measured(levels, journal), levels)))


if __name__ == "__main__":
    instructions()
