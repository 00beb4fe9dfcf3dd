"""The command line with one more sweep: ``python -m tests.faulty_adapters.toy_sweeps sweep toy``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click

from adapters import Spec
from crosscheck.cli.commands import command_line
from crosscheck.sweep.command import SweepCommand, command_of, sweep


def toy(specs: Sequence[Spec], **choice: Any) -> Any:
    """The kind of sweep."""
    from .toy import Toy

    del specs
    return Toy(**choice)


OPTIONS = (
    click.option("--shards", type=int, default=4),
    click.option("--seconds", type=float, default=0.0),
    click.option("--diary", default=""),
)
sweep.add_command(command_of("toy", SweepCommand("Little work.", OPTIONS, toy)))

if __name__ == "__main__":
    sys.exit(command_line())
