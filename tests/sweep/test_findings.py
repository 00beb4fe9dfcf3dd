"""The page of findings: its numbers and pictures are the ledger's, and other ledgers are refused."""

from __future__ import annotations

import math
import re
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from ledgers import cell
from swept import HIGH, LOW, SMALL, Cells, head, of, row, text, worst

from adapters.errors import AdapterCrashed
from crosscheck.inputs import Case
from crosscheck.judging.evaluation import InProcessAdapter, Outcome, evaluate_and_judge
from crosscheck.judging.judge import Judge
from crosscheck.report.cells import cells_of
from crosscheck.results.ledger import Ledger, write
from crosscheck.results.summary import Number, Summary, Worst
from crosscheck.sweep.exhaustive import MEASURED, intervals
from reference.formats import FORMATS
from tests.faulty_adapters import wrong
from tools.findings import plots
from tools.findings.__main__ import run
from tools.findings.instructions import Table, add, section
from tools.findings.page import DOCUMENTED, RELEASES, SECTION
from tools.findings.releases import Fault, faults, outcome, table, verdict
from tools.findings.steps import Key, Step, is_normal, steps_of

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "tools" / "findings" / "page.md"
PAGE = ROOT / "docs" / "findings.md"


def test_the_row_of_an_adapter_has_what_the_ledger_has() -> None:
    first: dict[str, Any] = {
        "errors": {"-40": 100, "-2": 200, "-1": 300, "1": 400},
        "error": worst(3.6784, -26.5),
    }
    second: dict[str, Any] = {"errors": {"zero": 990, "0": 10}, "error": worst(1.5, 0.5), "equal": 1000}
    counts: dict[str, Any] = {"lost_to_zero": 4, "overflow": 5, "undefined": 6}
    page = text({**of("numpy", LOW, ties=3, **first), **of("numpy", HIGH, **second, **counts)})
    assert row(page, "ŷ", "numpy") == [
        "3.678 at `-0x1.a8p+4` (-26.5)", "64.50 %", "3", "4", "5", "6", "95.00 %",
    ]  # fmt: skip
    assert row(page, LOW.split(maxsplit=1)[0]) == ["−28 … −26", "1,000", "3.678 at `-0x1.a8p+4` (-26.5)"]
    assert "2,000 results were judged; 0 lie outside" in page


def test_intervals_of_one_regime_share_a_row_with_the_larger_error_and_its_z() -> None:
    near, far = worst(0.75, 0.51), worst(1.25, 0.55)
    page = text({**of("numpy", HIGH, error=near), **of("numpy", SMALL, error=far)})
    assert row(page, "ordinary, z > 0") == ["0.5 … 0.5625", "2,000", "1.25 at `0x1.19999ap-1` (0.55)"]


def test_a_share_is_cut_off_so_that_all_of_it_is_all() -> None:
    page = text(of("numpy", HIGH, errors={"zero": 99_999, "0": 1}, elements=10**5, equal=10**5))
    assert row(page, "ŷ", "numpy")[1:3] == ["99.99 %", "–"]
    assert row(page, "ŷ", "numpy")[-1] == "100.00 %"


def test_what_has_no_z_is_in_no_share() -> None:
    none = of("numpy", "non_finite", undefined=998, errors={"inf": 2}, equal=0, error=worst(1.0, np.inf))
    page = text({**of("numpy", HIGH, equal=1000), **none})
    assert row(page, "ŷ", "numpy")[1:] == ["100.00 %", "–", "–", "–", "–", "100.00 %"]
    assert row(page, "non_finite") == ["±inf, NaN", "1,000", "1 at inf"]


def test_errors_below_the_least_normal_number_are_told_apart() -> None:
    low = of("jax-jit", "saturated_low -92 -88", error=worst(8e6, -88.5))
    page = text({**of("jax-jit", LOW, error=worst(2.481, -26.5)), **low})
    assert row(page, "ŷ", "jax-jit")[0] == "2.481 at `-0x1.a8p+4` (-26.5)"
    assert row(page, "saturated_low, below λ") == ["−92 … −88", "1,000", "8e+06 at `-0x1.62p+6` (-88.5)"]
    assert row(page, "float32", "jax-jit") == ["2.481", "2.5"]


def test_of_16_bits_the_label_stands_with_the_z() -> None:
    bad = [worst(92.75, 4.0, "float16", label) for label in range(3)]
    cells = {
        **of("numpy", "ordinary 2 4.16016", "loss", "float16", error=bad[2]),
        **of("numpy", "ordinary 2 4.16016", "y_hat", "float16", error=bad[1]),
    }
    page = text(cells)
    assert row(page, "L", "numpy")[:3] == ["92.75 at `0x1p+2` (4.0), y = 1", "100.00 %", "not counted"]
    assert row(page, "ŷ", "numpy")[0] == "92.75 at `0x1p+2` (4.0)"


def test_a_page_has_the_formats_that_the_ledger_has() -> None:
    page = text(of("numpy", HIGH, dtype="float16"))
    assert "## float16" in page
    assert "## float32" not in page
    assert "65,536 values of z with y = 0, ½, 1; λ = 2^−14." in page
    assert re.findall(r"\]\((.*svg)\)", page) == ["findings/float16.svg"]


def test_what_lies_outside_or_is_lacking_is_said() -> None:
    bad = of("numpy", HIGH, wrong_elements=5, wrong_problems=5, known_elements=2)
    place = cell("jax-jit", output="all", regime="every", shape="1x1x1")
    page = text({**bad, place: Summary(problems=8, unsupported=frozenset(["no float32 here"]))})
    assert "3 lie outside their admissible sets, and 2 more are known differences." in page
    assert "jax-jit has no results: no float32 here." in page


def test_a_part_of_a_sweep_says_so() -> None:
    assert "a part of the sweep" not in text(of("numpy", HIGH))
    page = text(of("numpy", HIGH), header=head(shards="0-5,100"))
    assert "a part of the sweep, 7 of 262 shards" in page


def test_the_sample_of_float64_has_its_own_section() -> None:
    found = Worst(Number(39.136), "crossed:61:65536x1x3x1:contiguous:float64", (29434, 0, 0), "saturated_low")
    share = msgspec.structs.replace(found, value=Number(0.4289))
    sample = of("numpy", "crossed", dtype="float64", unknown=914, error=found, share=share)
    page = text(of("numpy", HIGH), sample)
    assert row(page, "crossed", "ŷ", "numpy") == [
        "1,000", "86", "39.14", "saturated_low", f"`{found.case}`, problem 29434, y_hat[0, 0]", "42.8 %",
    ]  # fmt: skip
    assert "with m, n, p = 1, 3, 1" in page
    assert "without a sample" not in page


def test_texts_of_a_ledger_make_no_column_and_no_element() -> None:
    name = "a | b <img src=x>\n# c"
    page = text(of(name, HIGH), header=head("sweep exhaustive", "0", name))
    assert "<img" not in page
    assert "\n# c" not in page
    assert len(row(page, "ŷ", "a \\| b &lt;img src=x> # c")) == 7


def test_jax_claims_twice_what_the_page_says_that_it_documents() -> None:
    from adapters.jax.claims import KAPPA  # which imports JAX

    assert {dtype: kappa / 2 for dtype, kappa in KAPPA.items()} == DOCUMENTED


@pytest.mark.parametrize("output", MEASURED)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_an_interval_is_normal_if_all_of_its_exact_values_are(dtype: str, output: str) -> None:
    format, key = FORMATS[dtype], Key(dtype, output, "numpy")
    with np.errstate(all="ignore"):
        z = np.arange(1 << 16, dtype=np.uint16).view(format.dtype).astype(np.float64)
        p, q = 1 / (1 + np.exp(-z)), 1 / (1 + np.exp(z))
    found = []
    for interval in intervals(format):
        if interval.name == "non_finite":
            continue
        part = slice(interval.start, interval.stop)
        r = np.array([p[part], p[part] - 0.5, -q[part]])
        values = np.abs({"y_hat": p[part], "loss": r * r / 2, "grad": r * p[part] * q[part]}[output])
        (step,) = steps_of(Ledger(head(), of("numpy", interval.name, output, dtype)))[key]
        found.append(is_normal(step, key))
        if found[-1]:
            assert values.min() >= format.least_normal
    assert True in found
    assert False in found


def test_the_report_has_one_cell_for_all_intervals_of_a_regime() -> None:
    cells = {**of("numpy", LOW), **of("numpy", HIGH), **of("numpy", SMALL)}
    found = {key.regime: line.summary.problems for key, line in cells_of(cells).items()}
    assert found == {"ordinary": 2000, "saturated_low": 1000}


@pytest.mark.skipif(not PAGE.exists(), reason="a full sweep makes it")
def test_the_page_of_this_checkout_has_the_words_of_the_template() -> None:
    told = PAGE.read_text("utf-8")
    words = [
        line for line in TEMPLATE.read_text("utf-8").splitlines()
        if line and not re.search("[{}]|^This page was made without a sample", line)
    ]  # fmt: skip
    assert [line for line in words if line not in told] == []
    pictures = re.findall(r"\]\((findings/\w+\.svg)\)", told)
    assert [name for name in pictures if not (PAGE.parent / name).is_file()] == []
    assert "a part of the sweep" not in told


@pytest.mark.parametrize("part", [SECTION, RELEASES])
def test_the_page_has_a_part_as_its_command_made_it(part: str) -> None:
    made = TEMPLATE.with_name(part).read_text("utf-8")
    assert made in text(of("numpy", HIGH))
    assert made in PAGE.read_text("utf-8")


def test_the_section_on_instruction_sets_counts_other_bits_and_the_worst_error() -> None:
    case = Case("ordinary", 0, (8, 1, 3, 1))
    judge, table = Judge(case.problem()), Table()
    plain = InProcessAdapter(wrong.healthy).evaluate(*judge.problem)
    assert plain.y_hat is not None
    y_hat = plain.y_hat.copy()
    y_hat[:3] = np.nextafter(y_hat[:3], 2)
    other = plain._replace(y_hat=y_hat)
    add(table, ("numpy", "float64"), judge, {"native": plain, "avx2": other}, ordinary=True)
    found = table["numpy", "float64", "y_hat"]
    assert [(each.elements, each.other) for each in found.values()] == [(8, 0), (8, 3)]
    assert found["avx2"].worst >= found["native"].worst > 0
    (line,) = [each for each in section(table, {}, ["native", "avx2"]) if each.startswith("| numpy")]
    assert line.startswith("| numpy | float64 | ŷ | 8 | 3 | ")


def test_the_table_of_releases_says_which_elements_are_wrong(tmp_path: Path) -> None:
    case = Case("ordinary", 0, (8, 1, 3, 1))
    judge, fault = Judge(case.problem()), Fault(case.text, "numpy", "loss")
    here = outcome(fault, judge, sys.executable, tmp_path)
    turned = evaluate_and_judge(InProcessAdapter(wrong.sign), judge)
    crashed = Outcome(turned.description, failure=AdapterCrashed("it", "killed by signal 6", None, tmp_path))
    raised = evaluate_and_judge(InProcessAdapter(wrong.raises), judge)
    verdicts = {str(i): verdict(each) for i, each in enumerate((here, turned, crashed, raised))}
    head, _, row = table([(fault, verdicts)])
    assert head == "| case | mode | 0 | 1 | 2 | 3 |"
    assert row == f"| `{case.text}` | `numpy` | right | **24 wrong** | **aborts** | **fails** |"


def test_the_table_of_releases_has_every_known_fault_of_jax_and_no_other() -> None:
    rows = TEMPLATE.with_name(RELEASES).read_text("utf-8").splitlines()[2:]
    assert [row.split(" | ")[:2] for row in rows] == [[f"| `{f.case}`", f"`{f.mode}`"] for f in faults()]


@pytest.mark.long
def test_a_picture_is_small_opaque_and_the_same_again(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    names = [each.name for each in intervals(FORMATS["float32"]) if each.name != "non_finite"]
    cells: Cells = {}
    for place, regime in enumerate(names):
        for output in MEASURED:
            for name in ("jax-jit", "numpy", "torch"):
                cells |= of(name, regime, output, error=worst(0.01 + place % 7, 0.5))
    write(tmp_path / "ledger.jsonl", Ledger(head(), cells))
    files: list[bytes] = []
    for page in ("one.md", "two.md"):
        assert run([str(tmp_path / "ledger.jsonl"), "--output", str(tmp_path / page)]) == 0
        assert f"]({page[:-3]}/float32.svg)" in (tmp_path / page).read_text("utf-8")
        (picture,) = (tmp_path / page).with_suffix("").iterdir()
        files.append(picture.read_bytes())
    assert files[0] == files[1]
    assert len(files[0]) < 100_000
    assert b"fill: #ffffff" in files[0]
    assert b"date>" not in files[0]
    assert [name for name in ("jax-jit", "numpy", "torch") if name.encode() not in files[0]] == []


def test_a_line_has_a_step_for_each_interval_and_a_gap_where_there_is_none() -> None:
    def step(low: float, high: float, value: float) -> Step:
        return Step("ordinary", low, high, Summary(error=Worst(Number(value), "", (), "")))

    steps = [step(-200, -100, 1), step(-100, 0, 2), step(10, 11, 1e-9), step(11, 12, 9)]
    line = list(plots._line(steps, 110))
    assert [z for z, value in line if math.isnan(value)] == [0, 110]
    steps_there = [each for each in line if not math.isnan(each[1])]
    assert steps_there == [(-110, 1), (-100, 1), (-100, 2), (0, 2), (10, 0.01), (11, 0.01), (11, 9), (12, 9)]


def test_steps_thinner_than_a_line_show_their_larger_error() -> None:
    thin = 2.0 ** math.floor(math.log2(0.25 * 110 / plots.NARROW))  # whose multiples are exact
    steps = [
        Step("ordinary", k * thin, (k + 1) * thin, Summary(error=Worst(Number(1 + k % 3), "", (), "")))
        for k in range(4)
    ]
    found = list(plots._visible([*steps, Step("ordinary", 4 * thin, 50, steps[0].summary)], 110))
    assert found == [(0, 4 * thin, 3), (4 * thin, 50, 1)]


def refused(folder: Path, *ledgers: Ledger) -> int:
    """The exit code; nothing is written."""
    paths = [folder / f"{number}.jsonl" for number in range(len(ledgers))]
    for path, ledger in zip(paths, ledgers, strict=True):
        write(path, ledger)
    code = run([*map(str, paths), "--output", str(folder / "page.md")])
    assert not (folder / "page.md").exists()
    return code


WHOLE = Ledger(head(), of("numpy", HIGH))
REFUSED = {
    **{
        profile: (
            [Ledger(head(profile), of("numpy", "ordinary"))],
            f"0.jsonl: is of `{profile}`; findings are of `crosscheck sweep exhaustive`",
        )
        for profile in ("compare", "sweep random")
    },
    "a sample that is none": ([WHOLE, WHOLE], "1.jsonl: is of `sweep exhaustive`; the sample is of"),
    "a sample in float32": ([WHOLE, Ledger(head("sweep random"), of("numpy", "crossed"))], "1.jsonl: "),
    **{
        regime: ([Ledger(head(), of("numpy", regime))], f"{regime!r}, which is no interval of z")
        for regime in ("ordinary", "ordinary 1", "ordinary 1 2 3", "non_finite 1 2", "ordinary a b")
    },
}


@pytest.mark.parametrize(("ledgers", "said"), REFUSED.values(), ids=REFUSED)
def test_a_ledger_that_findings_cannot_be_made_of_is_refused_by_name(
    ledgers: list[Ledger], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refused(tmp_path, *ledgers) == 2
    told = capsys.readouterr().err
    assert told.startswith("crosscheck: error: ")
    assert said in told
    assert told.count("\n") == 1


@pytest.mark.parametrize("module", ["jinja2", "matplotlib"])
def test_what_is_not_installed_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    monkeypatch.delitem(sys.modules, "tools.findings.page")
    monkeypatch.setitem(sys.modules, module, None)
    assert refused(tmp_path, WHOLE) == 2
    assert f"findings need {module}: pip install" in capsys.readouterr().err
