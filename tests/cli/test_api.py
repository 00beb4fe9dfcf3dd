"""The functions for other people's Python: what they take, what they say, and how they refuse."""

from __future__ import annotations

import doctest
import re
from inspect import signature
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from command_line import ROOT, python
from command_line import crosscheck as command

import crosscheck
import gradient_crosscheck
from adapters import AdapterError
from crosscheck import admissible_sets, api, compare_adapters, exact_values, judge_outputs, reference_outputs
from crosscheck.api import compared, exact, judged
from crosscheck.compare import session
from crosscheck.inputs import parse
from crosscheck.judging.accuracy import RESOLUTION
from crosscheck.judging.judge import OUTPUTS, Judge, Verdict
from crosscheck.pool import AdapterPool
from crosscheck.results.record import Results
from reference import oracle
from reference.arithmetic import KAPPA, Arithmetic, default_arithmetic
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
    ran = python("-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", ".", cwd=tmp_path)
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
    ran = command("compare", *options, "--journal", str(tmp_path))
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


def test_a_notebook_keeps_no_line_of_what_was_being_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "Console", lambda **_: SimpleNamespace(is_jupyter=True))
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
