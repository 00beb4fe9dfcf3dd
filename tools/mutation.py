"""Mutation testing of `reference/` and the judge: ``python -m tools.mutation``, or ``make mutation``.

mutmut changes one operator, number, argument or assignment of a function at a time, and runs the tests that
call the function. A mutant whose tests all pass has *survived*. ``pyproject.toml`` says which files and which
tests; what is done is kept in ``mutants/``, so that an interrupted run goes on. The command writes
``docs/mutation.md``; ``tools/mutation.toml`` has the reason why a survivor changes nothing that matters.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = ROOT / "docs" / "mutation.md"
REASONS: Final = ROOT / "tools" / "mutation.toml"
# A few mutants, whose run makes all others, too.
FIRST: Final = "reference.formats*"
# Functions that are called while their module is imported, when mutmut has no mutant active yet.
AT_IMPORT: Final = tuple(
    f"reference.exponential.x__{name}__" for name in ("ln2", "nearest_pair", "parts_of_the_step", "powers")
)
NEWLINE: Final = "\n"
KILLED: Final = ("killed", "timeout", "suspicious")


class Mutant(NamedTuple):
    """A mutant of a function, with what became of it.

    Attributes:
        name: mutmut's own name, ``MODULE.x_FUNCTION__mutmut_NUMBER``.
        status: ``killed``, ``survived``, ``no tests``, ``timeout`` or another word of mutmut's.
    """

    name: str
    status: str

    @property
    def module(self) -> str:
        """The module's dotted name."""
        return self.name.rpartition(".")[0]

    @property
    def function(self) -> str:
        """The name of the function, with that of its class."""
        return (
            self.name.rpartition(".")[2].partition("__mutmut_")[0].lstrip("x").strip("_ǁ").replace("ǁ", ".")
        )


class Change(NamedTuple):
    """The lines that a mutant changes, before and after."""

    before: str
    after: str


def mutmut(*arguments: str) -> str:
    """Execute mutmut in the checkout and return what it prints.

    Raises:
        CalledProcessError: it failed.
    """
    command = [sys.executable, "-m", "mutmut", *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE).stdout  # noqa: S603


def results(text: str) -> list[Mutant]:
    """The mutants in the output of ``mutmut results --all true``."""
    return [Mutant(*pair) for pair in re.findall(r"^ *(\S+__mutmut_\d+): (.+)$", text, re.MULTILINE)]


def all_mutants() -> list[Mutant]:
    """All mutants that there are, tested or not."""
    return results(mutmut("results", "--all", "true"))


def change(diff: str) -> Change:
    """What the diff of ``mutmut show`` changes; lines that are only in it before or after are joined."""
    body = diff.partition("\n@@")[2].split("\n")[1:]
    lines = {sign: " ".join(line[1:].strip() for line in body if line[:1] == sign) for sign in "-+"}
    return Change(lines["-"], lines["+"])


def reason(mutant: Mutant, found: Change, known: Mapping[str, Mapping[str, str]]) -> str:
    """The reason in ``tools/mutation.toml`` for a survivor, or an empty text.

    Args:
        mutant: the survivor.
        found: what it changes.
        known: for a module, or for ``*``, which is every module, parts of the changed line with the reason.
    """
    for module in (mutant.module, "*"):
        for part, why in known.get(module, {}).items():
            if part in found.after and part not in found.before:
                return why
    return ""


def table(mutants: Iterable[Mutant]) -> Iterator[str]:
    """A row for each module: how many mutants were tested, were killed and survived."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for mutant in mutants:
        for row in (mutant.module, "all"):
            counts[row][mutant.status] += 1
    yield "| module | mutants | killed | survived | no test |"
    yield "|---|---|---|---|---|"
    for row in (*sorted(counts.keys() - {"all"}), "all"):
        count = counts[row]
        killed = sum(count[status] for status in KILLED)
        yield f"| {row} | {count.total()} | {killed} | {count['survived']} | {count['no tests']} |"


def survivors(
    changes: Iterable[tuple[Mutant, Change]], known: Mapping[str, Mapping[str, str]]
) -> Iterator[str]:
    """A row for each survivor, with its reason."""
    yield "| module, function | line | becomes | reason |"
    yield "|---|---|---|---|"
    for mutant, found in sorted(changes):
        cells = (f"`{each}`".replace("|", "\\|") for each in (found.before, found.after))
        why = reason(mutant, found, known)
        yield f"| {mutant.module}, `{mutant.function}` | {' | '.join(cells)} | {why} |"


def page(
    tested: Sequence[Mutant], sample: Sequence[Mutant], total: int, command: str, listed: Sequence[str]
) -> str:
    """The text of ``docs/mutation.md``."""
    killed = sum(mutant.status in KILLED for mutant in tested)
    without = sorted({each.module for each in sample} - {each.module for each in tested})
    gap = f"\nNo mutant of these modules was tested: {', '.join(without)}.\n" if without else ""
    return f"""# Mutation testing

Do the tests notice if the reference or the judge is wrong? mutmut changes one operator, number, argument or
assignment of a function at a time, and the tests that call the function should fail. This page is made by

    {command}

which takes hours for all mutants, and goes on where it was interrupted. `pyproject.toml` says which files and
tests it uses: the tests of the reference and of the judge themselves, of no framework. Left out are constants
of modules, decorated functions other than class methods, which mutmut does not change, and functions that run
only while their module is imported, when no mutant is active.

There are {total} mutants. {len(sample)} of them were drawn at random, and {len(tested)} of those were
tested by mutmut {version("mutmut")}, which begins with those whose tests are quickest. {killed} of the tested
were killed: {killed / len(tested):.1%}. The others are listed below with the reason why no result or verdict
changes; where there is none, a test is missing.
{gap}
{NEWLINE.join(table(tested))}

## Survivors

{NEWLINE.join(listed)}
"""


def drawn(mutants: Iterable[Mutant], count: int | None, seed: int) -> list[str]:
    """The names of this many mutants, or of all, in an order that each name and the seed decide.

    A larger sample of one seed so contains a smaller one, and mutants that come and go leave it as it is.
    """
    names = (mutant.name for mutant in mutants if not mutant.name.startswith(AT_IMPORT))
    return sorted(names, key=lambda name: blake2b(f"{seed} {name}".encode()).digest())[:count]


def main(arguments: Sequence[str] | None = None) -> int:
    """Test mutants and write the page; 1 if a survivor has no reason."""
    parser = argparse.ArgumentParser(prog="tools.mutation", description=__doc__.split("\n")[0])
    parser.add_argument("--sample", type=int, help="how many mutants, drawn at random; all by default")
    parser.add_argument("--seed", type=int, default=0, help="the seed of the sample")
    parser.add_argument("--page", action="store_true", help="only write the page of what was tested")
    given = parser.parse_args(arguments)
    if not given.page:
        mutmut("run", FIRST)
    everything = all_mutants()
    chosen = set(drawn(everything, given.sample, given.seed))
    left = [each.name for each in everything if each.name in chosen and each.status not in KILLED]
    if left and not given.page:  # mutmut runs again what it is given by name
        mutmut("run", *left)
        everything = all_mutants()
    sample = [each for each in everything if each.name in chosen]
    tested = [each for each in sample if each.status != "not checked"]
    changes = [(each, change(mutmut("show", each.name))) for each in tested if each.status not in KILLED]
    known = tomllib.loads(REASONS.read_text("utf-8"))
    listed = list(survivors(changes, known))
    command = "make mutation" + (f" ARGS='--sample {given.sample}'" if given.sample else "")
    PAGE.write_text(page(tested, sample, len(everything), command, listed), encoding="utf-8")
    return int(not all(reason(mutant, found, known) for mutant, found in changes))


if __name__ == "__main__":
    sys.exit(main())
