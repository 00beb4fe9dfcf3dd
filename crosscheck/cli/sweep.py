"""The commands `crosscheck sweep` and `crosscheck merge`; heavy modules are imported when a command runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crosscheck.cli.options import Seconds, adapter_options, chosen, details_option, split

if TYPE_CHECKING:
    from crosscheck.sweep.job import SweepKind
    from crosscheck.sweep.record import Slice

Option = Callable[[Callable[..., Any]], Callable[..., Any]]


def _size(_: click.Context, __: click.Parameter, value: str) -> tuple[int, ...]:
    sizes = value.split("x")
    if len(sizes) != 3 or not all(re.fullmatch("[1-9][0-9]{0,5}", size) for size in sizes):
        raise click.BadParameter(f"{value!r} is not a size; write m, n and p as in 1x3x1")
    return tuple(map(int, sizes))


def _part(_: click.Context, __: click.Parameter, value: str | None) -> Slice | None:
    from crosscheck.sweep.record import slice_of

    if value is None:
        return None
    try:
        return slice_of(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@contextmanager
def _what_it_needs() -> Iterator[None]:
    """Replace the error of a missing package by one line that says how to install it."""
    try:
        yield
    except ModuleNotFoundError as missing:
        raise click.ClickException(f"sweep needs {missing.name}: pip install -e '.[sweep]'") from None


# The options that are common to all kinds of sweep.
_RUN_OPTIONS: Sequence[Option] = (
    click.option(
        "--workers", type=click.IntRange(1, 1024), metavar="N",
        help="Compute in N processes; by default one for each core.",
    ),
    click.option(
        "--shard-timeout", "limit", type=Seconds(), default=600.0,
        show_default=True, metavar="SECONDS", help="Time limit for a shard, including compilation.",
    ),
    click.option(
        "--store", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
        help="Keep finished shards in DIR; by default a directory in .crosscheck/sweeps.",
    ),
    click.option("--resume", is_flag=True, help="Continue a sweep from its finished shards."),
    click.option(
        "--shard", "part", callback=_part, metavar="I/N",
        help="Compute every N-th shard, from the I-th on; `crosscheck merge` joins the parts.",
    ),
    click.option(
        "--scheduler", metavar="ADDRESS",
        help="Compute on the Dask cluster at ADDRESS, such as tcp://127.0.0.1:8786.",
    ),
    click.option(
        "--ledger", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
        help="Write the results to FILE, for `gate`, `report` and `merge`.",
    ),
)  # fmt: skip


@click.group(short_help="Judge large numbers of problems in shards.")
def sweep() -> None:
    """Judge large numbers of problems in shards, in any number of processes; a sweep can be resumed."""


def sweep_command(*options: Option) -> Callable[[Callable[..., SweepKind]], Callable[..., SweepKind]]:
    """Make a subcommand of ``sweep`` from a function that makes a kind of sweep from its options.

    The subcommand has the name of the function, and its docstring as help.
    """

    def add(make_kind: Callable[..., SweepKind]) -> Callable[..., SweepKind]:
        command: Callable[..., Any] = partial(_sweep, make_kind)
        all_options: Sequence[Option] = (adapter_options, *options, details_option, *_RUN_OPTIONS)
        for option in reversed(all_options):
            command = option(command)
        sweep.add_command(click.command(make_kind.__name__, help=make_kind.__doc__)(command))
        return make_kind

    return add


def _sweep(  # noqa: PLR0913, one for each option
    make_kind: Callable[..., SweepKind],
    *,
    adapter: tuple[str, ...],
    only: tuple[str, ...],
    timeout: float,
    compile_timeout: float,
    journal: Path,
    workers: int | None,
    part: Slice | None,
    scheduler: str | None,
    **choice: Any,
) -> int:
    """Sweep with the adapters and the kind of sweep that the options choose."""
    from adapters import compilation, select
    from adapters.process_options import ProcessOptions, cores

    with _what_it_needs():
        from crosscheck.sweep.record import WHOLE
        from crosscheck.sweep.session import SweepOptions, sweep_and_show

    if scheduler is not None and workers is not None:
        raise click.UsageError("--workers cannot be combined with --scheduler, whose cluster has its own")
    sweep_options = SweepOptions(
        workers=workers or cores(),
        part=part or WHOLE,
        scheduler=scheduler,
        **{option: choice.pop(option) for option in ("limit", "store", "resume", "ledger", "details")},
    )
    specs = select(only, adapter)
    process_options = ProcessOptions(journal, timeout, compilation.kept(), compile_timeout)
    with _what_it_needs():
        kind = make_kind(**choice)
    return sweep_and_show(kind, specs, process_options, sweep_options)


_DTYPE = click.option(
    "--dtype", multiple=True, callback=split, metavar="NAMES", help="Run only these dtypes."
)  # fmt: skip
_SEED = click.option(
    "--seed", type=click.IntRange(0, 2**53), default=0, show_default=True, metavar="S",
    help="The seed of the first shard.",
)  # fmt: skip


@sweep_command(
    click.option(
        "--problems", type=click.IntRange(min=1), default=10**7, show_default=True, metavar="N",
        help="Evaluate N problems for each adapter and dtype.",
    ),
    _DTYPE,
    click.option(
        "--size", default="1x3x1", show_default=True, callback=_size, metavar="MxNxP",
        help="The samples, inputs and outputs of each network.",
    ),
    _SEED,
)  # fmt: skip
def random(problems: int, dtype: list[str], size: tuple[int, int, int], seed: int) -> SweepKind:
    """Judge millions of problems of one size. Without --dtype, they are in float64 and float32."""
    from crosscheck.inputs import CaseError
    from crosscheck.sweep.random import Random
    from reference.formats import FORMATS

    dtypes = chosen(dtype, FORMATS, "--dtype") if dtype else ("float64", "float32")
    kind = Random(problems, dtypes, size, seed)
    try:
        for shard in (0, len(kind) - 1):
            list(kind.cases(shard))
    except CaseError as error:
        raise click.UsageError(f"--size: {error}") from None
    return kind


@sweep_command(
    click.option(
        "--problems", type=click.IntRange(min=1), default=10**6, show_default=True, metavar="N",
        help="Evaluate at least N problems for each adapter, dtype and regime, in whole cases.",
    ),
    _DTYPE,
    click.option(
        "--regime", multiple=True, callback=split, metavar="NAMES", help="Run only these regimes."
    ),
    _SEED,
)  # fmt: skip
def regimes(problems: int, dtype: list[str], regime: list[str], seed: int) -> SweepKind:
    """Judge more rounds of the plan of `compare`: every regime at every shape of a round."""
    from crosscheck.inputs.regimes import REGIMES
    from crosscheck.sweep.regimes import Regimes
    from reference.formats import FORMATS

    return Regimes(problems, chosen(dtype, FORMATS, "--dtype"), chosen(regime, REGIMES, "--regime"), seed)


@sweep_command(_DTYPE)
def exhaustive(dtype: list[str]) -> SweepKind:
    """Judge every float16, bfloat16 and float32 number as z. There is one input and one weight."""
    from crosscheck.sweep.exhaustive import DTYPES, Exhaustive

    return Exhaustive(chosen(dtype, DTYPES, "--dtype"))


@click.command(short_help="Merge the parts of a sweep.")
@click.argument("parts", nargs=-1, required=True, metavar="LEDGER|STORE...", type=click.Path(path_type=Path))
@click.option(
    "--ledger", required=True, type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="Write the merged ledger to FILE.",
)  # fmt: skip
@click.option("--partial", is_flag=True, help="Merge even if shards are missing.")
@details_option
def merge(*, parts: tuple[Path, ...], ledger: Path, partial: bool, details: bool) -> int:
    """Merge the parts of a sweep: ledgers of `--shard I/N`, or stores. Nothing is computed."""
    with _what_it_needs():
        from crosscheck.sweep.store import merge_and_show
    return merge_and_show(parts, ledger, partial=partial, details=details)
