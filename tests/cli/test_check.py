"""`crosscheck check`: one case or file before adapters in children, and its exit codes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

import adapters
from adapters.process_options import ProcessOptions
from crosscheck.check import CheckResult, check_and_show, check_exit_code
from crosscheck.inputs import Case
from crosscheck.inputs.files import read_case
from crosscheck.inputs.literals import CaseError
from crosscheck.judging.evaluation import InProcessAdapter, evaluate_and_judge
from crosscheck.judging.judge import Judge
from crosscheck.pool import AdapterPool
from crosscheck.terminal.case_table import largest_error
from tests.faulty_adapters import wrong as planted

ONE = "float32:X=[[0x1p-1]]:y=[[0x0p+0]]:W=[[0x1p+0]]"
STACK = "ordinary:7:16x2x3x1:contiguous:float64"


def check(
    source: str, tmp_path: Path, *outside: str, only: Sequence[str] = ("numpy",), bisect: bool = False
) -> int:
    """The exit code, with NumPy and adapters from outside."""
    specs = adapters.select(only, outside)
    return check_and_show(source, specs, ProcessOptions(tmp_path / "journal"), bisect=bisect)


def wrong(name: str) -> str:
    """A planted wrong adapter."""
    return f"tests.faulty_adapters.wrong:{name}"


NOT_JUDGED = "ordinary:1:2x2x64x1:contiguous:bfloat16"


@pytest.mark.long
def test_agreement_shows_every_output_of_every_adapter(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(ONE, tmp_path, only=("numpy", "torch")) == 0
    shown = capsys.readouterr().out
    rows = re.findall(r"^(\S+) +(y_hat|loss|grad|row_loss) +within bounds ", shown, flags=re.MULTILINE)
    want = [(a, o) for a in ("numpy", "torch") for o in ("y_hat", "loss", "grad", "row_loss")]
    assert rows == want
    assert shown.startswith("Within bounds: numpy, torch.\n")
    assert "\nThe largest error is " in shown


def test_where_nothing_was_returned_no_error_is_measured() -> None:
    judge = Judge(read_case(ONE).problem())
    assert largest_error(judge, [], {}).startswith("No adapter returned anything")
    raised = evaluate_and_judge(InProcessAdapter(planted.raises), judge)
    assert largest_error(judge, [raised], {}).startswith("No adapter returned anything")


def test_decimals_are_reported_once_and_judged_and_replayed_as_hexadecimal_floats(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    decimal = "float32:X=[[0.1]]:y=[[0.25]]:W=[[0.7]]"
    assert check(decimal, tmp_path, wrong("missing_one_minus")) == 1
    said, complaint = capsys.readouterr()
    assert complaint == "X[0, 0]: 0.1 was taken as 0x1.99999ap-4, the nearest float32; 1 more likewise\n"
    assert "\n\nfloat32:X=[[0x1.99999ap-4]]:y=[[0x1p-2]]:W=[[0x1.666666p-1]]\n" in said
    (line,) = (line for line in said.splitlines() if line.startswith("  replay "))
    assert "0x" in line
    assert "." not in re.sub("0x1[.]", "", line.partition("'")[2].partition("'")[0])


def test_the_table_of_one_number_shows_got_and_exact(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    check(ONE, tmp_path)
    row = next(line for line in capsys.readouterr().out.splitlines() if re.match("numpy +y_hat", line))
    assert row.endswith("[0, 0]  0.62245935  0.6224593312")


def heard(source: str, *names: str) -> CheckResult:
    """The check of planted adapters in this process."""
    found = CheckResult(source, Judge(read_case(source).problem()))
    found.add_all(AdapterPool({wrong(name): InProcessAdapter(getattr(planted, name)) for name in names}))
    return found


# By name: the case, planted adapters, and the exit codes without and with --bisect.
CODES = {
    "good": (STACK, ("healthy",), (0, 0)),
    "wrong": (STACK, ("healthy", "sign"), (1, 1)),
    "contract": (STACK, ("healthy", "late_result"), (1, 1)),
    "raises": (STACK, ("healthy", "raises"), (1, 1)),
    "one-unsupported": (ONE, ("healthy", "float32_inside_float64"), (0, 125)),
    "unsupported": (ONE, ("float32_inside_float64",), (2, 125)),
    "refuses": (ONE, ("healthy", "refuses"), (0, 125)),
    "refuses-without-a-reason": (ONE, ("healthy", "refuses_silently"), (1, 1)),
    "not-judged": (NOT_JUDGED, ("healthy",), (2, 125)),
    "wrong-anyway": (NOT_JUDGED, ("sign",), (1, 1)),
}


@pytest.mark.long
@pytest.mark.parametrize("name", CODES)
def test_the_exit_code_says_good_bad_or_not_to_be_judged(name: str) -> None:
    source, names, codes = CODES[name]
    found = heard(source, *names)
    assert (check_exit_code(found, bisect=False), check_exit_code(found, bisect=True)) == codes


def test_where_nothing_is_judged_nothing_is_green() -> None:
    assert next(heard(NOT_JUDGED, "healthy").lines()) == "Not judged: nothing of it could be."


@pytest.mark.long
@pytest.mark.parametrize(("bisect", "code"), [(False, 1), (True, 125)])
def test_an_adapter_that_crashes_on_import_is_reported_and_cannot_be_judged(
    bisect: bool, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = "tests.faulty_adapters.import_exit:adapter"
    assert check(ONE, tmp_path, target, bisect=bisect) == code
    assert f"{target}: " in capsys.readouterr().out


@pytest.mark.long
@pytest.mark.parametrize(
    ("source", "outside"),
    [
        ("ordinary:7:16x2x3x1:contiguous:float33", ()),
        ("none.npz", ()),
        (ONE, ("tests.faulty_adapters.wrong:no_such",)),
    ],
    ids=["case", "file", "adapter"],
)
def test_what_cannot_be_used_is_an_error_and_cannot_be_judged_in_a_bisection(
    source: str, outside: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises((CaseError, adapters.AdapterError)) as found:
        check(source, tmp_path, *outside)
    assert "\n" not in str(found.value)
    assert check(source, tmp_path, *outside, bisect=True) == 125
    assert capsys.readouterr().err.startswith("crosscheck: cannot be judged: ")


@pytest.mark.long
@pytest.mark.parametrize("name", ["a.npz", "a.safetensors"])
def test_the_users_own_arrays_are_judged_and_replayed_by_the_name_of_the_file(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arrays = Case("ordinary", 1, (64, 16, 8, 4), dtype="float64").problem()._asdict()
    path = tmp_path / name
    if name.endswith("npz"):
        np.savez(path, **arrays)
    else:
        save_file(arrays, path)
    assert check(str(path), tmp_path) == 0
    assert check(str(path), tmp_path, wrong("raises"), wrong("missing_half")) == 1
    shown = capsys.readouterr().out
    assert f"check {path} --adapter {wrong('raises')}" in shown
    assert f"--adapter {wrong('missing_half')}" in shown


def test_in_saturation_all_agree_and_the_error_is_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check("float32:X=[[0x1p+0]]:y=[[0x0p+0]]:W=[[0x1.1p+4]]", tmp_path) == 0
    shown = capsys.readouterr().out
    assert re.search(r"^numpy +grad +within bounds +\S+ to zero", shown, flags=re.MULTILINE)
    assert "in grad of numpy" in shown
