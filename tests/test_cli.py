"""The command line: exit codes, one clear line for every mistake, and a clean end on Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from adapters.errors import AdapterDied, AdapterError, JournalError
from crosscheck import commands, endings
from crosscheck.cases.literals import CaseError

ROOT = Path(__file__).parent.parent
COMMAND = (sys.executable, "-m", "crosscheck.cli")
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


def crosscheck(*arguments: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    return subprocess.run(
        (*COMMAND, *arguments),
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**ENVIRONMENT, **environment},
        timeout=120,
        check=False,
    )


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the checkout."""
    return subprocess.run(
        (sys.executable, *arguments), capture_output=True, text=True, cwd=ROOT, env=ENVIRONMENT, check=False
    )


def assert_one_clear_line(said: str, *parts: str) -> None:
    """One line on stderr that begins as it must and contains the parts."""
    assert said.startswith("crosscheck: error: ")
    assert said.count("\n") == 1
    assert "Traceback" not in said
    assert [part for part in parts if part not in said] == []


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["compare", "--dtype", "flaot32"], ["--dtype", "'flaot32'", "did you mean 'float32'?", "bfloat16"]),
        (["compare", "--regime", "subnormals"], ["did you mean 'subnormal'?"]),
        (["compare", "--only", "trch"], ["'trch'", "did you mean 'torch'?"]),
        (["compare", "--adapter", "nowhere"], ["'nowhere'", "package.module:object"]),
        (["compare", "--only", "numpy", "--adapter", "no_such_module:adapter"], ["no_such_module"]),
        (["compare", "--only", "numpy", "--adapter", "tests.planted.wrong:typo"], ["typo"]),
        (["compare", "--only", "numpy", "--adapter", "math:pi"], ["no adapter", "evaluate"]),
        (["compare", "--problems", "0"], ["--problems"]),
        (["compare", "--seed", "-1"], ["--seed"]),
        (["compare", "--timeout", "0"], ["--timeout"]),
        (["compare", "--problem", "7"], ["--problem", "--problems"]),
        (["compare", "float32"], ["float32"]),
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


def test_two_adapters_of_one_name_are_unusable(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    again = ["--adapter", "adapters.closed_form:closed_form", "--journal", str(tmp_path)]
    assert commands.run(["compare", "--only", "numpy", *again]) == 2
    assert_one_clear_line(capsys.readouterr().err, "two adapters", "'numpy'")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (AdapterError("a\nb"), 2),
        (CaseError("a\nb"), 2),
        (JournalError("a\nb"), 2),
        (AdapterDied("x", "a\nb", None, Path("log")), 3),
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


@pytest.mark.parametrize("module", ["crosscheck.commands", "click", "numpy", "rich"])
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
def test_an_output_that_cannot_be_written_is_one_clear_line(
    arguments: str, where: str, why: str, unbuffered: str, tmp_path: Path
) -> None:
    journal = "" if arguments == "--help" else f"--journal {tmp_path}"
    found = subprocess.run(
        ["/bin/sh", "-c", f"{' '.join(COMMAND)} {arguments} {journal} {where}"],
        capture_output=True, text=True, cwd=ROOT, check=False,
        env={**ENVIRONMENT, "PYTHONUNBUFFERED": unbuffered},
    )  # fmt: skip
    assert found.returncode == 2
    assert_one_clear_line(found.stderr, f"cannot write the output: {why}")


def test_an_internal_error_shows_its_traceback_on_demand(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(commands.compare, "callback", fail)
    monkeypatch.setenv(endings.TRACEBACK, "1")
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


def test_help_and_listings_import_no_framework_and_no_numpy() -> None:
    code = (
        "import sys; from crosscheck.commands import run; run(['adapters']); run(['compare', '-h']);"
        "sys.exit(len({'numpy', 'torch', 'jax', 'rich'} & set(sys.modules)))"
    )
    found = python("-c", code)
    assert (found.returncode, found.stderr) == (0, "")


def test_a_healthy_run_agrees_and_its_output_is_plain_text_when_piped(tmp_path: Path) -> None:
    options = ["--problems", "7", "--dtype", "float32,float16", "--journal", str(tmp_path / "journal")]
    found = crosscheck("compare", "--only", "numpy", *options)
    assert (found.returncode, found.stderr) == (0, "")
    assert "\x1b" not in found.stdout
    assert [line for line in found.stdout.splitlines() if line != line.rstrip()] == []
    assert found.stdout.splitlines()[-1].startswith("Agreement of numpy: ")
    assert found.stdout.count(" agrees") == 8


def test_behaviours_asks_the_chosen_questions_in_the_chosen_dtypes(tmp_path: Path) -> None:
    options = ["--only", "numpy", "--dtype", "float32", "--probe", "dtype,last_digit", "--journal"]
    every, few = (crosscheck("behaviours", *options, str(tmp_path), *more) for more in (["--all"], []))
    assert (every.returncode, every.stderr) == (few.returncode, few.stderr) == (0, "")
    asked = [line.partition(":")[0] for line in every.stdout.splitlines() if line.endswith("?")]
    assert sorted(asked) == ["dtype", "last_digit"]
    assert every.stdout.count("  float32   ") == 2
    assert "float64" not in every.stdout
    assert not [line for line in few.stdout.splitlines() if line.endswith("?")]


def test_an_adapter_that_crashes_is_named_with_its_journal_and_the_others_go_on(tmp_path: Path) -> None:
    (tmp_path / "crashing.py").write_text(CRASHING)
    options = ["--only", "numpy", "--problems", "7", "--dtype", "float32", "--timeout", "2"]
    outside = [each for how in ("segv", "exits", "hangs") for each in ("--adapter", f"crashing:{how}")]
    found = crosscheck("compare", *options, *outside, "--journal", "journal", cwd=tmp_path)
    said = " ".join(found.stdout.split())
    assert found.returncode == 1
    assert "segv killed by signal 11 (SIGSEGV); its input: journal/crashing_segv-3.safetensors" in said
    assert "exits exited with status 0; its input: journal/crashing_exits-3.safetensors" in said
    assert "hangs gave no answer within 2 s; its input: journal/crashing_hangs-3.safetensors" in said
    assert said.count("failed in float32") == 3
    assert "numpy float32 grad" in said
    for how in ("segv", "exits", "hangs"):
        assert (tmp_path / f"journal/crashing_{how}-3.safetensors").exists()


def test_an_adapter_that_dies_while_it_is_loaded_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    (tmp_path / "dying.py").write_text("import os; os._exit(0)")
    options = ["--only", "numpy", "--problems", "1", "--dtype", "float32", "--journal", str(tmp_path)]
    found = crosscheck("compare", *options, "--adapter", "dying:adapter", cwd=tmp_path)
    assert found.returncode == 1
    assert "dying:adapter exited with status 0; before its first call" in found.stdout
    assert "numpy   float32  grad" in found.stdout


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_leaves_the_table_so_far_and_no_process(tmp_path: Path) -> None:
    options = ["--only", "numpy", "--problems", "1000000", "--journal", str(tmp_path / "journal")]
    with subprocess.Popen(
        (*COMMAND, "compare", *options),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=ENVIRONMENT,
    ) as process, ExitStack() as ending:  # fmt: skip
        ending.callback(process.kill)  # of one that did not hear
        assert process.stdout is not None
        while "numpy:" not in (line := process.stdout.readline()):
            assert line
        children = children_of(process.pid)
        time.sleep(2)  # some cases; the assertions hold for any number
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "")
    assert "verdict" in out
    assert out.splitlines()[-1].startswith("Interrupted after ")
    assert children
    assert [child for child in children if Path(f"/proc/{child}").exists()] == []


def children_of(pid: int) -> list[int]:
    """The processes that a process has started."""
    parents = {
        int(stat.parent.name): int(stat.read_text().rpartition(")")[2].split()[1])
        for stat in Path("/proc").glob("[0-9]*/stat")
    }
    return [child for child, parent in parents.items() if parent == pid]


def test_a_reader_that_leaves_early_is_no_error(tmp_path: Path) -> None:
    command = f"{' '.join(COMMAND)} compare --only numpy --problems 7 --dtype float32 --journal {tmp_path}"
    found = subprocess.run(
        ["/bin/sh", "-c", f"{{ {command}; echo $? >&2; }} | head -n 1"],
        capture_output=True, text=True, cwd=ROOT, env=ENVIRONMENT, check=False,
    )  # fmt: skip
    assert found.stdout.startswith("Gradient Crosscheck")
    assert found.stderr == f"{endings.PIPE_CLOSED}\n"


def test_without_a_command_there_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.run([]) == 2
    assert "compare" in capsys.readouterr().out


CRASHING = """
import ctypes, os, time
import numpy as np

class Adapter:
    framework, version, dtypes, calls = "crash", "1", ("float32",), 0

    def __init__(self, name, die):
        self.name, self.die = name, die

    def evaluate(self, X, y, W):
        self.calls += 1
        if self.calls == 3:
            self.die()
        with np.errstate(all="ignore"):
            p = 1 / (1 + np.exp(-(X @ W)))
            return {"y_hat": p}

segv = Adapter("segv", lambda: ctypes.string_at(0))
exits = Adapter("exits", lambda: os._exit(0))
hangs = Adapter("hangs", lambda: time.sleep(1000))
"""


BISECTED = "ordinary:7:4x1x3x1:contiguous:float64"
FACTOR = """
from tests.planted.wrong import Planted, scaled
adapter = Planted("factor", scaled({}))
"""


@pytest.mark.parametrize("options", [("--nope",), ("--timeout", "0")], ids=" ".join)
def test_a_mistake_in_the_call_of_a_bisection_condemns_no_version(options: tuple[str, ...]) -> None:
    found = crosscheck("check", BISECTED, "--bisect", *options)
    assert (found.returncode, found.stderr.count("\n")) == (125, 1)


def test_a_bisection_never_runs_the_bytecode_of_another_version(tmp_path: Path) -> None:
    environment = {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": ""}
    for factor, code in (("1", 0), ("2", 1)):
        (tmp_path / "version.py").write_text(FACTOR.format(factor))
        os.utime(tmp_path / "version.py", (1, 1))  # git checks out several versions within a second
        options = ("--only", "numpy", "--adapter", "version:adapter")
        found = crosscheck("check", BISECTED, "--bisect", *options, cwd=tmp_path, **environment)
        assert found.returncode == code, found.stdout + found.stderr
