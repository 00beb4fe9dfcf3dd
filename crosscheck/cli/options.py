"""Options that several commands share: lists, names that must be known, and the choice of adapters."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from adapters.process_options import COMPILE_TIMEOUT, MOST_SECONDS, TIMEOUT

Command = TypeVar("Command", bound=Callable[..., Any])


class Seconds(click.FloatRange):
    """A time limit, which is neither infinite nor NaN."""

    def __init__(self) -> None:
        super().__init__(min=0, min_open=True, max=MOST_SECONDS)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number of seconds, and reject NaN."""
        found = super().convert(value, param, ctx)
        if math.isnan(found):  # click's range check accepts NaN
            self.fail("nan is not a number of seconds.", param, ctx)
        return found


def split(_: click.Context, __: click.Parameter, values: Iterable[str]) -> tuple[str, ...]:
    """Split the values of an option at commas; each entry is kept once.

    Raises:
        click.BadParameter: a value was given, but it contains no entry.
    """
    given = list(values)
    entries = dict.fromkeys(filter(None, (entry.strip() for value in given for entry in value.split(","))))
    if given and not entries:
        raise click.BadParameter("contains no name; leave the option out to choose all")
    return tuple(entries)


def chosen(values: Sequence[str], known: Iterable[str], option: str) -> tuple[str, ...]:
    """Return the values, or all known names if no value was given.

    Raises:
        click.UsageError: one of the values is not known.
    """
    allowed = tuple(known)
    for value in values:
        if value not in allowed:
            near = difflib.get_close_matches(value, allowed, n=1)
            close = f"did you mean {near[0]!r}? " if near else ""
            raise click.UsageError(f"{option}: unknown {value!r}; {close}known: {', '.join(allowed)}")
    return tuple(values) or allowed


def adapter_options(command: Command) -> Command:
    """Add the options that choose the adapters and set the limits of their processes."""
    options = (
        click.option(
            "--adapter", multiple=True, metavar="MODULE:OBJECT",
            help="Run this adapter, too. 'NAME=VALUE MODULE:OBJECT@PYTHON' sets a variable and the"
            " interpreter of its process.",
        ),
        click.option(
            "--only", multiple=True, callback=split, metavar="NAMES",
            help="Run only these of the suite's adapters: names, frameworks, patterns ('jax-jit*').",
        ),
    )  # fmt: skip
    return _with(process_options(command), options)


def process_options(command: Command) -> Command:
    """Add the options that set the limits of the adapters' processes."""
    options = (
        click.option(
            "--timeout", type=Seconds(), default=TIMEOUT, show_default=True,
            metavar="SECONDS", help="Time limit for one call of an adapter.",
        ),
        click.option(
            "--compile-timeout", type=Seconds(), default=COMPILE_TIMEOUT,
            show_default=True, metavar="SECONDS", help="Time limit for a call that may compile.",
        ),
        click.option(
            "--journal", type=click.Path(file_okay=False, path_type=Path), default=".crosscheck/journal",
            show_default=True, metavar="DIR", help="Keep the inputs of failed calls here.",
        ),
    )  # fmt: skip
    return _with(command, options)


def details_option(command: Command) -> Command:
    """Add the option --details, for commands that print a table."""
    option = click.option(
        "--details", is_flag=True, help="Print a row for each output, with the worst values over all numbers."
    )
    return option(command)


def plan_options(command: Command) -> Command:
    """Add the options that choose the cases of a comparison."""
    options = (
        click.option(
            "--dtype", multiple=True, callback=split, metavar="NAMES", help="Run only these dtypes.",
        ),
        click.option(
            "--regime", multiple=True, callback=split, metavar="NAMES", help="Run only these regimes.",
        ),
        click.option(
            "--problems", type=click.IntRange(min=1), metavar="N",
            help="Evaluate at least N problems for each adapter, dtype and regime. A number below the default"
            " of 8519 leaves out the cases of other sizes, layouts and values.",
        ),
        click.option(
            "--seed", type=click.IntRange(0, 2**63), show_default="0", metavar="S",
            help="The seed of the first round of cases.",
        ),
        click.option(
            "--matrix", is_flag=True,
            help="Run every mode of every framework, at every class of shapes and in every layout.",
        ),
        click.option(
            "--thorough", is_flag=True,
            help="Give every adapter every shape; otherwise shapes, or adapters, take turns.",
        ),
    )  # fmt: skip
    return _with(command, options)


def _with(command: Command, options: Sequence[Callable[[Command], Command]]) -> Command:
    for option in reversed(options):
        command = option(command)
    return command
