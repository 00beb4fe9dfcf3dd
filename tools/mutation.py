"""Mutation testing of `reference/` and the judge: ``python -m tools.mutation``, or ``make mutation``.

mutmut changes one operator, number, argument or assignment of a function at a time, and runs the tests that
call the function. A mutant whose tests all pass has *survived*. ``pyproject.toml`` says which files and which
tests; what is done is kept in ``mutants/``, so that an interrupted run goes on. The command writes
``docs/mutation.md`` once every mutant of the sample is tested; ``tools/mutation.toml`` has the reason why a
survivor changes nothing that matters.
"""

from __future__ import annotations

import argparse
import math
import re
import subprocess
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
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
HEAD: Final = (
    "| module | mutants | tested | killed | alike | others | killed of tested | killed of those not alike |",
    "|---|---|---|---|---|---|---|---|",
)
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
    """All mutants of functions that run while a mutant is active, tested or not."""
    found = results(mutmut("results", "--all", "true"))
    return [each for each in found if not each.name.startswith(AT_IMPORT)]


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


class Count(NamedTuple):
    """The mutants of a module, or of all.

    Attributes:
        there: how many there are.
        tested: how many of them are in the sample.
        killed: how many of those the tests notice.
        alike: how many of those survive with a reason in ``tools/mutation.toml``.
    """

    there: int
    tested: int
    killed: int
    alike: int

    @property
    def of_tested(self) -> float:
        """The share that is killed of those that were tested."""
        return self.killed / self.tested if self.tested else math.nan

    @property
    def of_changing(self) -> float:
        """The share that is killed of those that were tested and change anything that matters."""
        changing = self.tested - self.alike
        return self.killed / changing if changing else math.nan

    def row(self, name: str) -> str:
        """The row of the table."""
        rest = self.tested - self.killed - self.alike
        figures = self.there, self.tested, self.killed, self.alike, rest
        return f"| {name} | {' | '.join(map(str, figures))} | {self.of_tested:.1%} | {self.of_changing:.1%} |"


def counts(
    everything: Iterable[Mutant], sample: Iterable[Mutant], explained: Container[Mutant]
) -> dict[str, Count]:
    """The counts of each module, by its name."""
    there = Counter(each.module for each in everything)
    tested: dict[str, list[Mutant]] = defaultdict(list)
    for each in sample:
        tested[each.module].append(each)
    return {
        module: Count(
            there[module],
            len(tested[module]),
            sum(each.status in KILLED for each in tested[module]),
            sum(each in explained for each in tested[module]),
        )
        for module in sorted(there)
    }


def weighted(found: Mapping[str, Count]) -> Count:
    """All modules as one; a module counts by how many mutants it has, not by how many were drawn.

    Raises:
        ValueError: no mutant of a module was tested, so that nothing is known of it.
    """
    without = [module for module, count in found.items() if not count.tested]
    if without:
        raise ValueError(f"no mutant was tested of {', '.join(without)}")
    there = sum(count.there for count in found.values())
    killed, alike = (
        sum(count.there * getattr(count, name) / count.tested for count in found.values())
        for name in ("killed", "alike")
    )
    return Count(there, there, round(killed), round(alike))


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


def head(plain: Count) -> str:
    """The sentence with the figures."""
    return (
        f"**{plain.killed} of {plain.tested} mutants that were tested are killed, {plain.of_tested:.1%};\n"
        f"of those that change anything that matters, {plain.of_changing:.1%}.**"
    )


def page(found: Mapping[str, Count], command: str, listed: Sequence[str]) -> str:
    """The text of ``docs/mutation.md``."""
    plain, every = Count(*map(sum, zip(*found.values(), strict=True))), weighted(found)
    return f"""# Mutation testing

Do the tests notice if the reference or the judge is wrong? mutmut {version("mutmut")} changes one operator,
number, argument or assignment of a function at a time, and the tests that call the function should fail.
This page is made by

    {command}

which takes hours, and goes on where it was interrupted. `pyproject.toml` says which files and tests it uses:
the tests of the reference and of the judge themselves, of no framework, and none of those that run Gappa.
Left out are constants of modules, decorated functions other than class methods, which mutmut does not change,
and functions that run only while their module is imported, when no mutant is active.

{head(plain)}
They were drawn at random, as many of each module as the command says or all that it has, and every mutant
that was drawn was tested. With each module weighted by how many mutants it has, the figures are
{every.of_tested:.1%} and {every.of_changing:.1%} of all {every.there}.
Where a survivor shows that a test is missing, the test is written; another sample, with another `--seed`, may
show more. A mutant whose tests take three times as long as they should, such as one that loops for ever, is
killed as well.

A survivor is *alike* if it changes nothing that matters, for the reason that is listed below. Where no reason
is listed, a test is missing: those are the *others*.

{NEWLINE.join(HEAD)}
{NEWLINE.join(count.row(module) for module, count in found.items())}
{plain.row("all")}

## Survivors

{NEWLINE.join(listed)}
"""


def drawn(mutants: Iterable[Mutant], sizes: Mapping[str, int], seed: int) -> list[Mutant]:
    """So many mutants of each module, in an order that each name and the seed decide.

    A larger sample of one seed so contains a smaller one, and mutants that come and go leave it as it is.

    Args:
        mutants: all that there are.
        sizes: how many of a module to draw at most; ``*`` stands for the modules that are not named, and
            where it is missing, all of theirs are drawn.
        seed: the seed.
    """
    by_module: dict[str, list[Mutant]] = defaultdict(list)
    for mutant in sorted(mutants, key=lambda each: blake2b(f"{seed} {each.name}".encode()).digest()):
        by_module[mutant.module].append(mutant)
    others = sizes.get("*")
    return [each for name, module in by_module.items() for each in module[: sizes.get(name, others)]]


def size_of(text: str) -> tuple[str, int]:
    """What ``--sample`` takes: a number, or MODULE=NUMBER."""
    module, _, number = text.rpartition("=")
    return module or "*", int(number)


def main(arguments: Sequence[str] | None = None) -> int:
    """Test mutants and write the page; 1 if a survivor has no reason, or a mutant is not tested."""
    parser = argparse.ArgumentParser(prog="tools.mutation", description=__doc__.split("\n")[0])
    parser.add_argument(
        "--sample",
        type=size_of,
        nargs="+",
        default=[],
        metavar="[MODULE=]NUMBER",
        help="how many mutants of each module, drawn at random; all by default",
    )
    parser.add_argument("--seed", type=int, default=0, help="the seed of the sample")
    parser.add_argument("--page", action="store_true", help="only write the page of what was tested")
    given = parser.parse_args(arguments)
    sizes = dict(given.sample)
    if not given.page:
        mutmut("run", FIRST)
        left = [each.name for each in drawn(all_mutants(), sizes, given.seed) if each.status not in KILLED]
        if left:  # mutmut runs again what it is given by name
            mutmut("run", *left)
    everything = all_mutants()
    sample = drawn(everything, sizes, given.seed)
    left = [each.name for each in sample if each.status == "not checked"]
    if left:
        raise SystemExit(f"{len(left)} of {len(sample)} mutants are not tested; the page stays as it is")
    changes = [(each, change(mutmut("show", each.name))) for each in sample if each.status not in KILLED]
    known = tomllib.loads(REASONS.read_text("utf-8"))
    explained = {mutant for mutant, found in changes if reason(mutant, found, known)}
    text_of_sizes = " ".join(f"{name}={size}".removeprefix("*=") for name, size in sizes.items())
    command = "make mutation" + (f" ARGS='--sample {text_of_sizes}'" if sizes else "")
    text = page(counts(everything, sample, explained), command, list(survivors(changes, known)))
    PAGE.write_text(text, encoding="utf-8")
    return int(len(explained) < len(changes))


if __name__ == "__main__":
    sys.exit(main())
