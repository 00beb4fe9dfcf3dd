"""What `crosscheck behaviours` prints: where adapters differ, which gave no answer, and which crashed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from rich.console import Console

from adapters import Spec
from adapters.process_options import ProcessOptions
from crosscheck.behaviours.questions import PROBES
from crosscheck.behaviours.report import show
from crosscheck.behaviours.survey import observations_of, survey_and_show
from crosscheck.judging.evaluation import InProcessAdapter
from crosscheck.results.lines import Observation
from tests.faulty_adapters import wrong
from tests.faulty_adapters.networks import made, without_subnormals

pytestmark = pytest.mark.long

HEALTHY = made("healthy")
FLUSHING = made("flushing", taken=without_subnormals, given=without_subnormals)


def report_text(
    observations: Sequence[Observation], *, everything: bool = False, width: int = 80
) -> list[str]:
    console = Console(width=width, highlight=False, force_terminal=False)
    with console.capture() as said:
        show(observations, list(PROBES.values()), console, everything=everything)
    return said.get().splitlines()


@pytest.fixture(scope="module")
def observations() -> list[Observation]:
    probes = [PROBES[name] for name in ("subnormal_operand", "z_plus_inf", "dtype")]
    adapters = (HEALTHY, FLUSHING, InProcessAdapter(wrong.refuses))
    return [seen for each in adapters for seen in observations_of(each, ["float32", "float16"], probes)]


def test_the_report_shows_only_where_adapters_differ(observations: list[Observation]) -> None:
    text = report_text(observations)
    assert text[1].startswith("subnormal_operand: ")
    assert text[3:6] == [
        "  float32   kept: planted-healthy",
        "            flushed: planted-flushing",
        "            float32:X=[[[0x1p-127]]]:y=[[[0x0p+0]]]:W=[[[0x1p+127]]]",
    ]
    assert not any(line.startswith(("z_plus_inf", "dtype")) for line in text)
    assert "Adapters differ in 2 of 6 rows, a probe in a dtype each; --all shows the others." in text


def test_the_report_shows_everything_where_that_is_asked_for(observations: list[Observation]) -> None:
    text = report_text(observations, everything=True)
    assert [line.partition(":")[0] for line in text if "?" in line] == [
        *("subnormal_operand", "z_plus_inf", "dtype"),
    ]
    assert "  float32   kept: planted-healthy, planted-flushing" in text


def test_the_report_gives_a_reason_for_no_answer_once(observations: list[Observation]) -> None:
    text = report_text(observations)
    at = text.index("No answer:")
    assert text[at + 1].startswith("  planted-refuses: no stacks here (3 probes)")
    assert text[at + 2] == ""


def test_the_report_fits_into_80_columns_but_for_inputs_which_stay_whole() -> None:
    case = "x" * 200
    found = [
        Observation(probe, f"an-adapter-{i}", "float32", f"value {i % 2}", case)
        for probe in PROBES
        for i in range(20)
    ]
    text = report_text(found)
    assert sum(case in line for line in text) == len(PROBES)
    assert max(len(line) for line in text if case not in line) <= 80


def run(tmp_path: Path, *names: str) -> int:
    specs = [Spec(target, target) for target in (f"tests.faulty_adapters.{name}" for name in names)]
    probes = [PROBES[name] for name in ("subnormal_operand", "threads")]
    return survey_and_show(specs, ProcessOptions(tmp_path), dtypes=["float32"], probes=probes)


def test_a_survey_of_children_is_healthy_whatever_they_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "1")
    assert run(tmp_path, "wrong:healthy") == 0
    assert "Adapters differ in 0 of 2 rows" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "said"), [("deaths:always", "exited with status 0"), ("wrong:raises", "misbehaved: raised")]
)
def test_an_adapter_that_crashes_or_misbehaves_is_listed_and_the_others_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str, said: str
) -> None:
    monkeypatch.setenv("CI", "1")
    assert run(tmp_path, name, "wrong:healthy") == 1
    out = capsys.readouterr().out
    assert said in out
    assert "planted-healthy: planted 1.0, cpu" in out
