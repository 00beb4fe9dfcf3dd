"""All benchmarks in one run, and the page that they make.

    python benchmarks/run.py [--quick] [--only EXPRESSION] [--page]

The figures go to .crosscheck/benchmarks.json, the page to docs/benchmarks.md with its pictures beside it. A
quick run and a part of one make theirs in .crosscheck/benchmarks instead. --page measures nothing and makes
the page again from the figures.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from string import Template
from typing import Final

from adapters import compilation, threads

# before NumPy, torch or JAX read it: one thread each, as in the workers of a sweep
os.environ.update({**threads.environment(1), **compilation.settings(compilation.kept())})

import plots
import pytest
import tables
import wiring
from figures import Run

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parent
LEFT: Final = ROOT / ".crosscheck"


def write_page(figures: Path, folder: Path) -> None:
    """The page and its pictures."""
    run = Run.read(figures)
    plots.draw(run, folder / "benchmarks")
    page = Template((HERE / "page.md").read_text("utf-8")).substitute(
        machine=tables.machine(run),
        rates=tables.rates(run),
        split_three=tables.split(run, "three"),
        split_every=tables.split(run, "every"),
        split_hazards=tables.split(run, "hazards"),
        growth=tables.growth(run),
        memory=tables.memory(run),
    )
    (folder / "benchmarks.md").write_text(page, "utf-8")
    print(f"{folder / 'benchmarks.md'}")


def main() -> int:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description="Run all benchmarks and write their page.")
    parser.add_argument("--quick", action="store_true", help="run quickly, to see that everything works")
    parser.add_argument(
        "--only", default="", metavar="EXPRESSION", help="run only these benchmarks, as with pytest's -k"
    )
    parser.add_argument("--page", action="store_true", help="measure nothing, and write the page again")
    options = parser.parse_args()
    partly = options.quick or options.only
    figures = LEFT / ("benchmarks/figures.json" if partly else "benchmarks.json")
    figures.parent.mkdir(parents=True, exist_ok=True)
    if not options.page:
        given = ["-c", str(HERE / "pytest.toml"), "-k", options.only, f"--benchmark-json={figures}"]
        given += ["--benchmark-columns=min,median,max,rounds", "--benchmark-sort=fullname", "--durations=8"]
        code = pytest.main([*given, *(["--quick"] if options.quick else []), str(HERE)], plugins=[wiring])
        if code:
            return int(code)
    write_page(figures, figures.parent if partly else ROOT / "docs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
