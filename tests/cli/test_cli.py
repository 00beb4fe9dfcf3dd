"""The command line: exit codes, one clear line for every mistake, and Ctrl-C at the start."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from command_line import COMMAND, ROOT, assert_one_clear_line, on_path, python

from adapters.errors import AdapterCrashed, AdapterError, JournalError, one_line
from crosscheck.cli import commands, running
from crosscheck.inputs.literals import CaseError

COMBINATION = "jax-jit-row_loss-closed_W-vectors"


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["compare", "--thorough", "--problems", "7"], ["--thorough cannot be combined with --problems"]),
        (["compare", "--dtype", "flaot32"], ["--dtype", "'flaot32'", "did you mean 'float32'?", "bfloat16"]),
        (["compare", "--regime", "subnormals"], ["did you mean 'subnormal'?"]),
        (["compare", "--only", ""], ["--only", "contains no name; leave the option out to choose all"]),
        (["compare", "--only", "trch"], ["'trch'", "did you mean 'torch'?"]),
        (["compare", "--adapter", "nowhere"], ["'nowhere'", "package.module:object"]),
        (["compare", "--only", "numpy", "--adapter", "no_such_module:adapter"], ["no_such_module"]),
        (["compare", "--only", "numpy", "--adapter", "tests.faulty_adapters.wrong:typo"], ["typo"]),
        (["compare", "--only", "numpy", "--adapter", "math:pi"], ["no adapter", "evaluate"]),
        (
            ["compare", "--only", "numpy", "--adapter", "adapters.closed_form:closed_form"],
            ["two adapters", "'numpy'"],
        ),
        (["compare", "--problems", "0"], ["--problems"]),
        (["compare", "--seed", "-1"], ["--seed"]),
        (["compare", "--timeout", "0"], ["--timeout"]),
        (["compare", "--timeout", "inf"], ["--timeout"]),
        (["compare", "--compile-timeout", "nan"], ["--compile-timeout", "not a number of seconds"]),
        (["compare", "--problem", "7"], ["--problem", "--problems"]),
        (["compare", "float32"], ["float32"]),
        (["compare", "--matrix", "--seed", "0"], ["--seed cannot be combined with --matrix"]),
        (["compare", "--matrix", "--regime", "zeros"], ["--regime cannot be combined with --matrix"]),
        (["compare", "--matrix", "--problems", "3"], ["--problems cannot be combined with --matrix"]),
        (["compare", "--matrix", "--only", "trch"], ["'trch'", "did you mean 'torch'?"]),
        (["compare", "--matrix", "--only", COMBINATION, "--dtype", "float16"], ["no case in float16"]),
        (["compair"], ["compair"]),
        (["check", "ordinary:1:1x1x3x1:contiguous:float23", "--only", "numpy"], ["'float23'"]),
        (["check", "no_such_file.npz", "--only", "numpy"], ["no_such_file.npz"]),
        (["check"], ["CASE|FILE"]),
        (["behaviours", "--probe", "thread"], ["--probe", "did you mean 'threads'?"]),
        (["behaviours", "--dtype", "float23"], ["--dtype", "did you mean 'float32'?"]),
        (["behaviours", "--only", "trch"], ["did you mean 'torch'?"]),
    ],
    ids=lambda value: "_".join(value) if isinstance(value, list) else None,
)
def test_a_mistake_in_the_call_is_one_clear_line_and_exit_code_2(
    arguments: list[str], parts: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    journal = [] if arguments in (["compair"], ["check"]) else ["--journal", str(tmp_path)]
    assert commands.run([*arguments, *journal]) == 2
    assert_one_clear_line(capsys.readouterr().err, *parts)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (AdapterError("a\nb"), 2),
        (CaseError("a\nb"), 2),
        (JournalError("a\nb"), 2),
        (AdapterCrashed("x", "a\nb", None, Path("log")), 3),
        (ZeroDivisionError("a\nb"), 3),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_every_exception_has_its_exit_code_and_one_line(
    error: Exception, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(commands.compare, "callback", fail)
    assert commands.run(["compare"]) == code
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_nothing_that_a_terminal_obeys_is_left_of_an_error() -> None:
    assert one_line(ValueError("a\n\x1b[31mb")) == r"a \x1b[31mb"


INTERRUPTED_BY = """
import sys
from crosscheck.cli import main

class Interrupting:
    def find_spec(self, name, path, target=None):
        if name == {!r}:
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupting())
sys.argv[1:] = ["compare", "--only", "numpy"]
main()
"""


@pytest.mark.parametrize("module", ["crosscheck.cli.commands", "click", "numpy", "rich"])
def test_ctrl_c_while_a_module_is_imported_is_one_line_and_exit_code_130(module: str) -> None:
    found = python("-c", INTERRUPTED_BY.format(module))
    assert (found.returncode, found.stdout, found.stderr) == (130, "", "crosscheck: interrupted\n")


def test_the_console_script_imports_nothing_before_it_can_be_interrupted() -> None:
    found = python(
        "-c",
        "import sys; before = set(sys.modules); import crosscheck.cli;"
        "print(*sorted(set(sys.modules) - before))",
    )
    assert set(found.stdout.split()) <= {"__future__", "crosscheck", "crosscheck.cli"}
    assert found.returncode == 0


CASE = "float32:X=[[0x1p-1]]:y=[[0x0p+0]]:W=[[0x1p+0]]"


@pytest.mark.parametrize(
    ("where", "why"), [("> /dev/full", "No space left on device"), (">&-", "stdout is closed")]
)
@pytest.mark.parametrize("arguments", ["--help", f"check '{CASE}' --only numpy"])
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.long
def test_an_output_that_cannot_be_written_is_one_clear_line(
    arguments: str, where: str, why: str, unbuffered: str, tmp_path: Path
) -> None:
    journal = "" if arguments == "--help" else f"--journal {tmp_path}"
    found = subprocess.run(
        ["/bin/sh", "-c", f"{' '.join(COMMAND)} {arguments} {journal} {where}"],
        capture_output=True, text=True, cwd=ROOT, check=False,
        env={**on_path(), "PYTHONUNBUFFERED": unbuffered},
    )  # fmt: skip
    assert found.returncode == 2
    assert_one_clear_line(found.stderr, f"cannot write the output: {why}")


def test_an_internal_error_shows_its_traceback_on_demand(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(commands.compare, "callback", fail)
    monkeypatch.setenv(running.TRACEBACK, "1")
    with pytest.raises(ZeroDivisionError):
        commands.run(["compare"])


LOOKED_UP = (
    ["-h"],
    ["compare", "-h"],
    ["check", "--help"],
    ["behaviours", "-h"],
    ["--version"],
    ["adapters"],
)


@pytest.mark.parametrize("arguments", LOOKED_UP, ids=" ".join)
def test_what_is_only_looked_up_succeeds(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.run(arguments) == 0
    assert capsys.readouterr().out


def test_a_space_follows_each_name_of_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.run(["adapters"]) == 0
    assert "jax-jit-rowvmap-vectors jax " in capsys.readouterr().out


def test_help_and_listings_import_no_framework_and_no_numpy() -> None:
    code = (
        "import sys; from crosscheck.cli.commands import run; run(['adapters']); run(['compare', '-h']);"
        "sys.exit(len({'numpy', 'torch', 'jax', 'rich'} & set(sys.modules)))"
    )
    found = python("-c", code)
    assert (found.returncode, found.stderr) == (0, "")


def test_without_a_command_there_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.run([]) == 2
    assert "compare" in capsys.readouterr().out
