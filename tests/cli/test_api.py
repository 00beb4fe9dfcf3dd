"""The functions for other people's Python: what they take, what they say, and how they refuse."""

from __future__ import annotations

import doctest
import re
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import ENVIRONMENT, ROOT, python

import crosscheck
import gradient_crosscheck
from adapters import AdapterError
from crosscheck import admissible_sets, api, compare_adapters, exact_values, judge_outputs, reference_outputs
from crosscheck.accuracy import RESOLUTION
from crosscheck.api import compared, exact, judged
from crosscheck.cases import Literal, parse
from crosscheck.compare import session
from crosscheck.judge import OUTPUTS, Judge, Verdict
from crosscheck.pool import AdapterPool
from crosscheck.results.record import Results
from reference import oracle
from reference.arithmetic import KAPPA, Arithmetic, default_arithmetic
from reference.formats import FORMATS
from reference.types import Problem

STACK = "ordinary:7:16x2x3x1:contiguous:float64"
MIXED = "mixed:3:64x1x3x1:contiguous:float32"
NOT_JUDGED = "ordinary:1:2x2x64x1:contiguous:bfloat16"
# JAX flushes a subnormal input to zero; the README has the case.
FLUSHED = parse("float32:X=[[0x1p-127]]:y=[[0x0p+0]]:W=[[0x1p+127]]").problem()
ONE: tuple[Any, Any, Any] = ([[1]], [[0.5]], [[2]])
WITHOUT_ONE_MINUS = [["0.3354049"]]  # of ONE in float32, where (1 − ŷ) is forgotten


def missing_one_minus(problem: Problem) -> Any:
    """∂L/∂W without the factor (1 − ŷ)."""
    X, y, W = problem
    y_hat = reference_outputs(X, y, W).y_hat
    assert y_hat is not None
    return np.swapaxes(X, -1, -2) @ ((y_hat - y) * y_hat)


# ------------------------------------------------------------------------------------ what there is


def test_both_modules_have_the_same_names_and_the_interface_has_them_all() -> None:
    assert crosscheck.__all__ == gradient_crosscheck.__all__
    assert set(crosscheck.__all__) < set(api.__all__)
    assert set(crosscheck.__all__) < set(dir(crosscheck))
    assert all(getattr(gradient_crosscheck, name) is getattr(crosscheck, name) for name in crosscheck.__all__)


def test_no_module_of_the_package_has_the_name_of_a_function() -> None:
    modules = {path.stem for path in (ROOT / "crosscheck").iterdir()}
    assert modules.isdisjoint(crosscheck.__all__)


@pytest.mark.parametrize("module", [crosscheck, gradient_crosscheck], ids=lambda module: module.__name__)
def test_a_name_that_there_is_not_is_the_usual_error(module: Any) -> None:
    with pytest.raises(AttributeError, match=r"has no attribute 'judge_output'"):
        _ = module.judge_output


def test_naming_the_package_imports_nothing() -> None:
    show = "print(*sorted(set(sys.modules) - before))"
    ran = python("-c", f"import sys; before = set(sys.modules); import crosscheck; {show}")
    assert set(ran.stdout.split()) <= {"__future__", "crosscheck"}
    assert ran.returncode == 0


@pytest.mark.parametrize("name", crosscheck.__all__)
def test_a_function_states_its_arguments_errors_and_source_and_has_an_example(name: str) -> None:
    said = getattr(crosscheck, name).__doc__
    assert [part for part in ("Args:", "Raises:", "Example:", ">>> ") if part not in said] == []


@pytest.mark.parametrize(
    "module",
    [judged, exact, pytest.param(compared, marks=pytest.mark.long)],
    ids=lambda module: module.__name__,
)
def test_the_examples_of_the_docstrings_are_what_python_shows(
    module: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = doctest.testmod(module)
    assert found.attempted
    assert not found.failed


# ------------------------------------------------------------------------------- what an array may be


class Tensor:
    """What a tensor of PyTorch is to us: with a graph, perhaps of bfloat16, which NumPy does not get."""

    def __init__(self, array: Any, dtype: str = "torch.float32") -> None:
        self.array, self.dtype = array, dtype

    def detach(self) -> Tensor:
        """Without its graph."""
        return self

    def cpu(self) -> Tensor:
        """From its device."""
        return self

    def float(self) -> Tensor:
        """In float32."""
        return Tensor(self.array.astype(np.float32))

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        if self.dtype == "torch.bfloat16":
            raise TypeError("Got unsupported ScalarType BFloat16")
        return np.array(self.array, dtype, copy=copy)


class Exchanged:
    """An array that has DLPack only."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def __dlpack__(self, **options: Any) -> Any:
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self.array.__dlpack_device__()


class Broken:
    """What says that it turns into an array, and does not."""

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise TypeError("on a device that is gone")


HALF = np.array([[0.5, 2.0]], np.float32)


GIVEN: dict[str, Any] = {
    "numbers": [[0.5, 2]],
    "tuples": ((0.5, 2.0),),
    "texts": [["0.5", "2"]],
    "a text": "[[0.5, 0x1p+1]]",
    "decimals": [[Decimal("0.5"), Decimal(2)]],
    "scalars": [[np.float32(0.5), np.int8(2)]],
    "rows": [HALF[0]],
    "an array": HALF,
    "swapped bytes": HALF.astype(">f4"),
    "strides": HALF[:, ::-1].copy()[:, ::-1],
    "a tensor": Tensor(HALF),
    "DLPack": Exchanged(HALF),
}


@pytest.mark.parametrize("given", GIVEN.values(), ids=GIVEN)
def test_an_array_may_be_lists_decimals_or_what_turns_into_one(given: Any) -> None:
    found = reference_outputs(given, [[1]], [[1], [1]], dtype="float32")
    np.testing.assert_array_equal(found.grad, reference_outputs(HALF, [[1]], [[1], [1]]).grad)


def test_a_tensor_of_bfloat16_is_taken_with_all_its_bits() -> None:
    array = np.array([[0.1]], FORMATS["bfloat16"].dtype)
    found = judge_outputs(Tensor(array, "torch.bfloat16"), [[0]], [[1]], y_hat=[["0.523"]])
    assert found.problem.dtype == "bfloat16"
    assert found.problem.X.tobytes() == array.tobytes()


REAL = """
import jax, jax.numpy as jnp, torch
from crosscheck import judge_outputs

X, y, W = [[0.5, -1.0, 2.0]], [[1.0]], [[0.1], [0.7], [-0.3]]

def on_torch(dtype):
    x, label, w = (torch.tensor(each, dtype=getattr(torch, dtype)) for each in (X, y, W))
    w.requires_grad_(True)
    y_hat = torch.sigmoid(x @ w)
    loss = torch.sum((label - y_hat) ** 2) / 2
    loss.backward()
    return judge_outputs(x, label, w, y_hat=y_hat, loss=loss, grad=w.grad, arithmetic="torch")

def on_jax(dtype):
    with jax.enable_x64(True):
        x, label, w = (jnp.asarray(each, dtype=dtype) for each in (X, y, W))
        loss, grad = jax.value_and_grad(lambda w: jnp.sum((label - jax.nn.sigmoid(x @ w)) ** 2) / 2)(w)
        return judge_outputs(x, label, w, loss=loss, grad=grad, arithmetic="jax")

for dtype in ("float64", "float32", "float16", "bfloat16"):
    for judged in (on_torch(dtype), on_jax(dtype)):
        assert judged.problem.dtype == dtype
        assert judged.within_bounds, str(judged)
"""


@pytest.mark.long
def test_tensors_and_arrays_of_the_frameworks_are_judged_in_every_dtype() -> None:
    ran = python("-W", "error", "-c", REAL)
    assert ran.returncode == 0, ran.stderr


def test_a_decimal_is_rounded_once_as_the_command_rounds_it_and_the_text_says_so() -> None:
    near_a_tie = "1.00000017881393432617187501"  # float64 drops what lies beyond a tie of float32
    found = judge_outputs([[near_a_tie]], [["0.1"]], [[1]], y_hat=[[0.75]], dtype="float32")
    read = parse(f"float32:X=[[{near_a_tie}]]:y=[[0.1]]:W=[[1]]")
    assert isinstance(read, Literal)
    assert found.problem == read
    assert found.text.splitlines()[-1] == read.taken
    assert read.taken.endswith("; 1 more likewise")


def test_a_float_of_python_is_rounded_as_numpy_rounds_it() -> None:
    tie = 1 + 2.0**-24  # the shortest decimal that Python prints for it lies above it
    found = judge_outputs([[tie]], [[0.1]], [[1]], y_hat=[[0.75]], dtype="float32")
    assert [found.problem.X.item(), found.problem.y.item()] == [
        float(np.float32(tie)),
        float(np.float32(0.1)),
    ]
    assert found.problem.taken == ""


@pytest.mark.parametrize(
    ("dtype", "X", "want"),
    [
        (None, [[1]], "float64"),
        ("float16", [[1]], "float16"),
        (None, np.ones((1, 1), np.float32), "float32"),
        (None, np.ones((1, 1), np.int64), "float64"),
        ("bfloat16", np.ones((1, 1), np.uint8), "bfloat16"),
    ],
)
def test_the_dtype_is_that_of_the_arrays_or_the_one_asked_for(dtype: str | None, X: Any, want: str) -> None:
    assert judge_outputs(X, [[1]], [[0]], y_hat=[[0.5]], dtype=dtype).problem.dtype == want


def test_nan_and_infinities_are_numbers_like_any_other() -> None:
    signalling = np.array([[0x7F800001]], np.uint32).view(np.float32)
    for nan in ([["nan"]], [[float("nan")]], signalling):
        found = judge_outputs([[1]], nan, [["-inf"]], loss=float("nan"), y_hat=[[0]], dtype="float32")
        assert found.verdict is not Verdict.OUTSIDE, found
        assert not judge_outputs([[1]], nan, [[1]], loss=0.5, dtype="float32")


def test_arrays_are_left_as_they_are_and_later_changes_do_not_reach_the_result() -> None:
    X, grad = np.ones((1, 1)), np.full((1, 1), 0.25)
    found = judge_outputs(X, [[0]], [[0]], grad=grad)
    X[:], grad[:] = 7, 7
    assert found.grad is not None
    assert (found.problem.X.item(), found.grad.got.item()) == (1, 0.25)


THING: Any = object()
NOTHING: Any = None
REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "no output": (lambda: judge_outputs(*ONE), r"nothing to judge; give any of y_hat, loss, grad, row_loss"),
    "shape of an output": (
        lambda: judge_outputs(*ONE, grad=[0.1]),
        r"grad has shape \(1,\), want \(1, 1\) for this X, y and W",
    ),
    "shape of the loss": (lambda: judge_outputs(*ONE, loss=[[0.1]]), r"loss has shape \(1, 1\), want \(\)"),
    "vectors": (lambda: exact_values([1], [[1]], [[1]]), r"X has shape \(1,\); use two axes or more"),
    "shapes": (lambda: exact_values([[1, 2]], [[1]], [[1]]), r"shapes X \(1, 2\), y .* do not fit"),
    "nothing": (lambda: exact_values(np.ones((0, 1)), [[1]], [[1]]), r"none of length 0"),
    "ragged": (lambda: exact_values([[1], [1, 2]], [[1]], [[1]]), r"X is not a rectangular nested list"),
    "no number": (
        lambda: exact_values([["one"]], [[1]], [[1]]),
        r"X holds 'one', which is no number; use hex",
    ),
    "two numbers": (lambda: exact_values([["1,2"]], [[1]], [[1]]), r"X holds '1,2', which is no number"),
    "truth": (lambda: exact_values([[1]], [[True]], [[1]]), r"y holds True, which is no number"),
    "truths": (
        lambda: exact_values([[1]], np.array([[True]]), [[1]]),
        r"y has dtype bool; use one of float64",
    ),
    "complex": (lambda: exact_values([[1]], [[1j]], [[1]]), r"y holds 1j, which is no number"),
    "object": (lambda: exact_values([[1]], [[1]], THING), r"W is of type object; use a nested list or an"),
    "a broken array": (
        lambda: exact_values([[1]], [[1]], Broken()),
        r"W does not turn into a NumPy array: TypeError: on a device that is gone",
    ),
    "None": (
        lambda: exact_values([[1]], NOTHING, [[1]]),
        r"y is of type NoneType; use a nested list or an array",
    ),
    "dtype": (lambda: exact_values(*ONE, dtype="float8"), r"unknown dtype 'float8'; .* did you mean 'float"),
    "other dtype": (
        lambda: exact_values(HALF, [[1]], [[1], [1]], dtype="float16"),
        r"X has dtype float32, not the float16 that was asked for; convert it first",
    ),
    "two dtypes": (
        lambda: judge_outputs(HALF, [[1]], [[1], [1]], y_hat=np.ones((1, 1))),
        r"several dtypes: X float32, y_hat float64; convert them to the one that was computed in",
    ),
    "too large": (
        lambda: exact_values([["1e39"]], [[1]], [[1]], dtype="float32"),
        r"beyond the largest float32",
    ),
    "too large a float": (lambda: exact_values([[1e39]], [[1]], [[1]], dtype="float32"), r"1e\+39, beyond"),
    "hexadecimal": (
        lambda: exact_values([["0x1.000001p+0"]], [[1]], [[1]], dtype="float16"),
        r"X\[0, 0\] is 0x1.000001p\+0, which is no float16",
    ),
    "claim": (
        lambda: admissible_sets(*ONE, arithmetic={"flushes": True}),
        r"arithmetic is not .*; it has .* flush",
    ),
    "value of a claim": (
        lambda: admissible_sets(*ONE, arithmetic={"kappa": 0}),
        r"kappa is 0, want at least 1",
    ),
    "shape of got": (
        lambda: exact_values(*ONE).grad.error_in_ulp([1]),
        r"got has shape \(1,\), want \(1, 1\)",
    ),
    "dtype of got": (
        lambda: exact_values(*ONE).grad.error_in_ulp(HALF),
        r"got has dtype float32, not the float64",
    ),
    "compared dtype": (lambda: compare_adapters(dtypes=["float"]), r"unknown dtype 'float'; use one of"),
    "a text for a list": (
        lambda: compare_adapters(dtypes="float32"),
        r"dtypes is 'float32'; use a list of names",
    ),
    "compared regime": (
        lambda: compare_adapters(regimes=["odd"]),
        r"unknown regime 'odd'; use one of ordinary",
    ),
    "seconds": (lambda: compare_adapters(timeout=float("nan")), r"timeout is nan; use a number of seconds"),
    "problems": (lambda: compare_adapters(problems=0), r"problems is 0; use 1 or more"),
}


@pytest.mark.parametrize(("call", "why"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_used_is_a_value_error_of_one_clear_line(call: Callable[[], Any], why: str) -> None:
    with pytest.raises(ValueError, match=why) as refused:
        call()
    assert "\n" not in str(refused.value)


# -------------------------------------------------------------------------------------- the verdict


@pytest.mark.parametrize("text", [STACK, MIXED])
def test_the_closed_form_is_within_bounds_and_a_missing_factor_is_not(text: str) -> None:
    problem = parse(text).problem()
    right = judge_outputs(*problem, **reference_outputs(*problem)._asdict())
    assert right.within_bounds, str(right)
    wrong = judge_outputs(*problem, grad=missing_one_minus(problem))
    assert not wrong.within_bounds
    assert not wrong
    assert (wrong.verdict, wrong.loss) == (Verdict.OUTSIDE, None)


@pytest.mark.parametrize("text", [STACK, MIXED, NOT_JUDGED])
def test_every_element_is_judged_as_the_judge_judges_it(text: str) -> None:
    problem = parse(text).problem()
    outputs = reference_outputs(*problem)._replace(grad=missing_one_minus(problem).astype(problem.X.dtype))
    found = judge_outputs(*problem, **outputs._asdict())
    judge = Judge(problem)
    for name, want in judge.judge(outputs, default_arithmetic(judge.format)).items():
        got = getattr(found, name)
        assert got.verdict is want.verdict
        assert (got.inside == want.admissible).all()
        assert (got.judged == want.decided).all()


def test_what_is_not_judged_is_no_pass() -> None:
    problem = parse(NOT_JUDGED).problem()
    found = judge_outputs(
        *problem, grad=reference_outputs(*problem).grad, loss=reference_outputs(*problem).loss
    )
    assert found.grad is not None
    assert found.grad.verdict is Verdict.NOT_JUDGED
    assert found.verdict is Verdict.NOT_JUDGED
    assert not found.within_bounds
    assert "whose sets hold all that they can be" in str(found)
    assert "all that it can be: not judged" in repr(admissible_sets(*problem))


def test_the_text_has_the_verdict_and_the_first_elements_that_are_outside() -> None:
    problem = parse(STACK).problem()
    found = judge_outputs(*problem, y_hat=reference_outputs(*problem).y_hat, grad=missing_one_minus(problem))
    assert found.grad is not None
    lines = repr(found).splitlines()
    outside = int((~found.grad.inside).sum())
    assert lines[0] == "Outside: grad. Within bounds: y_hat."
    assert re.fullmatch(r"  grad   outside: \d+ of 48 elements, largest error \S+ ulp", lines[2])
    assert [line.split()[0] for line in lines[4:8]] == ["got", "exact", "error", "admissible"]
    assert lines[-1] == f"{outside - 4} more of grad outside"
    assert repr(found.grad) == lines[2].split(maxsplit=1)[1]


@pytest.mark.parametrize("arithmetic", [{"flush": True}, Arithmetic(KAPPA["float32"], flush=True)], ids=str)
def test_a_claim_widens_what_is_admissible(arithmetic: Any) -> None:
    flushed: Any = [[0.5]]
    assert judge_outputs(*FLUSHED, y_hat=flushed).verdict is Verdict.OUTSIDE
    found = judge_outputs(*FLUSHED, y_hat=flushed, arithmetic=arithmetic)
    assert found.within_bounds, str(found)
    assert admissible_sets(*FLUSHED, arithmetic=arithmetic).y_hat.contains(np.array(flushed)).all()


def test_an_adapter_lends_its_claims_by_its_name() -> None:
    assert admissible_sets(*ONE, arithmetic="numpy").text("grad", (0, 0)) == admissible_sets(*ONE).text(
        "grad", (0, 0)
    )


TWO_LINES = """
from crosscheck import judge_outputs

def test_my_gradient():
    judged = judge_outputs([[1]], [[0.5]], [[2]], grad=[[GRAD]], dtype="float32")
    assert judged.within_bounds, str(judged)
"""


@pytest.mark.long
@pytest.mark.parametrize(("grad", "code"), [("0.03998125", 0), ("0.3354049", 1)])
def test_a_test_of_two_lines_passes_or_says_what_is_outside(grad: str, code: int, tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(TWO_LINES.replace("GRAD", f"'{grad}'"))
    pytest_here = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", "."]
    ran = subprocess.run(
        pytest_here, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=120
    )
    assert ran.returncode == code, ran.stdout + ran.stderr
    said = ("AssertionError: Outside: grad.", "got         0x1.577462p-2 (0.3354049)", "7.93e+07 ulp off")
    assert all((part in ran.stdout) == bool(code) for part in said), ran.stdout


def python_of(page: str) -> str:
    """The example of a page that imports from here."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text("utf-8"), re.DOTALL)
    (found,) = (block for block in blocks if "from crosscheck import judge_outputs" in block)
    return str(found)


@pytest.mark.parametrize("page", ["README.md", "docs/python.md"])
def test_the_example_of_a_page_passes_what_is_right_and_catches_what_is_not(page: str) -> None:
    problem = parse(STACK).problem()
    names: dict[str, Any] = {**problem._asdict(), "my_gradient": lambda *them: reference_outputs(*them).grad}
    exec(python_of(page), names)  # noqa: S102, our own page's
    names["my_gradient"] = lambda *them: missing_one_minus(Problem(*them))
    with pytest.raises(AssertionError, match=r"^Outside: grad\."):
        exec(python_of(page), names)  # noqa: S102, our own page's


def test_the_page_of_the_interface_names_every_function_with_its_own_arguments() -> None:
    page = (ROOT / "docs" / "python.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `(\w+)\((.*?)\)` ", page, re.MULTILINE))
    said = {name: re.findall(r"\w+", arguments) for name, arguments in rows.items()}
    assert said == {name: [*signature(getattr(crosscheck, name)).parameters] for name in crosscheck.__all__}


# ----------------------------------------------------------------- the exact values, the sets, the reference


def test_exact_values_are_the_oracles_and_errors_are_measured_from_them() -> None:
    problem = parse(STACK).problem()
    found, want = exact_values(*problem), oracle.evaluate(*problem)
    for name, balls in want._asdict().items():
        assert (
            getattr(found, name).decimals.tolist()
            == np.vectorize(oracle.decimal, otypes=[object])(balls).tolist()
        )
    outputs = reference_outputs(*problem)
    judged = judge_outputs(*problem, **outputs._asdict())
    for name in OUTPUTS:
        values = getattr(found, name)
        apart = values.error_in_ulp(getattr(outputs, name)) - getattr(judged, name).error
        assert (np.abs(apart) <= RESOLUTION).all()
        assert (values.error_in_ulp(values.nearest) <= 0.5).all()
        assert values.nearest.dtype == np.float64


def test_the_text_of_exact_values_has_a_line_for_each_and_the_first_of_many() -> None:
    assert repr(exact_values([["0.1"]], [[1]], [[0]], dtype="float16")).splitlines() == [
        "z[0, 0] = 0",
        "y_hat[0, 0] = 0.5000000000000000000000000",
        "dL_dyhat[0, 0] = -0.5000000000000000000000000",
        "dyhat_dz[0, 0] = 0.2500000000000000000000000",
        "delta[0, 0] = -0.1250000000000000000000000",
        "loss = 0.1250000000000000000000000",
        "row_loss[0] = 0.1250000000000000000000000",
        "grad[0, 0] = -0.01249694824218750000000000",
        "X[0, 0]: 0.1 was taken as 0x1.998p-4, the nearest float16",
    ]
    assert "28 more of y_hat" in repr(exact_values(*parse(STACK).problem()))


def test_the_sets_contain_the_exact_values_and_the_closed_form() -> None:
    problem = parse(STACK).problem()
    sets, exactly, outputs = admissible_sets(*problem), exact_values(*problem), reference_outputs(*problem)
    for name in OUTPUTS:
        one = getattr(sets, name)
        assert one.contains(getattr(exactly, name).nearest).all()
        assert one.contains(getattr(outputs, name)).all()
    assert repr(sets).splitlines()[0].startswith("y_hat[0, 0, 0] = [")


# --------------------------------------------------------------------------------------- comparisons


FEW: dict[str, Any] = {"dtypes": ["float32"], "regimes": ["ordinary"], "problems": 1}


@pytest.mark.long
def test_a_comparison_says_what_the_command_says(tmp_path: Path) -> None:
    found = compare_adapters("numpy", **FEW, journal=tmp_path)
    assert found.within_bounds, str(found)
    assert found
    assert [line.output for line in found.outputs] == list(OUTPUTS)
    assert {(line.adapter, line.dtype, line.verdict) for line in found.outputs} == {
        ("numpy", "float32", "within bounds")
    }
    assert all(line.judged and np.isfinite(line.error) for line in found.outputs)
    options = ["--only", "numpy", "--dtype", "float32", "--regime", "ordinary", "--problems", "1"]
    ran = python("-m", "crosscheck.cli", "compare", *options, "--journal", str(tmp_path))
    timed = re.compile(r" in [\d.]+ s\.")
    assert timed.sub("", repr(found)).split() == timed.sub("", ran.stdout).split()


@pytest.mark.long
def test_a_comparison_of_a_wrong_adapter_alone_names_what_is_outside(tmp_path: Path) -> None:
    found = compare_adapters("tests.faulty_adapters.wrong:missing_one_minus", **FEW, journal=tmp_path)
    assert not found.within_bounds
    assert {line.adapter for line in found.outputs} == {"planted-missing-one-minus"}
    assert {line.output for line in found.outputs if line.verdict == "outside"} == {"grad"}
    assert found.reasons == ("outside: planted-missing-one-minus",)
    assert "planted-missing-one-minus is wrong: grad" in str(found)


class InJupyter:
    """A console as rich has it in a notebook."""

    is_jupyter = True

    def __init__(self, **options: Any) -> None:
        del options


def test_a_notebook_keeps_no_line_of_what_was_being_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "Console", InJupyter)
    with session._status("checking") as shown:
        assert shown is None


def test_a_comparison_that_is_interrupted_has_no_result(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(AdapterPool, "start", lambda *_, **__: AdapterPool())
    monkeypatch.setattr(session, "_compared", lambda *_: (Results(interrupted=True), []))
    with pytest.raises(KeyboardInterrupt):
        compare_adapters("numpy", **FEW, journal=tmp_path)


@pytest.mark.parametrize("name", ["numpie", "torch-nothing"])
def test_an_adapter_that_there_is_not_is_refused(name: str) -> None:
    with pytest.raises(AdapterError, match=name):
        compare_adapters(name)
