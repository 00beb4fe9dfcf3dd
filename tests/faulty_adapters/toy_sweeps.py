"""The command line with one more sweep: ``python -m tests.faulty_adapters.toy_sweeps sweep toy``."""

from __future__ import annotations

import sys
from typing import Any

import click

from crosscheck.cli.commands import command_line
from crosscheck.cli.sweep import sweep_command


@sweep_command(
    click.option("--shards", type=int, default=4),
    click.option("--seconds", type=float, default=0.0),
    click.option("--diary", default=""),
)
def toy(**choice: Any) -> Any:
    """Little work."""
    from .toy import Toy

    return Toy(**choice)


if __name__ == "__main__":
    sys.exit(command_line())
