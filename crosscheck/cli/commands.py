"""The commands: each reads its options, runs, and returns an exit code.

Nothing heavy is imported before a command runs, so that help and listings are fast and the thread variables
are set before NumPy reads them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import click

from crosscheck.cli.options import adapter_options, chosen, details_option, plan_options, split
from crosscheck.cli.releases import releases
from crosscheck.cli.running import exit_code
from crosscheck.cli.sweep import merge, sweep
from crosscheck.exit_codes import ExitCode


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _show_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:  # noqa: FBT001, click's call
    if wanted:
        click.echo(f"crosscheck {_version('gradient-crosscheck') or '(not installed)'}")
        context.exit()


@click.group(
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version,
    help="Show the version.",
)  # fmt: skip
@click.pass_context
def cli(context: click.Context) -> None:
    """Check whether NumPy, PyTorch and JAX compute the same gradient."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
        context.exit(ExitCode.UNUSABLE)


@cli.command()
@adapter_options
@plan_options
@details_option
@click.option("--coverage", is_flag=True, help="Print what was judged in each cell, and why a cell is empty.")
@click.option(
    "--python", multiple=True, metavar="PATH",
    help="Give it twice: run under both interpreters, and gate the second against the first.",
)  # fmt: skip
@click.option(
    "--ledger",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the results and the behaviours to FILE, for `gate` and `report`.",
)
def compare(  # noqa: PLR0913, one for each option
    *,
    adapter: tuple[str, ...],
    only: tuple[str, ...],
    timeout: float,
    compile_timeout: float,
    journal: Path,
    dtype: tuple[str, ...],
    matrix: bool,
    coverage: bool,
    details: bool,
    ledger: Path | None,
    python: tuple[str, ...],
    **choice: Any,
) -> int:
    """Compare all adapters on generated inputs and print a table."""
    from adapters import compilation
    from adapters.process_options import ProcessOptions
    from crosscheck.compare.session import compare_and_show
    from reference.formats import FORMATS

    dtypes = chosen(dtype, FORMATS, "--dtype")
    plan, specs = (_matrix if matrix else _core)(only, adapter, dtypes, **choice)
    if python:
        plan, specs = _per_interpreter(plan, specs, python)
        if ledger is not None:
            raise click.UsageError(
                "--ledger cannot be combined with --python; make a ledger under each, then gate"
            )
    options = ProcessOptions(journal, timeout, compilation.kept(), compile_timeout)
    return compare_and_show(
        plan, specs, options, shared=matrix, coverage=coverage, details=details, ledger=ledger
    )


@cli.command(short_help="Show where correct adapters compute differently.")
@adapter_options
@click.option("--dtype", multiple=True, callback=split, metavar="NAMES", help="Run only these dtypes.")
@click.option("--probe", multiple=True, callback=split, metavar="NAMES", help="Run only these probes.")
@click.option("--all", "everything", is_flag=True, help="Also show where all adapters behave alike.")
def behaviours(  # noqa: PLR0913, one for each option
    *,
    adapter: tuple[str, ...],
    only: tuple[str, ...],
    timeout: float,
    compile_timeout: float,
    journal: Path,
    dtype: tuple[str, ...],
    probe: tuple[str, ...],
    everything: bool,
) -> int:
    """Show where adapters compute differently although all of them are right."""
    from adapters import compilation
    from adapters.process_options import ProcessOptions
    from crosscheck.behaviours.questions import PROBES
    from crosscheck.behaviours.survey import survey_and_show
    from reference.formats import FORMATS

    return survey_and_show(
        _specs(only, adapter),
        ProcessOptions(journal, timeout, compilation.kept(), compile_timeout),
        dtypes=chosen(dtype, FORMATS, "--dtype"),
        probes=[PROBES[name] for name in chosen(probe, PROBES, "--probe")],
        everything=everything,
    )


@cli.command(short_help="Judge one input: a case, or X, y and W from a file.")
@click.argument("source", metavar="CASE|FILE")
@adapter_options
@click.option("--bisect", is_flag=True, help="Exit with 0, 1 or 125, as `git bisect run` expects.")
@click.option("--script", is_flag=True, help="Print a script for the framework's issue tracker.")
@click.option("--output", type=click.Path(path_type=Path), metavar="FILE", help="Write the script to FILE.")
def check(  # noqa: PLR0913, one for each option
    *,
    source: str,
    adapter: tuple[str, ...],
    only: tuple[str, ...],
    timeout: float,
    compile_timeout: float,
    journal: Path,
    bisect: bool,
    script: bool,
    output: Path | None,
) -> int:
    """Judge one input: the text of a case, or an .npz or .safetensors file with X, y and W."""
    from adapters import AdapterError
    from adapters.process_options import ProcessOptions
    from crosscheck.check import check_and_show

    options = ProcessOptions(journal, timeout, compile_timeout=compile_timeout)
    if script:
        if bisect:
            raise click.UsageError("--script cannot be combined with --bisect")
        with _hint_at_jinja("--script"):
            from crosscheck.script.command import script_and_show
        return script_and_show(source, _specs(only, adapter), options, output)
    if output is not None:
        raise click.UsageError("--output is possible only with --script")
    try:
        specs = _specs(only, adapter)
    except AdapterError as error:
        if not bisect:
            raise
        click.echo(f"crosscheck: cannot be judged: {error}", err=True)
        return ExitCode.CANNOT_BE_JUDGED
    return check_and_show(source, specs, options, bisect=bisect)


@cli.command(short_help="Show what changed between two ledgers.")
@click.argument("baseline", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option("--accept", metavar="WHY", help="Make NEW the baseline, and record the reason WHY.")
@click.option(
    "--summary",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Append the output to FILE in Markdown, for the summary of a CI job.",
)
@click.option(
    "--all", "everything", is_flag=True,
    help="Show every change, even if another machine, version or number of threads explains it.",
)  # fmt: skip
def gate(*, baseline: Path, new: Path, accept: str | None, summary: Path | None, everything: bool) -> int:
    """Show what changed between two ledgers; exit with 1 if anything is worse."""
    from crosscheck.gate import gate_and_show

    if accept is not None and not accept.strip():
        raise click.UsageError("--accept needs a reason")
    return gate_and_show(baseline, new, accept=accept, summary=summary, everything=everything)


@cli.command(short_help="Make one page for a browser from a ledger.")
@click.argument("ledger", type=click.Path(path_type=Path))
@click.argument("older", type=click.Path(path_type=Path), required=False)
@click.option(
    "--output", type=click.Path(path_type=Path), metavar="FILE",
    help="Write the page to FILE; by default the ledger's name with .html.",
)  # fmt: skip
def report(*, ledger: Path, older: Path | None, output: Path | None) -> int:
    """Make one page for a browser from a ledger, with the changes since an OLDER one."""
    with _hint_at_jinja("report"):
        from crosscheck.report.command import report_and_show
    return report_and_show(ledger, older, output)


cli.add_command(releases)
cli.add_command(sweep)
cli.add_command(merge)


@cli.command()
def adapters() -> None:
    """List the suite's own adapters."""
    from adapters import NAMED
    from adapters.modes import parse

    longest = max(map(len, NAMED))
    for name in NAMED:
        framework = parse(name).framework
        click.echo(f"{name:<{longest}} {framework} {_version(framework) or 'is not installed'}")


@contextmanager
def _hint_at_jinja(what: str) -> Iterator[None]:
    """If an import fails, say which package is not installed and how to install it."""
    try:
        yield
    except ModuleNotFoundError as missing:
        raise click.ClickException(f"{what} needs {missing.name}: pip install -e '.[report]'") from None


def _core(  # noqa: PLR0913, as `compare`
    only: Sequence[str],
    outside: Sequence[str],
    dtypes: tuple[str, ...],
    *,
    regime: Sequence[str],
    problems: int | None,
    seed: int | None,
    thorough: bool,
) -> tuple[Any, list[Any]]:
    """Return the plan without ``--matrix``, whose cases are the same for all adapters, and the adapters."""
    from crosscheck.inputs.regimes import REGIMES
    from crosscheck.plans.core import PROBLEMS, core_plan

    if thorough and problems is not None and problems < PROBLEMS:
        raise click.UsageError(f"--thorough cannot be combined with --problems below {PROBLEMS}")
    regimes, specs = chosen(regime, REGIMES, "--regime"), _specs(only, outside)
    names = [spec.name for spec in specs]
    plan = core_plan(dtypes, regimes, problems or PROBLEMS, seed or 0, names, thorough=thorough)
    return plan, specs


def _matrix(
    only: Sequence[str], outside: Sequence[str], dtypes: tuple[str, ...], *, thorough: bool, **others: Any
) -> tuple[Any, list[Any]]:
    """Return the plan of the matrix, and the modes that it has cases for."""
    from crosscheck.plans.matrix import matrix_plan, selected

    if given := [name for name, value in others.items() if value not in (None, ())]:
        raise click.UsageError(f"--{given[0]} cannot be combined with --matrix, whose cases are fixed")
    specs = selected(only, outside, dtypes)
    return matrix_plan([spec.name for spec in specs], dtypes, thorough=thorough), specs


def _per_interpreter(plan: Any, specs: Sequence[Any], pythons: Sequence[str]) -> tuple[Any, list[Any]]:
    """Return the plan and the adapters for each of two interpreters."""
    from crosscheck.compare.interpreters import suffix_of
    from crosscheck.plans.plan import per_interpreter

    if len(pythons) != 2:
        raise click.UsageError(f"--python needs two interpreters, old and new, not {len(pythons)}")
    for python in pythons:
        if not os.access(python, os.X_OK):
            raise click.UsageError(f"--python: {python} is not an executable interpreter")
    if len(set(map(suffix_of, pythons))) != len(pythons):
        raise click.UsageError("--python: both environments have the same name; rename the folder of one")
    outside = [spec.name for spec in specs if spec.framework is None]
    if outside:
        raise click.UsageError(f"--python is for the suite's own adapters, not {outside[0]}")
    under_each = [spec.under(python) for python in pythons for spec in specs]
    return per_interpreter(plan, under_each), under_each


def _specs(only: Sequence[str], outside: Sequence[str]) -> list[Any]:
    from adapters import select

    return select(only, outside)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    given = sys.argv[1:] if arguments is None else list(arguments)

    def command() -> int | None:
        with cli.make_context(
            "crosscheck", given
        ) as context:  # `cli.main` handles closed pipes in its own way
            code: int | None = cli.invoke(context)
        return code

    return exit_code(command)


def command_line() -> int:
    """Run the command line of this process, and return the exit code."""
    from adapters.threads import environment, replaced

    for flag in replaced():
        click.echo(f"crosscheck: XLA_FLAGS: {flag} is ignored: an adapter's name decides it", err=True)
    os.environ.update(environment(1))  # before NumPy is imported
    code = run()
    if "--bisect" in sys.argv and code in (ExitCode.UNUSABLE, ExitCode.INTERNAL):
        return ExitCode.CANNOT_BE_JUDGED  # `git bisect run` would take 2 and 3 for a bad version
    return code
