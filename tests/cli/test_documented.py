"""Every command that README, CONTRIBUTING and docs print is executed, here or by who is named.

`documented.py` reads the pages, `documented_ways.py` says how each command is executed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest
from documented import ROOT, commands, documents
from documented_ways import WAYS, Elsewhere, Named, Run

from crosscheck.cli.commands import cli

BASH = shutil.which("bash") or "bash"
# Of the Makefile: without them its targets would install the copy in the place of this checkout.
STAMPS = re.findall(r":= \$\(VENV\)/(\.set-up[\w-]*)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
LEDGERS = ("new", "old", "older", "run", "volume", "ledger")
NOT_COPIED = (
    ".git",
    ".coverage*",
    ".venv",
    ".crosscheck",
    ".hypothesis",
    "*_cache",
    "__pycache__",
    "*.egg-info",
)
# Not those of a make that runs these tests; nor CI, as a person who executes the command has none.
LEFT_OUT = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES", "CI")


def name_of(command: str) -> str:
    """The key of a command in the table: of a script its first line but for the shell, of a loop its head."""
    first, *others = command.splitlines()
    if first.startswith("#!"):
        return others[0]
    return first.partition(" in ")[0] + " in" if first.startswith("for ") else first


PRINTED = {name_of(each): each for page in documents() for each in commands(page.read_text("utf-8"))}
RUNS = {name: way for name, way in WAYS.items() if isinstance(way, Run)}


def environment(path: Path) -> None:
    """An environment that is this one under another name, set up as make sees it."""
    path.mkdir(parents=True)
    for each in Path(sys.prefix).iterdir():
        if not each.name.startswith(".set-up"):
            (path / each.name).symlink_to(each)
    for stamp in STAMPS:
        (path / stamp).touch()


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout with two environments, ledgers, and the compiled programs of this one."""
    copy = tmp_path_factory.mktemp("documented") / "checkout"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*NOT_COPIED))
    environment(copy / ".venv")
    environment(copy / "old")
    (copy / ".crosscheck").mkdir()
    (ROOT / ".crosscheck/compiled").mkdir(parents=True, exist_ok=True)
    (copy / ".crosscheck/compiled").symlink_to(ROOT / ".crosscheck/compiled")
    for name in LEDGERS:
        shutil.copy(copy / "baselines/compare.jsonl", copy / f"{name}.jsonl")
    return copy


def test_the_copy_has_all_that_make_would_set_up(checkout: Path) -> None:
    assert len(STAMPS) == 3
    asked = ["make", "-q", *(f".venv/{stamp}" for stamp in STAMPS)]
    clean = {key: value for key, value in os.environ.items() if key not in LEFT_OUT}
    assert subprocess.run(asked, cwd=checkout, env=clean, check=False).returncode == 0


def test_every_command_of_the_documentation_has_a_way_to_be_executed() -> None:
    assert sorted(PRINTED.keys() - WAYS.keys()) == []


def test_every_way_is_that_of_a_command_of_the_documentation() -> None:
    assert sorted(WAYS.keys() - PRINTED.keys()) == []


def executed(name: str, way: Run, checkout: Path) -> subprocess.CompletedProcess[str]:
    """Execute a command as it is printed, but for what its way says."""
    command = PRINTED[name]
    for old, new in way.swaps:
        assert old in command, f"{old!r} is not in the command any more"
        command = command.replace(old, new)
    path = os.pathsep.join([str(checkout / ".venv/bin"), os.environ["PATH"]])
    kept = {key: value for key, value in os.environ.items() if key not in LEFT_OUT}
    return subprocess.run(
        [BASH, "-c", f"{way.before}\n{command}"],
        cwd=checkout,
        env={**kept, "PATH": path},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def marks(name: str, way: Run) -> list[pytest.MarkDecorator]:
    """Those of a command; only tests of commands reach the lines of ``tools`` that read their options."""
    return [pytest.mark.long] * way.is_long + [pytest.mark.untraced] * ("tools." not in name)


@pytest.mark.parametrize("name", [pytest.param(n, marks=marks(n, way)) for n, way in RUNS.items()])
def test_a_command_of_the_documentation_does_what_it_should(name: str, checkout: Path) -> None:
    way = RUNS[name]
    if way.needs and not Path(sys.executable).with_name(way.needs).exists():
        pytest.skip(f"{way.needs} is not installed; the extra lint has it")
    ran = executed(name, way, checkout)
    assert ran.returncode == way.code, ran.stdout + ran.stderr
    assert re.search(way.says, ran.stdout, re.MULTILINE), ran.stdout + ran.stderr


@pytest.mark.parametrize("name", [name for name, way in WAYS.items() if isinstance(way, Elsewhere)])
def test_whoever_is_said_to_execute_a_command_does(name: str) -> None:
    way = WAYS[name]
    assert isinstance(way, Elsewhere)
    file, is_test, function = way.by.partition("::")
    if is_test:
        assert f"\ndef {function}(" in (ROOT / file).read_text("utf-8")
        return
    scripts = [ROOT / ".ci/run", *(ROOT / ".github/workflows").glob("*.yml")]
    lines = [line.strip() for script in scripts for line in script.read_text("utf-8").splitlines()]
    assert any(re.fullmatch(rf"(- run: |run: )?{re.escape(way.by)}( .*)?", line) for line in lines)


def is_known(command: str) -> bool:
    """Whether the command line has this command with these options."""
    found: click.Command = cli
    for word in command.split()[1:]:
        if word.startswith("--"):
            if not any(word in option.opts for option in found.params):
                return False
        elif isinstance(found, click.Group) and word in found.commands:
            found = found.commands[word]
        else:
            return False
    return True


@pytest.mark.parametrize("name", [name for name, way in WAYS.items() if isinstance(way, Named)])
def test_a_command_that_is_named_exists_with_its_options(name: str) -> None:
    assert is_known(name)


def test_a_name_that_is_no_command_is_found() -> None:
    assert not is_known("crosscheck sweeep")
    assert not is_known("crosscheck compare --ledgers")
    assert not is_known("crosscheck check case")


def test_every_extra_that_is_to_be_installed_exists() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    texts = [*PRINTED.values(), *(name for name in WAYS)]
    named = {
        extra for text in texts for found in re.findall(r"\.\[([\w,]+)\]", text) for extra in found.split(",")
    }
    assert named
    assert named <= extras.keys()


PAGE = """
Planted: `make plant`, `.venv/bin/crosscheck plant --seeds 1`, `X·W`, `crosscheck`, ``make `not` ``.

```
.venv/bin/crosscheck plant --deep    # in rows
for bed in 1 2; do
    crosscheck water $bed
done
make plant ARGS='--only \\
    a' \\
    B=1
```

```
a table
  replay        .venv/bin/crosscheck check 'float32:X=[[0x1p+0]]'
```

    bash .ci/plant

```yaml
jobs:
  a: {steps: [{run: bash one.sh}], script: [cd a, make two]}
```

```bash
#!/bin/bash
# plant.sh: all
make three
```

```python
make = compare
```
"""


def test_no_command_of_a_page_is_overlooked() -> None:
    assert list(commands(PAGE)) == [
        ".venv/bin/crosscheck plant --deep",
        "for bed in 1 2; do\n    crosscheck water $bed\ndone",
        "make plant ARGS='--only a' B=1",
        ".venv/bin/crosscheck check 'float32:X=[[0x1p+0]]'",
        "bash one.sh",
        "cd a\nmake two",
        "#!/bin/bash\n# plant.sh: all\nmake three",
        "bash .ci/plant",
        "make plant",
        ".venv/bin/crosscheck plant --seeds 1",
    ]
