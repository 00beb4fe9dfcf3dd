"""The command `crosscheck releases`; heavy modules are imported when it runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crosscheck.cli.options import chosen, process_options, split

if TYPE_CHECKING:
    from adapters import Spec


@click.command(short_help="Show what changes between releases of a framework.")
@click.argument("framework")
@click.argument("versions")
@click.option(
    "--only",
    multiple=True,
    callback=split,
    metavar="NAMES",
    help="Run only these of the framework's modes: names or patterns ('jax-jit*').",
)
@click.option("--dtype", multiple=True, callback=split, metavar="NAMES", help="Run only these dtypes.")
@click.option("--matrix", is_flag=True, help="Run the cases of the matrix, without --only in every mode.")
@click.option(
    "--bisect",
    "case",
    metavar="CASE|FILE",
    help="Find the first release that is wrong on this case, in fewer runs than all.",
)
@click.option(
    "--python",
    default=sys.executable,
    show_default="this one",
    metavar="PATH",
    help="Make the environments with this interpreter.",
)
@click.option("--again", is_flag=True, help="Run releases again that have been run.")
@click.option("--remove", is_flag=True, help="Remove each environment after its run; ledgers stay.")
@process_options
def releases(  # noqa: PLR0913, one for each option
    *,
    framework: str,
    versions: str,
    only: tuple[str, ...],
    dtype: tuple[str, ...],
    matrix: bool,
    case: str | None,
    python: str,
    again: bool,
    remove: bool,
    timeout: float,
    compile_timeout: float,
    journal: Path,
) -> int:
    """Show what changes between releases of a framework: 0.8.0..latest, 0.8.0..0.10.2, or 0.10.1,0.10.2."""
    from adapters import MODULES, compilation, select
    from adapters.process_options import ProcessOptions
    from crosscheck.releases import versions as index
    from crosscheck.releases.bisection import bisect_and_show
    from crosscheck.releases.environments import ReleaseEnvironment
    from crosscheck.releases.run import releases_and_show
    from reference.formats import FORMATS

    chosen([framework], MODULES, "FRAMEWORK")
    if not os.access(python, os.X_OK):
        raise click.UsageError(f"--python: {python} is not an executable interpreter")
    dtypes, names = chosen(dtype, FORMATS, "--dtype"), _names(framework, only, python, matrix=matrix)

    def specs_under(interpreter: str) -> Sequence[Spec]:
        return select([f"{name}@{interpreter}" for name in names])

    options = ProcessOptions(journal, timeout, compilation.FRESH, compile_timeout)
    environments = [
        ReleaseEnvironment(framework, release, python)
        for release in index.chosen(framework, versions, python)
    ]
    if case is not None:
        return bisect_and_show(case, environments, specs_under, options)
    plan = _plan(names, dtypes, matrix=matrix)
    return releases_and_show(
        plan, environments, specs_under, options, shared=matrix, again=again, remove=remove
    )


def _names(framework: str, only: Sequence[str], python: str, *, matrix: bool) -> list[str]:
    """Return the names of the modes of the framework that are run."""
    from adapters import CORE, NAMED, select
    from adapters.modes import parse
    from crosscheck.plans.combinations import all_combinations
    from crosscheck.plans.plan import without_interpreter

    every = tuple(dict.fromkeys([*NAMED, *(name for name, _ in all_combinations())])) if matrix else CORE
    if not only:
        return [name for name in every if parse(name).framework == framework]
    # under an interpreter, since the framework need not be installed here
    specs = select([f"{entry}@{python}" for entry in only], among=every)
    found = [without_interpreter(spec.name) for spec in specs]
    if other := [name for name in found if parse(name).framework != framework]:
        raise click.UsageError(f"--only: {other[0]} is no mode of {framework}")
    return found


def _plan(names: Sequence[str], dtypes: tuple[str, ...], *, matrix: bool) -> Any:
    from crosscheck.plans.core import core_plan
    from crosscheck.plans.matrix import matrix_plan

    return matrix_plan(names, dtypes) if matrix else core_plan(dtypes, names=names)
