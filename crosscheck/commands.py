"""The commands: options in, exit codes out.

0 agreement, 1 disagreement or an adapter that misbehaves, 2 unusable input, 3 an error of the suite, 125
where ``check --bisect`` cannot judge, 130 interrupted. Nothing heavy is imported before a command runs, so
that help and listings are quick and the numbers of threads are set before NumPy reads them.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import click

from crosscheck.options import adapter_options, chosen, split

AGREEMENT, DISAGREEMENT, UNUSABLE, INTERNAL, PIPE_CLOSED = 0, 1, 2, 3, 141
CANNOT_BE_JUDGED = 125
TRACEBACK = "CROSSCHECK_TRACEBACK"
# What a write comes to where nothing can be written; the journal has an error of its own.
NO_MORE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


class OutputError(Exception):
    """What was found cannot be written to where it should go."""

    def __init__(self, why: str) -> None:
        super().__init__(f"cannot write the output: {why}")


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
    """Do NumPy, PyTorch and JAX agree on a gradient?"""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
        context.exit(UNUSABLE)


@cli.command()
@adapter_options
@click.option("--dtype", multiple=True, callback=split, metavar="NAMES", help="Only these dtypes.")
@click.option("--regime", multiple=True, callback=split, metavar="NAMES", help="Only these regimes of input.")
@click.option(
    "--problems", type=click.IntRange(min=1), metavar="N",
    help="At least so many for each adapter, dtype and regime.",
)  # fmt: skip
@click.option(
    "--seed", type=click.IntRange(0, 2**63), default=0, show_default=True, metavar="S",
    help="Of the first round of cases.",
)  # fmt: skip
def compare(  # noqa: PLR0913, one for each option
    *,
    adapter: tuple[str, ...],
    only: tuple[str, ...],
    timeout: float,
    journal: Path,
    dtype: tuple[str, ...],
    regime: tuple[str, ...],
    problems: int | None,
    seed: int,
) -> int:
    """Compare all adapters on generated inputs and print a table."""
    from crosscheck.comparison.plan import PROBLEMS, Plan
    from crosscheck.comparison.session import compare_and_show
    from crosscheck.regimes import REGIMES
    from reference.formats import FORMATS

    dtypes, regimes = chosen(dtype, FORMATS, "--dtype"), chosen(regime, REGIMES, "--regime")
    plan = Plan(dtypes, regimes, problems or PROBLEMS, seed)
    return compare_and_show(plan, _specs(only, adapter), journal=journal, timeout=timeout)


@cli.command(short_help="Judge one input: a case, or X, y and W from a file.")
@click.argument("source", metavar="CASE|FILE")
@adapter_options
@click.option("--bisect", is_flag=True, help="Answer 0, 1 or 125, as `git bisect run` expects.")
def check(  # noqa: PLR0913, one for each option
    *,
    source: str,
    adapter: tuple[str, ...],
    only: tuple[str, ...],
    timeout: float,
    journal: Path,
    bisect: bool,
) -> int:
    """Judge one input: the text of a case, or a file .npz or .safetensors with X, y and W."""
    from adapters import AdapterError
    from crosscheck.check import check_and_show

    try:
        specs = _specs(only, adapter)
    except AdapterError as error:
        if not bisect:
            raise
        click.echo(f"crosscheck: cannot be judged: {error}", err=True)
        return CANNOT_BE_JUDGED
    return check_and_show(source, specs, journal=journal, timeout=timeout, bisect=bisect)


@cli.command()
def adapters() -> None:
    """List the suite's own adapters."""
    from adapters import NAMED
    from adapters.modes import parse

    for name in NAMED:
        framework = parse(name).framework
        click.echo(f"{name:<21}{framework} {_version(framework) or 'is not installed'}")


def _specs(only: Sequence[str], outside: Sequence[str]) -> list[Any]:
    from adapters import select

    return select(only, outside)


def _explained(error: Exception) -> int:
    """Say in one line what went wrong, and give the exit code for it."""
    from adapters.errors import AdapterError, JournalError, one_line
    from crosscheck.cases.literals import CaseError

    is_ours = not isinstance(error, (AdapterError, JournalError, CaseError, OutputError))
    if is_ours and os.environ.get(TRACEBACK):
        raise error
    what = one_line(error)
    if is_ours:
        what = f"internal error: {type(error).__name__}: {what}; {TRACEBACK}=1 shows where"
    click.echo(f"crosscheck: error: {what}", err=True)
    return INTERNAL if is_ours else UNUSABLE


def _discard_output() -> None:
    """Have what is left to be written go nowhere, or Python would try again when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _cause(error: Exception) -> Exception:
    """The error; where it is that of a device which takes no more, and of no file, the one of the output."""
    if not isinstance(error, OSError) or error.filename is not None or error.errno not in NO_MORE:
        return error
    _discard_output()
    return OutputError(os.strerror(error.errno))


def _invoke(arguments: list[str]) -> int | None:
    """Run a command; its exit code, None for agreement."""
    if sys.stdout is None:
        raise OutputError("stdout is closed")
    # not `cli.main`, which has its own opinion on closed pipes
    with cli.make_context("crosscheck", arguments) as context:
        code: int | None = cli.invoke(context)
    sys.stdout.flush()
    return code


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    try:
        return _invoke(sys.argv[1:] if arguments is None else list(arguments)) or AGREEMENT
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as error:
        click.echo(f"crosscheck: error: {error.format_message()}", err=True)
        return UNUSABLE
    except BrokenPipeError:  # the reader, such as head, has seen enough
        _discard_output()
        return PIPE_CLOSED
    except Exception as error:  # noqa: BLE001, the last stop: one line instead of a traceback
        return _explained(_cause(error))


def command_line() -> int:
    """Run what the command line of this process says, and return the exit code."""
    from adapters.threads import environment

    os.environ.update(environment(1))  # before NumPy is imported
    code = run()
    if "--bisect" in sys.argv and code in (UNUSABLE, INTERNAL):
        return CANNOT_BE_JUDGED  # `git bisect run` takes 2 and 3 for a bad version
    return code
