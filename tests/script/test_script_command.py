"""`crosscheck check --script`: a known difference becomes a script, and a refusal is one line."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from adapters.errors import AdapterCrashed
from crosscheck.cli.commands import cli
from crosscheck.judging.evaluation import CheckedAdapter, InProcessAdapter
from crosscheck.results.known import KnownDifferences
from crosscheck.results.known_entry import Difference
from crosscheck.script import command
from crosscheck.script.command import run_script
from reference.types import Array, Outputs
from tests.faulty_adapters import wrong

# With one xdist worker: its fixtures take half a minute.
pytestmark = [pytest.mark.xdist_group("script"), pytest.mark.long]

OLD_JAX = "CROSSCHECK_OLD_JAX_PYTHON"
RECORD = KnownDifferences.shipped()


def check(*arguments: str, tmp_path: Path) -> tuple[int, str]:
    """Exit code and the last line of `crosscheck check --script`."""
    result = CliRunner().invoke(
        cli, ["check", *arguments, "--script", "--journal", str(tmp_path / "journal")], standalone_mode=False
    )
    if result.exception is not None:
        return 2, str(result.exception)
    return result.return_value, result.output


def test_without_jinja_the_command_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("crosscheck.script", "crosscheck.script.command", "crosscheck.script.text"):
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "jinja2", None)
    code, said = check(ONE, tmp_path=tmp_path)
    assert (code, said) == (2, "--script needs jinja2: pip install -e '.[report]'")


ONE = "float32:X=[[0x1p-1]]:y=[[0x0p+0]]:W=[[0x1p+0]]"
LITERAL = "float32:X=[[0x1p+0]]:y=[[0x1p+0]]:W=[[-0x1.64p+6]]"


def entry(name: str) -> Difference:
    return next(one for one in RECORD.entries if one.name == name)


REAL = ("jax-losses-of-equal-weights", "torch-literal", "jax-tanh")


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory, frameworks: frozenset[str]) -> Mapping[str, str]:
    """The scripts of known differences, by the name of the entry."""
    directory, found = tmp_path_factory.mktemp("real"), {}
    for one in map(entry, REAL):
        there = one.framework in frameworks and version(one.framework)
        if there and one.concerns_release(one.framework, there, platform.machine()):
            file = directory / f"{one.name}.py"
            code, said = check(one.case, "--only", one.mode, "--output", str(file), tmp_path=directory)
            assert (code, said) == (0, f"Written to {file}.\n")
            found[one.name] = file.read_text(encoding="utf-8")
    return found


@pytest.mark.parametrize("name", REAL)
def test_a_known_difference_becomes_a_short_script_that_exits_1(name: str, real: Mapping[str, str]) -> None:
    if name not in real:
        pytest.skip("its framework is not in this run, or not in a release that it is about")
    assert len(real[name]) < 4000
    code, output = run_script(real[name])
    assert (code, output.splitlines()[-1]) == (1, "BUG")


@pytest.mark.skipif(not os.environ.get(OLD_JAX), reason=f"{OLD_JAX} is not set; see make older-jax")
def test_the_script_exits_0_where_the_release_had_it_right(real: Mapping[str, str]) -> None:
    if REAL[0] not in real:
        pytest.skip("this release of jax is none that has it wrong")
    code, output = run_script(real[REAL[0]], os.environ[OLD_JAX])
    assert (code, output.splitlines()[-1]) == (0, "ok"), output


def test_what_the_bug_does_not_need_is_not_in_the_script(real: Mapping[str, str]) -> None:
    if not {REAL[0], REAL[2]} <= real.keys():
        pytest.skip("their framework is not in this run, or not in a release that they are about")
    assert "jax.jit" not in real[REAL[2]]
    assert "W is a constant" in real[REAL[0]]


def test_the_example_in_the_document_is_what_the_command_prints(real: Mapping[str, str]) -> None:
    document = (Path(__file__).parents[2] / "docs" / "scripts.md").read_text(encoding="utf-8")
    if REAL[0] not in real or f"# jax {version('jax')}:" not in document:
        pytest.skip("the example is of another version of jax")
    example = document.split("```python\n", 1)[1].split("```", 1)[0]
    here = ("# Seen with", "# What came out")  # what depends on the machine
    assert stated(example, here) == stated(real[REAL[0]], here)


def stated(text: str, without: tuple[str, ...]) -> list[str]:
    """The lines of a script that do not begin so."""
    return [line for line in text.splitlines() if not line.startswith(without)]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((ONE, "--only", "numpy"), "nothing to send; evaluated: numpy"),
        (
            (ONE, "--only", "numpy", "--adapter", "tests.faulty_adapters.wrong:sign"),
            "tests.faulty_adapters.wrong:sign is from outside",
        ),
        ((LITERAL, "--only", "torch-literal,torch-backward-literal"), "several adapters are outside"),
        ((ONE, "--only", "numpy", "--bisect"), "--bisect"),
    ],
    ids=["within bounds", "from-outside", "several", "bisection"],
)
def test_where_there_is_nothing_to_send_one_line_says_why(
    arguments: tuple[str, ...], words: str, tmp_path: Path, frameworks: frozenset[str]
) -> None:
    if "torch" not in frameworks and "torch-literal" in arguments[2]:
        pytest.skip("torch is not in this run")
    code, said = check(*arguments, tmp_path=tmp_path)
    assert code == 2
    assert words in said
    assert said.strip().count("\n") == 0


CRASH = AdapterCrashed("torch", "exited with status 0", None, Path("torch.log"))


class OnceWrong(InProcessAdapter):
    """An adapter with the wrong sign in its first call, and right in all others."""

    def evaluate(self, X: Array, y: Array, W: Array) -> Outputs:
        """Its outputs."""
        outputs = super().evaluate(X, y, W)
        self.wrapped = wrong.healthy
        return outputs


class Crashing(InProcessAdapter):
    """An adapter that crashes in its first call."""

    def _call(self, *_: object) -> Any:
        raise CRASH


class CrashingOnLoad(InProcessAdapter):
    """An adapter that crashes while it is loaded."""

    def __init__(self) -> None:
        """Nothing is there to describe."""

    def __getattr__(self, name: str) -> Any:
        raise CRASH


@pytest.mark.parametrize(
    ("name", "adapter", "words"),
    [
        ("numpy", InProcessAdapter(wrong.sign), "numpy is the suite's own arithmetic, and no framework's"),
        ("torch", InProcessAdapter(wrong.raises), "not an adapter that failed: torch: planted-raises raised"),
        ("torch", Crashing(wrong.healthy), "not an adapter that failed: torch: torch exited with status 0"),
        ("torch", CrashingOnLoad(), "torch exited with status 0; before its first call"),
        ("torch", OnceWrong(wrong.sign), "torch is outside on this input at times only"),
        (
            "torch",
            InProcessAdapter(wrong.sign),
            "torch is outside; the script made of it does not show that: ok",
        ),
    ],
    ids=["numpy", "raises", "crashes", "crashes-while-loaded", "at-times", "not-shown"],
)
def test_what_no_script_can_show_is_refused_in_one_line(
    name: str, adapter: CheckedAdapter, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def processes(_: object) -> Iterator[Any]:
        yield SimpleNamespace(adapter=lambda _: adapter)

    monkeypatch.setattr(command, "WorkerProcesses", processes)
    monkeypatch.setattr(command, "run_script", lambda _: (0, "ok\n"))
    code, said = check(ONE, "--only", name, tmp_path=tmp_path)
    assert code == 2
    assert said.startswith("crosscheck: no script: ")
    assert words in said
    assert said.strip().count("\n") == 0
