"""``python -m tools.findings LEDGER [SAMPLE]``: write the page of findings and its pictures."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from crosscheck import files
from crosscheck.exit_codes import exit_code
from crosscheck.results.ledger import LedgerError, read

PAGE = Path("docs/findings.md")


@click.command()
@click.argument("ledger", type=click.Path(path_type=Path))
@click.argument("sample", type=click.Path(path_type=Path), required=False)
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), default=PAGE, show_default=True,
    metavar="FILE", help="Write the page to FILE; the pictures go into a folder of that name.",
)  # fmt: skip
def findings(*, ledger: Path, sample: Path | None, output: Path) -> int:
    """Write what an exhaustive sweep found, from its LEDGER and the SAMPLE of a random one in float64."""
    try:
        return _write(ledger, sample, output)
    except ModuleNotFoundError as missing:
        raise click.ClickException(
            f"findings need {missing.name}: pip install -e '.[report,bench]'"
        ) from None


def _write(ledger: Path, sample: Path | None, output: Path) -> int:
    """Make the page and all pictures, and only then write the files."""
    from tools.findings.page import check_exhaustive, check_sample, page
    from tools.findings.plots import picture
    from tools.findings.steps import steps_of

    swept, beside = read(ledger), read(sample) if sample else None
    with _of(ledger):
        check_exhaustive(swept)
        steps = steps_of(swept)
    if sample and beside:
        with _of(sample):
            check_sample(beside)
    folder = output.with_suffix("")
    with _of(ledger):
        made = {output: page(swept, steps, beside, folder.name)}
    made |= {folder / f"{dtype}.svg": picture(steps, dtype) for dtype in {key.dtype: None for key in steps}}
    for path, text in made.items():
        try:
            files.replace(path, text.encode())
        except OSError as error:
            raise LedgerError(f"{path}: cannot be written: {error.strerror or error}") from None
        click.echo(f"Findings: {path}")
    return 0


@contextmanager
def _of(path: Path) -> Iterator[None]:
    """Add the path of the ledger to the messages of its errors."""
    try:
        yield
    except LedgerError as error:
        raise LedgerError(f"{path}: {error}") from None


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""

    def command() -> int | None:
        code: int | None = findings.main(arguments, standalone_mode=False)
        return code

    return exit_code(command)


if __name__ == "__main__":
    sys.exit(run())
