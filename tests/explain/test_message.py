"""The message of a failure: complete, aligned, and true."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import adapters
from adapters.errors import AdapterCrashed
from crosscheck.explain.message import failure, replay
from crosscheck.inputs import parse
from crosscheck.judging.evaluation import InProcessAdapter, Outcome, evaluate_and_judge
from crosscheck.judging.judge import Judge
from crosscheck.text import format_decimal, format_hex, format_number, format_share
from reference.formats import FORMATS
from tests.faulty_adapters import wrong

CASE = "float64:X=[[0x1p+0]]:y=[[0x0p+0]]:W=[[0x0p+0]]"
SIGN = """\
planted-sign is outside on grad

planted-sign is wrong: grad[0, 0] in float64
  adapter       planted 1.0, cpu
  got           -0x1p-3 (-0.125)
  want          0x1p-3, the float64 nearest to the exact 0.1250000000000000000000000
  error         9.01e+15 ulp off
  admissible    [A, B]
  bound used    N times the bound
  regime        zeros (an input or weight is zero)
  extent        1 of 1 elements of grad
  others        numpy: 0x1p-3 (0.125), within bounds, 0 ulp off
  outlier       planted-sign
  equation      (13) ∂L/∂ŷ = ŷ − y
"""


def message(text: str, *tried: Any, outcomes: tuple[Outcome, ...] = ()) -> str:
    """The message about these adapters on a case."""
    judge = Judge(parse(text).problem())
    asked = {f"tests.faulty_adapters.wrong:{s.description.name}": s for s in map(InProcessAdapter, tried)}
    heard = [evaluate_and_judge(adapter, judge) for adapter in asked.values()]
    return failure(text, judge, [*heard, *outcomes], asked)


def test_a_message_has_everything_in_its_place() -> None:
    numpy = InProcessAdapter(adapters.load("numpy"))
    judge, sign = Judge(parse(CASE).problem()), InProcessAdapter(wrong.sign)
    tried = {"tests.faulty_adapters.wrong:sign": sign, "numpy": numpy}
    found = failure(CASE, judge, [evaluate_and_judge(sign, judge), evaluate_and_judge(numpy, judge)], tried)
    masked = re.sub(r"\[0\.1249\d*, 0\.1250\d*\]", "[A, B]", re.sub(r"\S+ times", "N times", found))
    assert masked.startswith(SIGN), found
    assert found.endswith(f"  replay        {replay(CASE, 'tests.faulty_adapters.wrong:sign')}")


def test_a_line_has_at_most_100_columns_except_the_one_to_be_pasted() -> None:
    found = message("ordinary:1:16x3x4x2:contiguous:float64", wrong.sign, wrong.missing_half, wrong.nan)
    long = [line for line in found.splitlines() if len(line) > 100 and not line.startswith("  replay")]
    assert not long


@pytest.mark.parametrize("dtype", wrong.ALL)
def test_the_case_in_the_replay_line_is_read_back(dtype: str) -> None:
    found = message(f"ordinary:1:16x3x4x2:contiguous:{dtype}", wrong.sign)
    (line,) = re.findall(r"^  replay +(.*)$", found, flags=re.MULTILINE)
    _, check, text, option, _ = shlex.split(line)
    assert (check, option) == ("check", "--adapter")
    assert evaluate_and_judge(InProcessAdapter(wrong.sign), Judge(parse(text).problem())).disagreeing == (
        "grad",
    )


def test_an_adapter_of_the_suite_is_replayed_alone() -> None:
    assert replay("zeros:1:1x1x1:contiguous:float32", "jax-jit").endswith("float32 --only jax-jit")


def test_the_replay_line_names_the_command_that_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "executable", "/a place/bin/python")
    assert replay("a.npz", "numpy") == "'/a place/bin/crosscheck' check a.npz --only numpy"
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/crosscheck").touch()
    assert replay("a.npz", "numpy") == ".venv/bin/crosscheck check a.npz --only numpy"


def test_every_output_that_disagrees_has_its_own_block() -> None:
    found = message("ordinary:1:16x3x4x2:contiguous:float64", wrong.float32_inside_float64, wrong.sign)
    headers = re.findall(r"^(\S+) is wrong: (\w+)", found, flags=re.MULTILINE)
    assert headers == [
        ("planted-float32-inside-float64", "y_hat"),
        ("planted-float32-inside-float64", "loss"),
        ("planted-float32-inside-float64", "grad"),
        ("planted-sign", "grad"),
    ]
    assert found.startswith("planted-float32-inside-float64 is outside on y_hat, loss, grad; planted-sign")


def test_a_crash_is_told_with_its_input_and_its_replay() -> None:
    crash = AdapterCrashed(
        "planted-dead", "killed by signal 11 (SIGSEGV)", Path("j/dead-3.safetensors"), Path("j/dead.log")
    )
    description = InProcessAdapter(wrong.Planted("dead", wrong.right)).description
    found = message(CASE, wrong.healthy, outcomes=(Outcome(description, failure=crash),))
    assert found.startswith("planted-dead failed\n")
    for words in ("killed by signal 11 (SIGSEGV)", "its input: j/dead-3.safetensors", f"check '{CASE}'"):
        assert words in " ".join(found.split())


def test_an_exact_value_that_the_format_lacks_is_given_by_its_neighbour() -> None:
    found = message("float32:X=[[0x1p+0]]:y=[[0x0p+0]]:W=[[0x1p+0]]", wrong.sign)
    (near, exact) = re.findall(r"want +(\S+), the float32 nearest to the\s+exact (\S+)", found)[0]
    assert np.float32(exact) == float.fromhex(near)
    assert exact.startswith("0.1437348")  # σ(1)²·(1 − σ(1))


def test_where_the_input_is_not_finite_there_is_no_exact_value() -> None:
    def never_nan(X: Any, y: Any, W: Any) -> Any:
        return tuple(np.nan_to_num(output) for output in wrong.right(X, y, W))

    found = message("float64:X=[[nan]]:y=[[0x0p+0]]:W=[[0x1p+0]]", wrong.Planted("never-nan", never_nan))
    assert "  want          nan" in found
    assert "  admissible    nan only" in found
    assert "  error         not measured: no exact value" in found
    assert "  bound used    no figure: nothing but nan is admissible" in found


def test_outputs_that_could_not_be_judged_are_named() -> None:
    text = "ordinary:1:2x2x64x1:contiguous:bfloat16"
    judge = Judge(parse(text).problem())
    infinite = InProcessAdapter(wrong.Planted("infinite", wrong.scaled(float("inf"))))
    found = failure(text, judge, [evaluate_and_judge(infinite, judge)], {})
    assert "  not judged    y_hat, loss: the sets hold all that these can be" in found


@pytest.mark.parametrize("dtype", FORMATS)
def test_numbers_are_written_so_that_they_are_read_back(dtype: str) -> None:
    format = FORMATS[dtype]
    values = np.array([0.1, -3.0, 2.0**-14, format.least_subnormal, format.largest]).astype(format.dtype)
    for value in values.astype(np.float64).tolist():
        assert float.fromhex(format_hex(value)) == value
        assert float(np.array(float(format_decimal(value, format))).astype(format.dtype)) == value
    assert format_number(float("nan"), format) == "nan"


def test_shares_of_the_bound_are_read_at_a_glance() -> None:
    assert [format_share(s) for s in (0.5, 4.18, 1e12, float("inf"), float("nan"))] == [
        "50 %",
        "418 %",
        "1e+12 ×",
        "outside",
        "-",
    ]
