"""Whole runs of the command line: what is left after a crash, Ctrl-C, a closed pipe or a bisection."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from command_line import COMMAND, ROOT, crosscheck, on_path

from adapters.child import GRACE
from crosscheck.exit_codes import ExitCode


def test_a_healthy_run_agrees_and_its_output_is_plain_text_when_piped(tmp_path: Path) -> None:
    options = ["--problems", "7", "--dtype", "float32,float16", "--journal", str(tmp_path / "journal")]
    found = crosscheck("compare", "--only", "numpy", *options)
    assert (found.returncode, found.stderr) == (0, "")
    assert "\x1b" not in found.stdout
    assert [line for line in found.stdout.splitlines() if line != line.rstrip()] == []
    assert "\nWithin bounds: numpy: " in found.stdout
    assert found.stdout.count(" within bounds\n") == 2


@pytest.mark.long
def test_behaviours_asks_the_chosen_questions_in_the_chosen_dtypes(tmp_path: Path) -> None:
    options = ["--only", "numpy", "--dtype", "float32", "--probe", "dtype,last_digit", "--journal"]
    every, few = (crosscheck("behaviours", *options, str(tmp_path), *more) for more in (["--all"], []))
    assert (every.returncode, every.stderr) == (few.returncode, few.stderr) == (0, "")
    asked = [line.partition(":")[0] for line in every.stdout.splitlines() if line.endswith("?")]
    assert sorted(asked) == ["dtype", "last_digit"]
    assert every.stdout.count("  float32   ") == 2
    assert "float64" not in every.stdout
    assert not [line for line in few.stdout.splitlines() if line.endswith("?")]


@pytest.mark.long
def test_an_adapter_that_crashes_is_named_with_its_journal_and_the_others_go_on(tmp_path: Path) -> None:
    (tmp_path / "crashing.py").write_text(CRASHING)
    (tmp_path / "dying.py").write_text("import os; os._exit(0)")
    options = ["--only", "numpy", "--problems", "7", "--dtype", "float32"]
    limits = ["--timeout", "2", "--compile-timeout", "2"]
    targets = (*(f"crashing:{how}" for how in ("segv", "exits", "hangs")), "dying:adapter")
    outside = [word for target in targets for word in ("--adapter", target)]
    found = crosscheck("compare", *options, *limits, *outside, "--journal", "journal", cwd=tmp_path)
    said = " ".join(found.stdout.split())
    assert found.returncode == 1
    assert "dying:adapter exited with status 0; before its first call" in said
    assert "segv killed by signal 11 (SIGSEGV); its input: journal/crashing_segv-1.safetensors" in said
    assert "exits exited with status 0; its input: journal/crashing_exits-1.safetensors" in said
    again = r"nor within 4 s when tried once more alone \(load .* on \d+ cores?\)"
    slow = rf"hangs gave no answer within 2 s, {again}; its input: journal/crashing_hangs-1\.safetensors"
    assert re.search(f"No verdict: {slow}", said)
    assert "(no verdict: hangs; nothing judged: segv, exits; " in said
    assert said.count("-1.safetensors; what it printed") == 3
    assert re.search("Not run after a failure: segv float32: .* exits float32: .* hangs float32: ", said)
    assert "hangs" not in said.partition("Against the contract:")[2].partition("No verdict:")[0]
    assert re.search("numpy float32 .* within bounds", said)
    for how in ("segv", "exits", "hangs"):
        assert (tmp_path / f"journal/crashing_{how}-1.safetensors").exists()


HANGING = """
from pathlib import Path
from tests.faulty_adapters.crash import hanging
from tests.faulty_adapters.wrong import healthy

class Adapter:
    name, framework, version, dtypes, calls = "hanging", "planted", "1", healthy.dtypes, 0

    def evaluate(self, X, y, W):
        self.calls += 1
        if self.calls == 100:
            Path(__file__).with_name("hangs").touch()
            hanging.evaluate(X, y, W)  # in one call of C, which never lets another thread run
        return healthy.evaluate(X, y, W)

adapter = Adapter()
"""


@pytest.mark.long
@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_waits_for_no_adapter_that_hangs_and_leaves_the_table_but_no_process_and_no_file(
    tmp_path: Path,
) -> None:
    (tmp_path / "hanging.py").write_text(HANGING)
    options = ["--only", "numpy", "--adapter", "hanging:adapter", "--journal", str(tmp_path / "journal")]
    with subprocess.Popen(
        (*COMMAND, "compare", *options),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
        env=on_path(),
    ) as process, ExitStack() as ending:  # fmt: skip
        ending.callback(process.kill)  # of one that did not hear
        asleep = 0
        while asleep < 10:  # all is judged that came before the call that hangs
            assert process.poll() is None
            asleep = asleep + 1 if (tmp_path / "hangs").exists() and is_asleep(process.pid) else 0
            time.sleep(0.05)
        children = children_of(process.pid)
        begin = time.monotonic()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert time.monotonic() - begin < GRACE / 2
    assert (process.returncode, err) == (130, "")
    assert re.search("^Interrupted after [0-9]+ of [0-9,]+ cases, and this is of those", out, re.MULTILINE)
    assert out.splitlines()[-1].startswith("Interrupted: ")
    assert children
    assert [child for child in children if Path(f"/proc/{child}").exists()] == []
    assert list((tmp_path / "journal").iterdir()) == []


def is_asleep(pid: int) -> bool:
    """Whether a process waits for something other than a CPU."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "S"


def children_of(pid: int) -> list[int]:
    """The processes that a process has started."""
    parents = {
        int(stat.parent.name): int(stat.read_text().rpartition(")")[2].split()[1])
        for stat in Path("/proc").glob("[0-9]*/stat")
    }
    return [child for child, parent in parents.items() if parent == pid]


@pytest.mark.long
def test_a_reader_that_leaves_early_is_no_error(tmp_path: Path) -> None:
    command = f"{' '.join(COMMAND)} compare --only numpy --problems 7 --dtype float32 --journal {tmp_path}"
    found = subprocess.run(
        ["/bin/sh", "-c", f"{{ {command}; echo $? >&2; }} | head -n 1"],
        capture_output=True, text=True, cwd=ROOT, env=on_path(), check=False,
    )  # fmt: skip
    assert found.stdout.startswith("Gradient Crosscheck")
    assert found.stderr == f"{ExitCode.PIPE_CLOSED}\n"


CRASHING = """
import ctypes, os, time
import numpy as np

class Adapter:
    framework, version, dtypes, calls = "crash", "1", ("float32",), 0

    def __init__(self, name, die):
        self.name, self.die = name, die

    def evaluate(self, X, y, W):
        self.calls += 1
        if self.calls == 3 or os.path.exists(self.name):
            self.die()
        with np.errstate(all="ignore"):
            p = 1 / (1 + np.exp(-(X @ W)))
            return {"y_hat": p}

segv = Adapter("segv", lambda: ctypes.string_at(0))
exits = Adapter("exits", lambda: os._exit(0))
def hang():  # from now on, in any process
    open("hangs", "w").close()
    time.sleep(1000)

hangs = Adapter("hangs", hang)
"""


BISECTED = "ordinary:7:4x1x3x1:contiguous:float64"
FACTOR = """
from tests.faulty_adapters.wrong import Planted, scaled
adapter = Planted("factor", scaled({}))
"""


@pytest.mark.parametrize("options", [("--nope",), ("--timeout", "0")], ids=" ".join)
def test_a_mistake_in_the_call_of_a_bisection_condemns_no_version(options: tuple[str, ...]) -> None:
    found = crosscheck("check", BISECTED, "--bisect", *options)
    assert (found.returncode, found.stderr.count("\n")) == (125, 1)


@pytest.mark.long
def test_a_bisection_never_runs_the_bytecode_of_another_version(tmp_path: Path) -> None:
    environment = {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": ""}
    for factor, code in (("1", 0), ("2", 1)):
        (tmp_path / "version.py").write_text(FACTOR.format(factor))
        os.utime(tmp_path / "version.py", (1, 1))  # git checks out several versions within a second
        options = ("--only", "numpy", "--adapter", "version:adapter")
        found = crosscheck("check", BISECTED, "--bisect", *options, cwd=tmp_path, **environment)
        assert found.returncode == code, found.stdout + found.stderr
